#include "host/model/layers/conv.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

ConvOperation operation(const Conv& layer, const Shape& in) {
  const auto padding = padding_of(layer);
  const Windows windows{layer.kernel, layer.stride, padding.begin, layer.dilation,
                        padding.end - padding.begin};
  return {.in = {in.channels, in.height, in.width},
          .out_channels = layer.out_channels,
          .rows = windows,
          .columns = windows,
          .groups = layer.groups,
          .bias = layer.bias};
}

// The number of values that one output is computed from.
std::int64_t fan_in(const Conv& layer, const Shape& in) {
  return in.channels / layer.groups * layer.kernel * layer.kernel;
}

// Errors: UsageError if the layer cannot be initialized with whitening filters.
void check_whitening(const Conv& layer, const Shape& in) {
  if (layer.groups != 1 || layer.dilation != 1)
    throw UsageError("init=whiten requires groups=1 and dilation=1");
  const auto inputs = fan_in(layer, in);
  if (inputs > kMaxWhitened) {
    throw UsageError(
        fmt::format("init=whiten: a window has {} values, expected at most {}", inputs, kMaxWhitened));
  }
  if (layer.out_channels % 2 != 0 || layer.out_channels > 2 * inputs) {
    throw UsageError(
        fmt::format("init=whiten: {} output channels, expected an even number of at most {}, twice the "
                    "values of a window",
                    layer.out_channels, 2 * inputs));
  }
}

Initializer weight_of(const Conv& layer, std::int64_t inputs) {
  const auto uniform = weight_initializer(inputs);
  if (layer.init == ConvInit::kDirac) return DiracInitializer{uniform};
  if (layer.init == ConvInit::kWhiten) return WhiteningInitializer{uniform};
  return uniform;
}

}  // namespace

Padding padding_of(const Conv& layer) {
  if (!layer.same_padding) return {layer.padding, layer.padding};
  const auto total = layer.dilation * (layer.kernel - 1);
  return {total / 2, total - total / 2};
}

Shape output_shape(const Conv& layer, const Shape& in) {
  if (in.channels % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
    throw UsageError(fmt::format(
        "groups={} does not divide both the number of input channels, {}, and of output channels, {}",
        layer.groups, in.channels, layer.out_channels));
  }
  if (layer.init == ConvInit::kWhiten) check_whitening(layer, in);
  const auto described = operation(layer, in);
  const auto out = described.out();
  if (out.height < 1 || out.width < 1) {
    const auto extent = described.rows.extent();
    throw UsageError(fmt::format("its input is {}, smaller than a window of {} x {}{}", text_of(in), extent,
                                 extent,
                                 layer.padding > 0 ? fmt::format(" with padding {}", layer.padding) : ""));
  }
  return {out.channels, out.height, out.width};
}

std::vector<TensorSpec> tensors(const Conv& layer, const Shape& in) {
  const auto inputs = fan_in(layer, in);
  std::vector<TensorSpec> specs{{"weight",
                                 {layer.out_channels, in.channels / layer.groups, layer.kernel, layer.kernel},
                                 weight_of(layer, inputs)}};
  if (layer.bias)
    specs.push_back({"bias", {layer.out_channels}, bias_initializer(inputs), TensorRole::kBias});
  return specs;
}

std::optional<Operation> operation_of(const Conv& layer, const Shape& in) { return operation(layer, in); }

// As many products as if no window exceeded the image. The result, the input and the weights are each read or
// written once.
Cost cost(const Conv& layer, const Shape& in, std::int64_t rows) {
  const auto described = operation(layer, in);
  const auto outputs = static_cast<double>(rows) * static_cast<double>(described.out().size());
  const auto inputs = static_cast<double>(rows) * static_cast<double>(in.size());
  const auto weights = static_cast<double>(described.weights());
  const Work work{.flop = 2 * outputs * static_cast<double>(fan_in(layer, in)),
                  .bytes = sizeof(float) * (inputs + outputs + weights)};
  Cost cost{work, work, work};
  if (layer.bias) {
    const auto biases = sizeof(float) * static_cast<double>(layer.out_channels);
    cost.forward.bytes += biases;
    cost.parameter_gradients.bytes += biases;
  }
  return cost;
}

std::string text_of(const Conv& layer) {
  auto text = fmt::format("conv({},{}", layer.out_channels, layer.kernel);
  if (layer.stride != 1) text += fmt::format(",stride={}", layer.stride);
  if (layer.same_padding) text += ",padding=same";
  if (layer.padding != 0) text += fmt::format(",padding={}", layer.padding);
  if (layer.dilation != 1) text += fmt::format(",dilation={}", layer.dilation);
  if (layer.groups != 1) text += fmt::format(",groups={}", layer.groups);
  if (!layer.bias) text += ",bias=false";
  if (layer.init == ConvInit::kDirac) text += ",init=dirac";
  if (layer.init == ConvInit::kWhiten) text += ",init=whiten";
  return text + ")";
}

}  // namespace warpfit
