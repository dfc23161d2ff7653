// Models in files, for the commands that use one.
#pragma once

#include <string>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/stream/dataset.hpp"
#include "tests/support/files.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {

/// Random weights in [-1, 1] and biases, laid out as the plan says.
std::vector<float> random_parameters(const NetworkSpec& spec);

/// The logits (N, C) of all samples by plain loops in double precision.
Doubles reference_logits(const NetworkSpec& spec, std::span<const float> parameters, const Dataset& samples);

/// A model whose class is the brightest of three pixels: its logits are their values, 0 to 1.
Model brightest_pixel();

/// Writes a model and gives its path.
std::string add_model(const TemporaryFolder& folder, const std::string& name, const Model& model);

/// Its logit of class 1 is infinite.
Model with_infinite_bias(Model model);

}  // namespace warpfit::test
