// Tells whether the tests are built with a sanitizer, which costs time and memory.
#pragma once

#include <string_view>

namespace warpfit::test {

inline constexpr bool kSanitized = std::string_view(WARPFIT_SANITIZE) != "";
/// ThreadSanitizer is slowest with emulated kernels: it tracks each CUDA thread as a separate thread with a
/// clock.
inline constexpr bool kThreadSanitizer = std::string_view(WARPFIT_SANITIZE) == "thread";
inline constexpr bool kAddressSanitizer = std::string_view(WARPFIT_SANITIZE).starts_with("address");

}  // namespace warpfit::test
