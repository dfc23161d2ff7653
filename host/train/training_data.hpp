// The sets of samples of a run, and how they get to the device.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/network_plan.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/stream/stream_plan.hpp"
#include "host/stream/subset.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

struct TrainingData {
  Subset training;
  std::optional<Subset> validation;
  Subset test;
};

/// The batch size for a set, which may have fewer samples than the options ask for.
std::int64_t batch_rows(const TrainOptions& options, const Subset& samples);

/// The largest batch size of all sets.
std::int64_t max_batch_size(const TrainOptions& options, const TrainingData& data);

/// Errors: UsageError if a batch of the samples of an epoch is too small to be normalized.
void check_batches(const NetworkPlan& plan, std::int64_t samples, std::int64_t batch_size);

/// How the training set, the test set and the validation set, if there is one, get to the device. Where not
/// all can stay there, the first do.
std::vector<StreamPlan> plan_data(const Backend& backend, const TrainOptions& options,
                                  const TrainingData& data);

}  // namespace warpfit
