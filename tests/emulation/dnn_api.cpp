// The cuDNN functions that the program uses: ReLU and log-softmax as plain loops in double precision, as work
// in a stream.
#include <cudnn.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/emulation/dnn_handle.hpp"
#include "tests/emulation/runtime.hpp"
#include "tests/emulation/sanitizer.hpp"

struct cudnnTensorStruct {
  std::int64_t rows = 0;
  std::int64_t cols = 0;
  std::size_t bytes() const { return static_cast<std::size_t>(rows * cols) * sizeof(float); }
};

struct cudnnActivationStruct {
  bool keeps_nan = false;
};

using namespace warpfit::emulation;

namespace {

struct Operand {
  const char* name;
  const void* data;
};

void check_operand(const Operand& operand, std::size_t bytes) {
  if (runtime().memory.kind(operand.data) != MemoryKind::kDevice ||
      !runtime().memory.holds(operand.data, bytes)) {
    fail("cuDNN: %s, %zu bytes, begins %s", operand.name, bytes,
         runtime().memory.describe(operand.data).c_str());
  }
}

/// Queues `work` on the handle's stream. Inputs and output must have the shape; they are checked now and
/// again when the work runs.
template <class F>
cudnnStatus_t queue(const char* name, cudnnHandle_t handle, const cudnnTensorStruct& shape,
                    std::vector<Operand> inputs, void* output, const void* alpha, const void* beta, F work) {
  const ApiCallScope scope(name, CaptureRule::kAllowed);
  if (scope.error() != cudaSuccess) return CUDNN_STATUS_EXECUTION_FAILED;
  if (handle == nullptr || *static_cast<const float*>(alpha) != 1 || *static_cast<const float*>(beta) != 0) {
    return CUDNN_STATUS_BAD_PARAM;
  }
  const auto stream = find_stream(handle->stream);
  if (!stream) return CUDNN_STATUS_EXECUTION_FAILED;
  const auto check = [inputs, output, bytes = shape.bytes()] {
    for (const Operand& input : inputs) check_operand(input, bytes);
    check_operand({"the output", output}, bytes);
  };
  check();
  const cudaError_t error = submit(*stream, [check, inputs, output, work, bytes = shape.bytes()] {
    check();
    for (const Operand& input : inputs) sanitizer::reads(input.data, bytes);
    sanitizer::writes(output, bytes);
    work();
  });
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_EXECUTION_FAILED;
}

template <class Object>
cudnnStatus_t create(Object** object) {
  if (object == nullptr) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
  *object = new Object;
  return CUDNN_STATUS_SUCCESS;
}

template <class Object>
cudnnStatus_t destroy(Object* object) {
  delete object;
  return CUDNN_STATUS_SUCCESS;
}

bool is_log_softmax(cudnnSoftmaxAlgorithm_t algorithm, cudnnSoftmaxMode_t mode) {
  return algorithm == CUDNN_SOFTMAX_LOG && mode == CUDNN_SOFTMAX_MODE_INSTANCE;
}

}  // namespace

std::size_t cudnnGetVersion() { return CUDNN_VERSION; }

const char* cudnnGetErrorString(cudnnStatus_t status) {
  return status == CUDNN_STATUS_SUCCESS ? "CUDNN_STATUS_SUCCESS" : "CUDNN_STATUS_of_the_emulation";
}

cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  const ApiCallScope scope("cudnnCreate", CaptureRule::kUnsafe);
  if (scope.error() != cudaSuccess || config().devices == 0) return CUDNN_STATUS_NOT_INITIALIZED;
  return create(handle);
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) {
  const ApiCallScope scope("cudnnDestroy", CaptureRule::kUnsafe);
  runtime().finish();
  return destroy(handle);
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
  handle->stream = stream;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* shape) { return create(shape); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t shape) { return destroy(shape); }

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t shape, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
  if (format != CUDNN_TENSOR_NCHW || type != CUDNN_DATA_FLOAT || h != 1 || w != 1)
    return CUDNN_STATUS_NOT_SUPPORTED;
  if (n < 1 || c < 1) return CUDNN_STATUS_BAD_PARAM;
  *shape = {n, c};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnCreateActivationDescriptor(cudnnActivationDescriptor_t* activation) {
  return create(activation);
}
cudnnStatus_t cudnnDestroyActivationDescriptor(cudnnActivationDescriptor_t activation) {
  return destroy(activation);
}

cudnnStatus_t cudnnSetActivationDescriptor(cudnnActivationDescriptor_t activation, cudnnActivationMode_t mode,
                                           cudnnNanPropagation_t nan, double) {
  if (mode != CUDNN_ACTIVATION_RELU) return CUDNN_STATUS_NOT_SUPPORTED;
  activation->keeps_nan = nan == CUDNN_PROPAGATE_NAN;
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnActivationForward(cudnnHandle_t handle, cudnnActivationDescriptor_t activation,
                                     const void* alpha, const cudnnTensorDescriptor_t shape, const void* x,
                                     const void* beta, const cudnnTensorDescriptor_t, void* y) {
  return queue("cudnnActivationForward", handle, *shape, {{"x", x}}, y, alpha, beta,
               [=, size = shape->rows * shape->cols, keeps_nan = activation->keeps_nan] {
                 const auto* in = static_cast<const float*>(x);
                 auto* out = static_cast<float*>(y);
                 for (std::int64_t i = 0; i < size; ++i) {
                   out[i] = in[i] > 0 || (keeps_nan && std::isnan(in[i])) ? in[i] : 0;
                 }
               });
}

cudnnStatus_t cudnnActivationBackward(cudnnHandle_t handle, cudnnActivationDescriptor_t, const void* alpha,
                                      const cudnnTensorDescriptor_t shape, const void* y,
                                      const cudnnTensorDescriptor_t, const void* dy,
                                      const cudnnTensorDescriptor_t, const void* x, const void* beta,
                                      const cudnnTensorDescriptor_t, void* dx) {
  return queue("cudnnActivationBackward", handle, *shape, {{"y", y}, {"dy", dy}, {"x", x}}, dx, alpha, beta,
               [=, size = shape->rows * shape->cols] {
                 for (std::int64_t i = 0; i < size; ++i) {
                   // The gradient passes at a NaN: cuDNN may do the same, so no test may rely on a 0 there.
                   const float in = static_cast<const float*>(x)[i];
                   const bool passes = in > 0 || std::isnan(in);
                   static_cast<float*>(dx)[i] = passes ? static_cast<const float*>(dy)[i] : 0;
                 }
               });
}

cudnnStatus_t cudnnSoftmaxForward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm,
                                  cudnnSoftmaxMode_t mode, const void* alpha,
                                  const cudnnTensorDescriptor_t shape, const void* x, const void* beta,
                                  const cudnnTensorDescriptor_t, void* y) {
  if (!is_log_softmax(algorithm, mode)) return CUDNN_STATUS_NOT_SUPPORTED;
  return queue("cudnnSoftmaxForward", handle, *shape, {{"x", x}}, y, alpha, beta, [=, shape = *shape] {
    for (std::int64_t row = 0; row < shape.rows; ++row) {
      const auto* in = static_cast<const float*>(x) + row * shape.cols;
      auto* out = static_cast<float*>(y) + row * shape.cols;
      const double highest = *std::max_element(in, in + shape.cols);
      double sum = 0;
      for (std::int64_t c = 0; c < shape.cols; ++c) sum += std::exp(in[c] - highest);
      for (std::int64_t c = 0; c < shape.cols; ++c)
        out[c] = static_cast<float>(in[c] - highest - std::log(sum));
    }
  });
}

cudnnStatus_t cudnnSoftmaxBackward(cudnnHandle_t handle, cudnnSoftmaxAlgorithm_t algorithm,
                                   cudnnSoftmaxMode_t mode, const void* alpha,
                                   const cudnnTensorDescriptor_t shape, const void* y,
                                   const cudnnTensorDescriptor_t, const void* dy, const void* beta,
                                   const cudnnTensorDescriptor_t, void* dx) {
  if (!is_log_softmax(algorithm, mode)) return CUDNN_STATUS_NOT_SUPPORTED;
  return queue("cudnnSoftmaxBackward", handle, *shape, {{"y", y}, {"dy", dy}}, dx, alpha, beta,
               [=, shape = *shape] {
                 for (std::int64_t row = 0; row < shape.rows; ++row) {
                   const auto* logs = static_cast<const float*>(y) + row * shape.cols;
                   const auto* gradient = static_cast<const float*>(dy) + row * shape.cols;
                   auto* out = static_cast<float*>(dx) + row * shape.cols;
                   double sum = 0;
                   for (std::int64_t c = 0; c < shape.cols; ++c) sum += gradient[c];
                   for (std::int64_t c = 0; c < shape.cols; ++c) {
                     out[c] = static_cast<float>(gradient[c] - std::exp(double{logs[c]}) * sum);
                   }
                 }
               });
}
