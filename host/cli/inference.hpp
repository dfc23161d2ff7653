// What the commands have in common that put samples through a model.
#pragma once

#include <optional>
#include <string>

#include "host/backend/make_backend.hpp"
#include "host/cli/commands.hpp"
#include "host/model/model_file.hpp"
#include "host/train/predictor.hpp"

namespace warpfit {

/// What the flags ask for; warnings go to the log. Errors: those of parse_device.
BackendOptions backend_options(const DeviceFlags& device);

/// A model, and the samples to put through it.
struct Inference {
  std::string path;  ///< of the model
  const Model& model;
  const Dataset& samples;
  std::int64_t batch_size = 0;
  std::optional<Loss> loss;  ///< to be measured along the way
};

/// Makes the device and goes over all samples once.
/// Errors: UsageError where the samples are not of the network's size; ModelError where a logit is no finite
/// number; those of make_backend.
Metrics run_inference(const Inference& inference, const BackendOptions& device, const Predictor::Take& take);

}  // namespace warpfit
