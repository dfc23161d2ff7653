// Options that several commands have in common.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// Options for a training and a test set.
Options data_options(DataOptions& data);
/// Options for the training set only.
Options training_set_options(DataOptions& data);
/// Options for the test set only.
Options test_data_options(DataOptions& data);
/// How images are stored.
Options layout_options(SampleLayout& layout);
Option network_option(std::string& network);
Option residency_option(Residency& residency);
/// `otherwise`: description of the default.
Option memory_limit_option(std::optional<std::int64_t>& limit, std::string_view otherwise);
/// The argument MODEL.
Option model_option(std::string& path);
Option state_dict_option(std::string& network);
Option quiet_option(bool& quiet);
Option verbose_option(bool& verbose);
Option engine_option(Engine& engine);

}  // namespace warpfit
