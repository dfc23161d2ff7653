// Initializes a new network from a trained one, for all tensors whose names and shapes match (--init-from).
#pragma once

#include <span>
#include <string>
#include <vector>

#include "host/model/model_file.hpp"

namespace warpfit {

/// How the tensors of a file and a network match by name and shape.
struct WarmStart {
  std::vector<std::string> loaded;
  std::vector<std::string> missing;     ///< only in the network, or with another shape in the file
  std::vector<std::string> unexpected;  ///< only in the file, or with another shape in the network
  /// Whether the file is a model of warpfit whose samples were normalized in another way.
  bool other_normalization = false;
};

/// Loads all matching tensors into parameters and state (which may be omitted), as
/// load_state_dict(strict=False). Names also match without wrapper prefixes, and any floating-point type is
/// read. Errors: ModelError if nothing matches, or if a matching tensor has a value that is not finite;
/// IoError.
WarmStart load_matching(const std::string& path, const ModelInfo& info, std::span<float> parameters,
                        std::span<float> state = {});

}  // namespace warpfit
