// The attributes of a convolution: what they describe, and whether they agree with each other.
#include <algorithm>

#include "tests/emulation/dnn_descriptor.hpp"
#include "tests/emulation/dnn_handle.hpp"

namespace warpfit::emulation {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers dimensions(const DnnDescriptor& tensor) {
  return tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
}

/// Whether the tensor, whose dimensions are (n, c, h, w), is (n, h, w, c) in memory.
bool channels_last(const DnnDescriptor& tensor) {
  const auto size = dimensions(tensor);
  return tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES) ==
         Numbers{size[1] * size[2] * size[3], 1, size[1] * size[3], size[1]};
}

/// The convolution's windows along dimension `at` of an image, of which a window has `size` values.
WindowAxis axis(const DnnDescriptor& windows, std::size_t at, std::int64_t size) {
  const auto number = [&](cudnnBackendAttributeName_t name) {
    return windows.values<std::int64_t>(name).at(at);
  };
  return {size, number(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES), number(CUDNN_ATTR_CONVOLUTION_DILATIONS),
          number(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS), number(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS)};
}

}  // namespace

ConvolutionNames names_of(const DnnDescriptor& operation) {
  switch (operation.type()) {
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
      return {ConvolutionPass::kForward,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
      return {ConvolutionPass::kInputGradient,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    default:
      return {ConvolutionPass::kWeightGradient,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
  }
}

Convolution convolution_of(const DnnDescriptor& operation) {
  const auto names = names_of(operation);
  const auto x = dimensions(operation.descriptor(names.x));
  const auto w = dimensions(operation.descriptor(names.w));
  const auto y = dimensions(operation.descriptor(names.y));
  const DnnDescriptor& windows = operation.descriptor(names.windows);
  Convolution convolution;
  convolution.pass = names.pass;
  convolution.shape = {
      x[0], x[1], x[2], x[3], y[1], y[2], y[3], x[1] / w[1], axis(windows, 0, w[2]), axis(windows, 1, w[3])};
  return convolution;
}

cudnnStatus_t check_convolution(const DnnDescriptor& operation) {
  const auto names = names_of(operation);
  const DnnDescriptor& windows = operation.descriptor(names.windows);
  for (const auto name : {names.x, names.w, names.y}) {
    const DnnDescriptor& tensor = operation.descriptor(name);
    if (dimensions(tensor).size() != 4 ||
        windows.value<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS) != 2 ||
        tensor.value<cudnnDataType_t>(CUDNN_ATTR_TENSOR_DATA_TYPE) != CUDNN_DATA_FLOAT) {
      return dnn_error(CUDNN_STATUS_NOT_SUPPORTED, "the emulation convolves images of floats only");
    }
  }
  if (windows.value<cudnnDataType_t>(CUDNN_ATTR_CONVOLUTION_COMP_TYPE) != CUDNN_DATA_FLOAT ||
      windows.value<cudnnConvolutionMode_t>(CUDNN_ATTR_CONVOLUTION_CONV_MODE) != CUDNN_CROSS_CORRELATION ||
      operation.value<float>(names.alpha) != 1 || operation.value<float>(names.beta) != 0) {
    return dnn_error(CUDNN_STATUS_NOT_SUPPORTED, "the emulation only computes a plain cross-correlation");
  }
  const auto x = dimensions(operation.descriptor(names.x));
  const auto w = dimensions(operation.descriptor(names.w));
  const auto y = dimensions(operation.descriptor(names.y));
  for (const Numbers& tensor : {x, w, y}) {
    if (std::count(tensor.begin(), tensor.end(), 0) > 0)
      return dnn_error(CUDNN_STATUS_BAD_PARAM, "a tensor of a convolution is empty");
  }
  const bool has_groups = x[1] % w[1] == 0 && w[0] % (x[1] / w[1]) == 0;
  if (!has_groups || x[0] != y[0] || w[0] != y[1]) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                     "the tensors of a convolution do not fit together");
  }
  const auto shape = convolution_of(operation).shape;
  if (shape.down.count(shape.height) != shape.out_height ||
      shape.across.count(shape.width) != shape.out_width) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
                     "the windows of a convolution do not fit its images");
  }
  return CUDNN_STATUS_SUCCESS;
}

bool has_channels_last(const DnnDescriptor& operation) {
  const auto names = names_of(operation);
  return channels_last(operation.descriptor(names.x)) && channels_last(operation.descriptor(names.w)) &&
         channels_last(operation.descriptor(names.y));
}

}  // namespace warpfit::emulation
