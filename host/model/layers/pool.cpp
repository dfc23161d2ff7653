#include "host/model/layers/pool.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

PoolOperation operation(const Pool& layer, const Shape& in) {
  const Windows windows{layer.kernel, layer.stride, layer.padding};
  return {.kind = layer.kind,
          .in = {in.channels, in.height, in.width},
          .rows = layer.is_global ? Windows{in.height, in.height, 0} : windows,
          .columns = layer.is_global ? Windows{in.width, in.width, 0} : windows};
}

}  // namespace

Shape output_shape(const Pool& layer, const Shape& in) {
  if (!layer.is_global && 2 * layer.padding > layer.kernel) {
    throw UsageError(fmt::format("padding {} with windows of {}, expected at most half of a window",
                                 layer.padding, layer.kernel));
  }
  const auto out = operation(layer, in).out();
  if (out.height < 1 || out.width < 1) {
    throw UsageError(fmt::format("its input is {}, smaller than a window of {} x {}{}", text_of(in),
                                 layer.kernel, layer.kernel,
                                 layer.padding > 0 ? fmt::format(" with padding {}", layer.padding) : ""));
  }
  return {out.channels, out.height, out.width};
}

std::vector<TensorSpec> tensors(const Pool&, const Shape&) { return {}; }

std::optional<Operation> operation_of(const Pool& layer, const Shape& in) { return operation(layer, in); }

Cost cost(const Pool& layer, const Shape& in, std::int64_t rows) {
  const auto values = static_cast<double>(in.size() + output_shape(layer, in).size());
  const Work work{.flop = 0, .bytes = sizeof(float) * static_cast<double>(rows) * values};
  return {.forward = work, .input_gradient = work, .parameter_gradients = {}};
}

std::string text_of(const Pool& layer) {
  if (layer.is_global) return "globalavgpool";
  const auto* const name = layer.kind == PoolKind::kMax ? "maxpool" : "avgpool";
  if (layer.padding > 0) return fmt::format("{}({},{},{})", name, layer.kernel, layer.stride, layer.padding);
  if (layer.stride != layer.kernel) return fmt::format("{}({},{})", name, layer.kernel, layer.stride);
  return fmt::format("{}({})", name, layer.kernel);
}

}  // namespace warpfit
