// Rows that several commands have.
#pragma once

#include "host/cli/commands.hpp"

namespace warpfit {

/// A training and a test set.
Options data_options(DataOptions& data);
/// The training set alone.
Options training_set_options(DataOptions& data);
/// The test set alone.
Options test_data_options(DataOptions& data);
/// How images are stored.
Options layout_options(SampleLayout& layout);
Option network_option(std::string& network);
Option residency_option(Residency& residency);
/// `otherwise`: the default in words.
Option memory_limit_option(std::optional<std::int64_t>& limit, std::string_view otherwise);
/// The argument MODEL.
Option model_option(std::string& path);
Option quiet_option(bool& quiet);
Option verbose_option(bool& verbose);
Option engine_option(Engine& engine);

}  // namespace warpfit
