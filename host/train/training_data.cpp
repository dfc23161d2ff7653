#include "host/train/training_data.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "host/base/error.hpp"

namespace warpfit {

std::int64_t batch_rows(const TrainOptions& options, const Subset& samples) {
  return std::min(options.batch_size, samples.size());
}

std::int64_t max_batch_size(const TrainOptions& options, const TrainingData& data) {
  return std::max({batch_rows(options, data.training), batch_rows(options, data.test),
                   data.validation ? batch_rows(options, *data.validation) : 0});
}

BatchSizes batch_sizes(const TrainOptions& options, const TrainingData& data) {
  BatchSizes sizes;
  const auto add = [&options](std::vector<std::int64_t>& to, const Subset& samples) {
    const auto rows = batch_rows(options, samples);
    to.push_back(rows);
    if (samples.size() % rows != 0) to.push_back(samples.size() % rows);
  };
  add(sizes.training, data.training);
  add(sizes.evaluation, data.test);
  if (data.validation) add(sizes.evaluation, *data.validation);
  return sizes;
}

void check_batches(const NetworkPlan& plan, std::int64_t samples, std::int64_t batch_size) {
  const auto normalizes_vectors = [&plan](const Node& node) {
    return node.in.is_vector() && node.tensors > 0 &&
           plan.tensors[node.first_tensor].role == TensorRole::kNormWeight;
  };
  const bool has_single = batch_size == 1 || samples % batch_size == 1;
  if (!has_single || std::ranges::none_of(plan.nodes, normalizes_vectors)) return;
  throw UsageError(fmt::format(
      "--batch-size {}: {}, but batch normalization of vectors needs two or more in training", batch_size,
      batch_size == 1 ? "each batch has one sample"
                      : fmt::format("the last batch of {} samples has one sample", samples)));
}

PixelTransform evaluation_input(const NetworkPlan& plan, const TrainOptions& options) {
  return {.image = image_of(plan.sample), .normalization = options.normalization};
}

PixelTransform training_input(const NetworkPlan& plan, const TrainOptions& options) {
  auto input = evaluation_input(plan, options);
  input.augmentation = options.augmentation;
  input.augmentation.seed = options.seed;
  return input;
}

std::vector<StreamPlan> plan_data(const Backend& backend, const TrainOptions& options,
                                  const TrainingData& data) {
  std::vector<StreamRequest> sets;
  const auto add = [&](const Subset& samples) {
    sets.push_back(request_for(samples, batch_rows(options, samples)));
  };
  add(data.training);
  add(data.test);
  if (data.validation) add(*data.validation);
  return plan_streams(backend, sets, options.residency, options.device_memory_limit);
}

}  // namespace warpfit
