// Model files, for the commands that read one.
#pragma once

#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/stream/dataset.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {

/// Random weights in [-1, 1] and random biases, in the layout of the network plan.
std::vector<float> random_parameters(const NetworkSpec& spec);

/// The logits (N, C) of all samples, computed by plain loops in double precision.
Doubles reference_logits(const NetworkSpec& spec, std::span<const float> parameters, const Dataset& samples);

/// A model that predicts which of three pixels is brightest: its logits are the pixels' values, from 0 to 1.
Model brightest_pixel();

/// Writes a model to a file in the folder and returns its path.
std::string add_model(const TemporaryFolder& folder, const std::string& name, const Model& model);

/// The model with an infinite bias for class 1, which makes that logit infinite.
Model with_infinite_bias(Model model);

}  // namespace warpfit::test
