// Convolutions of images (NHWC) with oneDNN (https://oneapi-src.github.io/oneDNN), versions 2 and 3. With
// channels last its convolutions of 32 and more channels were as fast in our measurements as with oneDNN's
// own blocked formats, and all other operations are simpler.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "host/backend/operation.hpp"
#include "host/backend/views.hpp"

namespace warpfit::cpu {

/// Throws the error of a oneDNN status, with the shapes: OutOfMemory; DeviceError if oneDNN has no
/// implementation; otherwise InternalError. `what` was being computed.
[[noreturn]] void fail_convolution(int status, std::string_view what, const ConvOperation& operation,
                                   std::int64_t rows);

/// Convolutions of batches of one size on the calling thread; always call and destroy it on the same thread.
/// Errors: those of fail_convolution(), usually at the first call of each function.
class Convolution {
 public:
  /// Which gradients are computed besides the result.
  struct Gradients {
    bool input = false, weights = false;
  };
  /// Bytes that the functions together allocate for weights and their gradient in oneDNN's format. Takes less
  /// than a millisecond: no kernel is generated. Errors: those of fail_convolution().
  [[nodiscard]] static std::uint64_t copied_bytes(const ConvOperation& operation, std::int64_t rows,
                                                  Gradients gradients);

  Convolution(const ConvOperation& operation, std::int64_t rows);
  ~Convolution();
  Convolution(const Convolution&) = delete;
  Convolution& operator=(const Convolution&) = delete;

  /// y = convolution of x with w, plus b, without activation. w and b as in ConvOperation; b is unused if the
  /// operation has no bias.
  void forward(const float* x, const float* w, const float* b, float* y);
  void backward_input(const float* dy, const float* w, float* dx);
  /// db is unused if the operation has no bias.
  void backward_weights(const float* x, const float* dy, float* dw, float* db);

 private:
  struct Engine;
  struct Pass;
  template <class Make>
  Pass& prepared(std::unique_ptr<Pass>& pass, const char* what, const Make& make);
  void run(Pass& pass, const char* what, const float* weights);

  ConvOperation operation_;
  std::int64_t rows_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Pass> forward_, backward_input_, backward_weights_;
};

}  // namespace warpfit::cpu
