// A PyTorch state dict of any layers, for a network that the user names.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/model/model_file.hpp"

namespace warpfit {

/// Loads the state dict in a safetensors file into the layers of `network`, as in --network, for samples of
/// this shape. For each layer in turn, the first module in the natural order of the names that has the
/// layer's tensors and no others is taken: "conv1.weight" and "conv1.bias" (16, 6, 5, 5) and (16). Errors:
/// UsageError if the file is a model of warpfit, which names its network itself, or the network does not
/// accept the samples; ModelError naming the layer that has no module, or a module that is left; IoError.
Model load_state_dict(const std::string& path, const std::string& network,
                      std::span<const std::int64_t> sample_shape);

}  // namespace warpfit
