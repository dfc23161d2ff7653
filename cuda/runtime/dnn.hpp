// cuDNN on a stream, to verify our kernels in tests and to compare their speed in the benchmark of
// operations.
#pragma once

#include <string>
#include <string_view>

#include "cuda/runtime/dnn_library.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/backend/views.hpp"

namespace warpfit {

/// Sizes are below 2^31. Errors: DeviceError or OutOfMemory, with the operation and cuDNN's description of
/// the error.
class Dnn {
 public:
  /// Work is queued on `stream`.
  Dnn(const DnnLibrary& library, const Stream& stream);
  Dnn(const Dnn&) = delete;
  Dnn& operator=(const Dnn&) = delete;
  ~Dnn();

  /// y = max(x, 0); a NaN stays a NaN. Equal sizes.
  void relu_forward(ConstVector x, Vector y) const;
  /// dx = dy where y, the output of ReLU, is above 0, and 0 elsewhere. Equal sizes.
  void relu_backward(ConstVector y, ConstVector dy, Vector dx) const;
  /// y (N, M) = log of the softmax of each row of x (N, M).
  void log_softmax_forward(ConstMatrix x, Matrix y) const;
  /// dx (N, M) from log_softmax_forward's y and its gradient dy, both (N, M).
  void log_softmax_backward(ConstMatrix y, ConstMatrix dy, Matrix dx) const;

  /// "cuDNN 9.19.0"
  [[nodiscard]] std::string version() const;

 private:
  void check(cudnnStatus_t status, std::string_view doing) const;

  DnnLibrary library_;
  cudnnHandle_t handle_ = nullptr;
  cudnnActivationDescriptor_t relu_ = nullptr;
  // The shape of the operands, set by each call.
  cudnnTensorDescriptor_t shape_ = nullptr;
  void set_shape(std::int64_t rows, std::int64_t cols) const;
  void release() noexcept;
};

}  // namespace warpfit
