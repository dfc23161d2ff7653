// The phases of a step of the persistent trainer, and whether this build measures them. Measuring takes about
// a dozen clock reads per step, so it is enabled only with -DWARPFIT_FUSED_PHASES=ON.
#pragma once

#include <array>
#include <cstddef>

namespace warpfit::cuda {

#ifdef WARPFIT_FUSED_PHASES
constexpr bool kMeasuresPhases = true;
#else
constexpr bool kMeasuresPhases = false;
#endif

/// In the order of a step. For networks with several hidden layers, a phase includes all of them.
enum class FusedPhase {
  kPixels,           ///< load the batch
  kFirstLayer,       ///< forward, from pixels
  kHiddenWait,       ///< barrier before each other hidden layer
  kHiddenLayers,     ///< gather its inputs; forward
  kPartLogits,       ///< own terms of the logits
  kNextWeights,      ///< load columns of the next layers' weights
  kLogitsWait,       ///< barrier: all terms of the logits are available
  kLoss,             ///< logits, loss and gradient of own rows
  kLossWait,         ///< barrier: all gradients of the logits are available
  kTopGradients,     ///< gather them; gradients of the last hidden layer
  kUpdates,          ///< of the weights after the first layer
  kGradientsWait,    ///< barrier before each other hidden layer's gradients
  kHiddenGradients,  ///< gather the next layer's; gradients
  kFirstUpdate,      ///< of the first layer's weights
  kCount
};
constexpr std::size_t kFusedPhases = static_cast<std::size_t>(FusedPhase::kCount);

constexpr std::array<const char*, kFusedPhases> kFusedPhaseNames{"load pixels",
                                                                 "first layer",
                                                                 "wait: hidden values",
                                                                 "hidden layers",
                                                                 "logit terms",
                                                                 "next weights",
                                                                 "wait: logit terms",
                                                                 "loss",
                                                                 "wait: loss gradients",
                                                                 "top gradients",
                                                                 "updates",
                                                                 "wait: hidden gradients",
                                                                 "hidden gradients",
                                                                 "first layer's update"};

}  // namespace warpfit::cuda
