// From `--device` to a backend.
#pragma once

#include <memory>
#include <string_view>

#include "host/backend/backend.hpp"

namespace warpfit {

struct DeviceChoice {
  enum class Kind { kAuto, kCpu, kCuda };
  Kind kind = Kind::kAuto;
  int index = 0;  ///< which GPU, from 0
};

/// Reads `auto`, `cpu`, `cuda` or `cuda:N`; UsageError for anything else.
DeviceChoice parse_device(std::string_view text);

/// Makes the chosen backend; `auto` takes a GPU if there is one. `threads`: CPU threads, 0 for all usable
/// cores. Errors: DeviceError where the chosen device is not there.
std::unique_ptr<Backend> make_backend(DeviceChoice choice, int threads);

}  // namespace warpfit
