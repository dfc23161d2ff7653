// The data sets of a run, and how their samples are brought to the device.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "host/backend/backend.hpp"
#include "host/model/network_plan.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/stream/stream_plan.hpp"
#include "host/stream/subset.hpp"
#include "host/train/batch_share.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

struct TrainingData {
  Subset training;
  std::optional<Subset> validation;
  Subset test;
};

/// The batch size for a set, which is smaller if the set has fewer samples than the batch size of the
/// options.
std::int64_t batch_rows(const TrainOptions& options, const Subset& samples);

/// The largest batch size of all sets.
std::int64_t max_batch_size(const TrainOptions& options, const TrainingData& data);

/// The sizes of the batches that steps are prepared for: for each set the batch size, and the size of a
/// smaller last batch; of training batches, this rank's parts.
struct BatchSizes {
  std::vector<std::int64_t> training;
  std::vector<std::int64_t> evaluation;  ///< of the test set and of the validation set, if any
};
BatchSizes batch_sizes(const TrainOptions& options, const TrainingData& data, const BatchShare& share);

/// The options without the fused update if gradients are summed over ranks, and without synchronized batch
/// normalization if they are not.
TrainOptions fitting(TrainOptions options, const BatchShare& share);

/// Errors: UsageError if a batch of an epoch of so many samples, or a rank's part of it, is too small to be
/// normalized; or with ordered sums and batch normalization. `ranks`: the number of ranks that normalize
/// their parts of a batch separately.
void check_batches(const NetworkPlan& plan, std::int64_t samples, std::int64_t batch_size, int ranks,
                   bool ordered_sums);

/// What is done with the samples before they reach the network, in training and in evaluation.
PixelTransform training_input(const NetworkPlan& plan, const TrainOptions& options);
PixelTransform evaluation_input(const NetworkPlan& plan, const TrainOptions& options);

/// How the samples of the training set, the test set and the validation set, if any, are brought to the
/// device. If not all sets fit in device memory, the first ones are resident.
std::vector<StreamPlan> plan_data(Backend& backend, const TrainOptions& options, const TrainingData& data,
                                  const BatchShare& share);

}  // namespace warpfit
