#include "host/model/layers/batch_norm.hpp"

#include <fmt/core.h>

namespace warpfit {

Shape output_shape(const BatchNorm&, const Shape& in) { return in; }

std::vector<TensorSpec> tensors(const BatchNorm&, const Shape& in) {
  const std::vector<std::int64_t> channels{in.channels};
  return {{"weight", channels, ConstantInitializer{1}, TensorRole::kNormWeight},
          {"bias", channels, ConstantInitializer{0}, TensorRole::kNormBias},
          {"running_mean", channels, ConstantInitializer{0}, TensorRole::kStatistic},
          {"running_var", channels, ConstantInitializer{1}, TensorRole::kVariance},
          {"num_batches_tracked", {}, ConstantInitializer{0}, TensorRole::kCounter}};
}

std::optional<Operation> operation_of(const BatchNorm& layer, const Shape& in) {
  return BatchNormOperation{
      .channels = in.channels, .pixels = in.height * in.width, .eps = layer.eps, .momentum = layer.momentum};
}

// The batch is read for the mean, for the variance and for normalizing; the batch and its gradient are read
// for the sums and for the result.
Cost cost(const BatchNorm&, const Shape& in, std::int64_t rows) {
  const double bytes = sizeof(float) * static_cast<double>(rows) * static_cast<double>(in.size());
  Cost cost;
  cost.forward.bytes = 4 * bytes;
  cost.input_gradient.bytes = 3 * bytes;
  cost.parameter_gradients.bytes = 2 * bytes;
  return cost;
}

std::string text_of(const BatchNorm& layer) {
  if (layer == BatchNorm{}) return "batchnorm";
  return fmt::format("batchnorm({},{})", layer.eps, layer.momentum);
}

}  // namespace warpfit
