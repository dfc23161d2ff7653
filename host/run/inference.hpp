// Runs a model on a set of samples.
#pragma once

#include <optional>
#include <string>

#include "host/backend/backend_options.hpp"
#include "host/model/model_file.hpp"
#include "host/run/input.hpp"
#include "host/train/predictor.hpp"

namespace warpfit {

/// A model and the samples to evaluate it on.
struct Inference {
  std::string path;  ///< path of the model
  const Model& model;
  const Dataset& samples;
  std::int64_t batch_size = 0;
  std::optional<Loss> loss;  ///< to measure during the pass, if any
  TestViewOptions views = {};
};

/// Logs the notes and warnings of load_model().
void log_notes(const Model& model);

/// Creates the device and makes one pass over all samples.
/// Errors: UsageError if the size of the samples does not match the network; ModelError if a logit is not
/// finite; those of make_backend.
Metrics run_inference(const Inference& inference, const BackendOptions& device, const Predictor::Take& take);

}  // namespace warpfit
