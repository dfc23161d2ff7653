// Rows that several commands have.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// A training and a test set.
Options data_options(DataFlags& data);
/// The test set alone.
Options test_data_options(DataFlags& data);
Options device_options(DeviceFlags& device);
/// The argument MODEL.
Option model_option(std::string& path);
Option quiet_option(bool& quiet);
Option verbose_option(bool& verbose);

}  // namespace warpfit
