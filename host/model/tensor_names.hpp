// Names of tensors in state dicts: their order, and the prefixes that wrappers of modules add.
#pragma once

#include <string_view>
#include <vector>

namespace warpfit {

/// Whether a sorts before b if runs of digits are compared as numbers: "layer.9" before "layer.10".
bool natural_less(std::string_view a, std::string_view b);

/// The name, then the name without its first wrapper prefix, and so on: "module." of DistributedDataParallel,
/// "_orig_mod." of torch.compile, "model." of PyTorch Lightning and similar ones.
std::vector<std::string_view> unwrapped_names(std::string_view name);

/// The last of unwrapped_names(), except for "model.0.weight", in which `model` is the attribute that holds
/// an nn.Sequential.
std::string_view without_wrappers(std::string_view name);

}  // namespace warpfit
