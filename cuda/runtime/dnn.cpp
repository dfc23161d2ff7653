#include "cuda/runtime/dnn.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr float kOne = 1.0F;
constexpr float kZero = 0.0F;

}  // namespace

Dnn::Dnn(const DnnLibrary& library, const Stream& stream) : library_(library) {
  try {
    check(library_.create(&handle_), "starting cuDNN");
    check(library_.set_stream(handle_, stream.get()), "setting the stream of cuDNN");
    check(library_.create_tensor_descriptor(&shape_), "creating a cuDNN tensor descriptor");
    check(library_.create_activation_descriptor(&relu_), "creating a cuDNN activation descriptor");
    check(library_.set_activation_descriptor(relu_, CUDNN_ACTIVATION_RELU, CUDNN_PROPAGATE_NAN, 0.0),
          "creating a cuDNN activation descriptor");
  } catch (...) {
    release();
    throw;
  }
}

Dnn::~Dnn() { release(); }

void Dnn::release() noexcept {
  if (relu_ != nullptr) library_.destroy_activation_descriptor(relu_);
  if (shape_ != nullptr) library_.destroy_tensor_descriptor(shape_);
  if (handle_ != nullptr) library_.destroy(handle_);
}

void Dnn::check(cudnnStatus_t status, std::string_view doing) const {
  if (status == CUDNN_STATUS_SUCCESS) return;
  const auto text = fmt::format("{}: {} (cuDNN)", doing, library_.get_error_string(status));
  if (status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
      status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED) {
    throw OutOfMemory(text);
  }
  throw DeviceError(text);
}

void Dnn::set_shape(std::int64_t rows, std::int64_t cols) const {
  check(library_.set_tensor4d_descriptor(shape_, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, static_cast<int>(rows),
                                         static_cast<int>(cols), 1, 1),
        "creating a cuDNN tensor descriptor");
}

void Dnn::relu_forward(ConstVector x, Vector y) const {
  set_shape(1, static_cast<std::int64_t>(x.size()));
  check(library_.activation_forward(handle_, relu_, &kOne, shape_, x.data(), &kZero, shape_, y.data()),
        "ReLU");
}

// cuDNN also requires ReLU's input; the output is above 0 exactly where the input is.
void Dnn::relu_backward(ConstVector y, ConstVector dy, Vector dx) const {
  set_shape(1, static_cast<std::int64_t>(y.size()));
  check(library_.activation_backward(handle_, relu_, &kOne, shape_, y.data(), shape_, dy.data(), shape_,
                                     y.data(), &kZero, shape_, dx.data()),
        "the gradient of ReLU");
}

void Dnn::log_softmax_forward(ConstMatrix x, Matrix y) const {
  set_shape(x.rows, x.cols);
  check(library_.softmax_forward(handle_, CUDNN_SOFTMAX_LOG, CUDNN_SOFTMAX_MODE_INSTANCE, &kOne, shape_,
                                 x.data, &kZero, shape_, y.data),
        "softmax");
}

void Dnn::log_softmax_backward(ConstMatrix y, ConstMatrix dy, Matrix dx) const {
  set_shape(y.rows, y.cols);
  check(library_.softmax_backward(handle_, CUDNN_SOFTMAX_LOG, CUDNN_SOFTMAX_MODE_INSTANCE, &kOne, shape_,
                                  y.data, shape_, dy.data, &kZero, shape_, dx.data),
        "the gradient of softmax");
}

std::string Dnn::version() const {
  const std::size_t number = library_.get_version();  // 91900 is 9.19.0
  return fmt::format("cuDNN {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

}  // namespace warpfit
