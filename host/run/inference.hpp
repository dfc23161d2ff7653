// Samples put through a model.
#pragma once

#include <optional>
#include <string>

#include "host/backend/backend_options.hpp"
#include "host/model/model_file.hpp"
#include "host/train/predictor.hpp"

namespace warpfit {

/// A model, and the samples to put through it.
struct Inference {
  std::string path;  ///< of the model
  const Model& model;
  const Dataset& samples;
  std::int64_t batch_size = 0;
  std::optional<Loss> loss;  ///< to be measured along the way
};

/// Logs the notes and warnings of load_model().
void log_notes(const Model& model);

/// Makes the device and goes over all samples once.
/// Errors: UsageError where the samples are not of the network's size; ModelError where a logit is no finite
/// number; those of make_backend.
Metrics run_inference(const Inference& inference, const BackendOptions& device, const Predictor::Take& take);

}  // namespace warpfit
