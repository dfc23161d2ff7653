// The values with which the network of a run begins.
#pragma once

#include "host/base/torch_random.hpp"
#include "host/model/model_file.hpp"
#include "host/model/network.hpp"
#include "host/run/run_options.hpp"
#include "host/stream/subset.hpp"

namespace warpfit {

/// Random values, drawn from `generator`, and those of the model to start from, if there is one. The values
/// of a checkpoint are loaded later with the rest of it: a run that `resumes` gets zeros here. Errors: those
/// of reading the model.
NetworkValues first_values(const RunOptions& options, const ModelInfo& model, const NetworkPlan& plan,
                           const Subset& training_set, TorchGenerator& generator, bool resumes);

}  // namespace warpfit
