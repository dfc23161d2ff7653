// Convolutions by cuDNN on a stream. This header does not include cuDNN's: without it, the program is built
// with dnn_graph_absent.cpp, whose DnnHandle says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cuda/runtime/stream.hpp"
#include "host/backend/backend.hpp"
#include "host/backend/operation.hpp"

struct cudnnContext;

namespace warpfit {

struct DnnGraphLibrary;
struct DnnWorkspace;

/// cuDNN, started on a stream.
class DnnHandle {
 public:
  /// Loads cuDNN. Work is queued on `stream`. `fast`: convolutions may use engines whose results differ from
  /// run to run, and those that round more than a sum of products does (Winograd, FFT). Errors: DeviceError
  /// if cuDNN cannot be loaded or started; OutOfMemory.
  explicit DnnHandle(const Stream& stream, bool fast = false);
  DnnHandle(const DnnHandle&) = delete;
  DnnHandle& operator=(const DnnHandle&) = delete;
  ~DnnHandle();

  /// "cuDNN 9.19.0"
  [[nodiscard]] std::string version() const;

  // For the classes that call cuDNN.
  [[nodiscard]] const DnnGraphLibrary& library() const { return *library_; }
  [[nodiscard]] cudnnContext* get() const { return handle_; }
  [[nodiscard]] bool is_fast() const { return is_fast_; }
  /// Errors: DeviceError or OutOfMemory if `status`, a cudnnStatus_t, is not success, with what was being
  /// done and cuDNN's description of the error.
  void check(int status, const std::string& doing) const;
  /// Device memory of at least `bytes` bytes for a plan, which holds the result as long as it may run. Plans
  /// of a handle run one after another, on one stream, and share it. A plan that needs more gets a new block,
  /// which later plans share; earlier ones keep theirs, whose address may be part of a CUDA graph. Errors:
  /// OutOfMemory.
  [[nodiscard]] std::shared_ptr<const DnnWorkspace> workspace(std::size_t bytes) const;

 private:
  std::unique_ptr<const DnnGraphLibrary> library_;
  cudnnContext* handle_ = nullptr;
  bool is_fast_ = false;
  mutable std::weak_ptr<const DnnWorkspace> workspace_;  // the newest block
};

enum class ConvPass { kForward, kInputGradient, kWeightGradient };

/// One pass of a convolution for batches of one size. Images are (rows, height, width, channels); weights are
/// (out_channels, rows.size, columns.size, in.channels / groups). Neither bias nor activation is computed.
class DnnConv {
 public:
  /// Chooses a deterministic kernel that keeps to the precision: with kFp32, products and sums are fp32; with
  /// kTf32, inputs may be rounded to TF32; with kBf16, to 16 bits. Its workspace has at most 1 GiB.
  /// `dnn` must outlive it. Not during capture. Errors: DeviceError, also if there is no such kernel;
  /// OutOfMemory.
  DnnConv(const DnnHandle& dnn, ConvPass pass, const ConvOperation& operation, std::int64_t rows,
          Precision precision);
  DnnConv(DnnConv&&) noexcept;
  DnnConv& operator=(DnnConv&&) noexcept;
  ~DnnConv();

  /// Queues the pass:
  ///
  ///     pass             a    b    result
  ///     kForward         x    w    y
  ///     kInputGradient   dy   w    dx
  ///     kWeightGradient  x    dy   dw
  ///
  /// The memory is aligned to 16 bytes; the result overlaps no operand. Neither allocates device memory nor
  /// waits. May be captured, but not the first run, in which cuDNN may load its kernels. Errors: DeviceError.
  void run(const float* a, const float* b, float* result);

  [[nodiscard]] std::size_t workspace_bytes() const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace warpfit
