// The options of what is done with samples before they reach the network.
#pragma once

#include "host/cli/options.hpp"
#include "host/run/input.hpp"

namespace warpfit {

/// --augment
Option augment_option(Augmentation& augmentation);
/// --normalize; a model's user does not have the training data.
Option normalize_option(NormalizationOptions& normalization);
Option normalize_option(std::vector<float>& normalization);
/// --tta
Option test_views_option(TestViewOptions& views);

}  // namespace warpfit
