// Parameters of a new network from those of a trained one, as far as names and shapes match (--init-from).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"

namespace warpfit {

/// How a file's tensors met a network's: by name and shape.
struct WarmStart {
  std::vector<std::string> loaded;
  std::vector<std::string> missing;     ///< of the network, not in the file or of another shape
  std::vector<std::string> unexpected;  ///< of the file, not in the network or of another shape
};

/// Fills in what matches of parameters and state, which may be left out, as load_state_dict(strict=False);
/// names also match without the prefixes of wrappers, and floating-point numbers of any type are read.
/// Errors: ModelError if nothing matches, or a value that does is not finite; IoError.
WarmStart load_matching(const std::string& path, const ModelInfo& info, std::span<float> parameters,
                        std::span<float> state = {});

}  // namespace warpfit
