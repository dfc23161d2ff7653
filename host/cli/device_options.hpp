// --device, --threads and --precision.
#pragma once

#include <string_view>

#include "host/backend/backend_options.hpp"
#include "host/cli/commands.hpp"

namespace warpfit {

/// Reads `auto`, `cpu`, `cuda` or `cuda:N`; UsageError for anything else.
DeviceChoice parse_device(std::string_view text);

/// The backend options that the flags select; warnings go to the log. Errors: those of parse_device().
BackendOptions backend_options(const DeviceFlags& device);

Options device_options(DeviceFlags& device);

}  // namespace warpfit
