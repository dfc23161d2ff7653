// nn.Conv2d as a layer: convolution of images with square windows, with a weight (out_channels, in channels /
// groups, kernel, kernel) and a bias (out_channels).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/backend/operation.hpp"
#include "host/model/layers/cost.hpp"
#include "host/model/layers/shape.hpp"
#include "host/model/layers/tensor_spec.hpp"

namespace warpfit {

/// Initialization of the weight.
enum class ConvInit {
  kDefault,  ///< as nn.Conv2d
  /// Then torch.nn.init.dirac_ of the first filters, as many as a filter has channels: each passes one
  /// channel on.
  kDirac,
  /// Of the network's first layer: filters that whiten the patches of the training images, from the data
  /// (host/run/whitening.hpp). Where there is no data, as nn.Conv2d.
  kWhiten
};

/// Maximum number of values of a window that is whitened.
constexpr std::int64_t kMaxWhitened = 256;

struct Conv {
  std::int64_t out_channels = 0;
  std::int64_t kernel = 1, stride = 1, padding = 0, dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  ConvInit init = ConvInit::kDefault;
  /// padding='same': the output has the size of the input. The stride is 1, and `padding` is unused.
  bool same_padding = false;

  friend bool operator==(const Conv&, const Conv&) = default;
};

/// The padding of an image along each dimension. If `same_padding` is odd in total, one value more is at the
/// end.
struct Padding {
  std::int64_t begin = 0, end = 0;
};
[[nodiscard]] Padding padding_of(const Conv& layer);

/// Errors: UsageError if the input is smaller than a window, `groups` does not divide both numbers of
/// channels, or the layer cannot be initialized as it says.
[[nodiscard]] Shape output_shape(const Conv& layer, const Shape& in);
/// Weight and bias.
[[nodiscard]] std::vector<TensorSpec> tensors(const Conv& layer, const Shape& in);
[[nodiscard]] std::optional<Operation> operation_of(const Conv& layer, const Shape& in);
[[nodiscard]] Cost cost(const Conv& layer, const Shape& in, std::int64_t rows);
/// "conv(32,3)", "conv(32,3,padding=1)" or "conv(32,3,padding=same)"
[[nodiscard]] std::string text_of(const Conv& layer);

}  // namespace warpfit
