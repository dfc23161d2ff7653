// A tensor that a layer needs: a weight, a bias or running statistics.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

namespace warpfit {

/// Uniformly distributed between -bound and bound, drawn as PyTorch draws.
struct UniformInitializer {
  float bound = 0;
};

/// The same value everywhere; nothing is drawn.
struct ConstantInitializer {
  float value = 0;
};

using Initializer = std::variant<UniformInitializer, ConstantInitializer>;

/// What a tensor does in its layer, which decides how it is updated.
enum class TensorRole {
  kWeight,
  kBias,
  kNormWeight,  ///< of a normalization layer
  kNormBias,
  // State, which is not trained: PyTorch's buffers.
  kStatistic,  ///< a running estimate
  kCounter     ///< a 32-bit integer in the memory of a float; a scalar of I64 in files
};

constexpr bool is_trained(TensorRole role) { return role < TensorRole::kStatistic; }

struct TensorSpec {
  std::string_view name;            ///< "weight": the attribute of PyTorch's module
  std::vector<std::int64_t> shape;  ///< as PyTorch has it
  Initializer initializer;
  TensorRole role = TensorRole::kWeight;
};

/// The initializer of weights of nn.Linear and nn.Conv2d: torch/nn/modules, reset_parameters, which is
/// kaiming_uniform_(a = sqrt(5)). `inputs`: values that one output is computed from.
[[nodiscard]] UniformInitializer weight_initializer(std::int64_t inputs);
/// The initializer of their biases.
[[nodiscard]] UniformInitializer bias_initializer(std::int64_t inputs);

}  // namespace warpfit
