// A row-major matrix is the transpose of the same memory in column-major order, so each product is computed
// as the transpose of the one in the header.
#include "cuda/runtime/blas.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kWorkspaceBytes = std::size_t{32} << 20;  // the default of cuBLAS on Hopper
constexpr float kOne = 1.0F;
constexpr float kZero = 0.0F;

cublasComputeType_t compute_type(Precision precision) {
  switch (precision) {
    case Precision::kTf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Precision::kBf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    case Precision::kFp32:
      break;
  }
  return CUBLAS_COMPUTE_32F;
}

}  // namespace

Blas::Blas(const Stream& stream, Precision precision)
    : library_(load_blas_library()), workspace_(kWorkspaceBytes), compute_(compute_type(precision)) {
  check(library_.create(&handle_), "starting cuBLAS");
  try {
    check(library_.set_stream(handle_, stream.get()), "setting the stream of cuBLAS");
    check(library_.set_workspace(handle_, workspace_.data(), kWorkspaceBytes),
          "setting the workspace of cuBLAS");
  } catch (...) {
    library_.destroy(handle_);
    throw;
  }
}

Blas::~Blas() { library_.destroy(handle_); }

void Blas::check(cublasStatus_t status, const char* doing) const {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const auto text = fmt::format("{}: {} (cuBLAS)", doing, library_.get_status_string(status));
  if (status == CUBLAS_STATUS_ALLOC_FAILED) throw OutOfMemory(text);
  throw DeviceError(text);
}

void Blas::multiply(std::int64_t rows, std::int64_t cols, std::int64_t inner, Operand a, Operand b, float* c,
                    const float* alpha, const float* beta, cublasPointerMode_t scalars) {
  check(library_.set_pointer_mode(handle_, scalars), "multiplying matrices");
  const auto narrow = [](std::int64_t size) { return static_cast<int>(size); };
  check(library_.gemm_ex(handle_, a.operation, b.operation, narrow(rows), narrow(cols), narrow(inner), alpha,
                         a.data, CUDA_R_32F, narrow(a.leading), b.data, CUDA_R_32F, narrow(b.leading), beta,
                         c, CUDA_R_32F, narrow(rows), compute_, CUBLAS_GEMM_DEFAULT),
        "multiplying matrices");
}

void Blas::forward(ConstMatrix x, ConstMatrix w, Matrix y) {
  multiply(w.rows, x.rows, x.cols, {w.data, CUBLAS_OP_T, w.cols}, {x.data, CUBLAS_OP_N, x.cols}, y.data,
           &kOne, &kZero, CUBLAS_POINTER_MODE_HOST);
}

void Blas::backward_input(ConstMatrix dy, ConstMatrix w, Matrix dx) {
  multiply(w.cols, dy.rows, w.rows, {w.data, CUBLAS_OP_N, w.cols}, {dy.data, CUBLAS_OP_N, dy.cols}, dx.data,
           &kOne, &kZero, CUBLAS_POINTER_MODE_HOST);
}

void Blas::backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw) {
  multiply(x.cols, dy.cols, x.rows, {x.data, CUBLAS_OP_N, x.cols}, {dy.data, CUBLAS_OP_T, dy.cols}, dw.data,
           &kOne, &kZero, CUBLAS_POINTER_MODE_HOST);
}

void Blas::accumulate_weights(ConstMatrix x, ConstMatrix dy, const float* scale, const float* one, Matrix w) {
  multiply(x.cols, dy.cols, x.rows, {x.data, CUBLAS_OP_N, x.cols}, {dy.data, CUBLAS_OP_T, dy.cols}, w.data,
           scale, one, CUBLAS_POINTER_MODE_DEVICE);
}

}  // namespace warpfit
