// A tensor that a layer needs: a weight, a bias or running statistics.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace warpfit {

/// Uniformly distributed between -bound and bound, with PyTorch's random numbers.
struct UniformInitializer {
  float bound = 0;
};

/// All elements have the same value; no random number is drawn.
struct ConstantInitializer {
  float value = 0;
};

/// Uniform as above, then the first `in` filters of a weight (out, in, rows, columns), or all if there are
/// fewer, as torch.nn.init.dirac_ initializes them: filter i is 1 at (i, rows / 2, columns / 2) and otherwise
/// 0.
struct DiracInitializer {
  UniformInitializer uniform;
};

/// Uniform as above; before training, replaced by filters that whiten the patches of the training images.
struct WhiteningInitializer {
  UniformInitializer uniform;
};

using Initializer =
    std::variant<UniformInitializer, ConstantInitializer, DiracInitializer, WhiteningInitializer>;

/// The role of a tensor in its layer, which determines how it is updated.
enum class TensorRole {
  kWeight,
  kBias,
  kNormWeight,  ///< weight of a normalization layer
  kNormBias,
  // State, which is not trained: buffers in PyTorch.
  kStatistic,  ///< a running estimate
  kVariance,   ///< a running estimate that is not negative
  kCounter     ///< a 32-bit integer in the memory of a float; an I64 scalar in files
};

constexpr bool is_trained(TensorRole role) { return role < TensorRole::kStatistic; }

struct TensorSpec {
  std::string_view name;            ///< "weight": the attribute of PyTorch's module
  std::vector<std::int64_t> shape;  ///< as in PyTorch
  Initializer initializer;
  TensorRole role = TensorRole::kWeight;
};

/// The initializer of the weights of nn.Linear and nn.Conv2d: reset_parameters() in torch/nn/modules, which
/// is kaiming_uniform_(a = sqrt(5)). `inputs`: number of values that one output is computed from (fan-in).
[[nodiscard]] UniformInitializer weight_initializer(std::int64_t inputs);
/// The initializer of their biases.
[[nodiscard]] UniformInitializer bias_initializer(std::int64_t inputs);

}  // namespace warpfit
