// Activations: functions of each value by itself, which follow a layer. One formula for all devices.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define WARPFIT_HOST_DEVICE __host__ __device__
#else
#define WARPFIT_HOST_DEVICE
#endif

namespace warpfit {

enum class ActivationKind : std::uint8_t { kNone, kRelu };

struct Activation {
  ActivationKind kind = ActivationKind::kRelu;

  friend bool operator==(const Activation&, const Activation&) = default;
};

// Each kind is a struct of its value and its derivative at x.

/// nn.ReLU. A NaN stays one.
struct ReluFunction {
  WARPFIT_HOST_DEVICE float value(float x) const { return x < 0.0F ? 0.0F : x; }
  WARPFIT_HOST_DEVICE float derivative(float x) const { return x > 0.0F ? 1.0F : 0.0F; }
};

/// Calls use(function) with the function of the activation, which must not be kNone.
template <class Use>
void with_function(const Activation& /*activation*/, const Use& use) {
  use(ReluFunction{});
}

}  // namespace warpfit
