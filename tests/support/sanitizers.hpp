// Whether a sanitizer watches the tests: it takes memory and time of its own.
#pragma once

#include <string_view>

namespace warpfit::test {

inline constexpr bool kSanitized = std::string_view(WARPFIT_SANITIZE) != "";
/// Slowest where kernels are emulated: each of their threads is a thread to it, with a clock of its own.
inline constexpr bool kThreadSanitizer = std::string_view(WARPFIT_SANITIZE) == "thread";
inline constexpr bool kAddressSanitizer = std::string_view(WARPFIT_SANITIZE).starts_with("address");

}  // namespace warpfit::test
