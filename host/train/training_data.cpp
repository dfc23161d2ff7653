#include "host/train/training_data.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "host/base/error.hpp"
#include "host/parallel/agreement.hpp"

namespace warpfit {

std::int64_t batch_rows(const TrainOptions& options, const Subset& samples) {
  return std::min(options.batch_size, samples.size());
}

std::int64_t max_batch_size(const TrainOptions& options, const TrainingData& data) {
  return std::max({batch_rows(options, data.training), batch_rows(options, data.test),
                   data.validation ? batch_rows(options, *data.validation) : 0});
}

BatchSizes batch_sizes(const TrainOptions& options, const TrainingData& data, const BatchShare& share) {
  BatchSizes sizes;
  const auto add = [&options](const Subset& samples, const auto& use) {
    const auto rows = batch_rows(options, samples);
    use(rows);
    if (samples.size() % rows != 0) use(samples.size() % rows);
  };
  const auto evaluate = [&](std::int64_t rows) { sizes.evaluation.push_back(rows); };
  add(data.training, [&](std::int64_t rows) {
    for (int part = 0; part < share.parts(); ++part) {
      const auto own = share.part(rows, part).count;
      if (std::ranges::find(sizes.training, own) == sizes.training.end()) sizes.training.push_back(own);
    }
  });
  add(data.test, evaluate);
  if (data.validation) add(*data.validation, evaluate);
  return sizes;
}

TrainOptions fitting(TrainOptions options, const BatchShare& share) {
  options.fuse_update = options.fuse_update && share.is_everything();
  options.sync_batch_norm = options.sync_batch_norm && !share.is_everything();
  return options;
}

namespace {

bool is_normalization(const NetworkPlan& plan, const Node& node) {
  return node.tensors > 0 && plan.tensors[node.first_tensor].role == TensorRole::kNormWeight;
}

}  // namespace

void check_batches(const NetworkPlan& plan, std::int64_t samples, std::int64_t batch_size, int ranks,
                   bool ordered_sums) {
  bool has_any = false, has_vectors = false;
  for (const auto& node : plan.nodes) {
    has_any = has_any || is_normalization(plan, node);
    has_vectors = has_vectors || (is_normalization(plan, node) && node.in.is_vector());
  }
  if (has_any && ordered_sums) {
    throw UsageError(
        "--reduce ordered: the network has batch normalization, whose statistics depend on the number of "
        "processes");
  }
  const auto is_single = [&](std::int64_t rows) { return rows > 0 && rows / ranks <= 1; };
  const auto last = samples % batch_size;
  if (!has_vectors || (!is_single(batch_size) && !is_single(last))) return;
  if (ranks > 1) {
    throw UsageError(fmt::format(
        "--batch-size {}: a process gets one sample of {}, but batch normalization of vectors needs "
        "two or more in training; --sync-batchnorm normalizes the samples of all processes together",
        batch_size, is_single(batch_size) ? "a batch" : fmt::format("the last batch of {}", last)));
  }
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

namespace {

// All ranks train the same batches between two collective calls, so their chunks must have the same batches,
// although a batch has different numbers of rows for them.
void agree_on_chunks(Communicator& communicator, StreamPlan& plan, std::int64_t rows) {
  if (communicator.is_alone() || plan.resident) return;
  constexpr auto kAny = std::numeric_limits<std::int64_t>::max();
  auto batches = rows == 0 ? kAny : plan.chunk_samples / rows;
  for (const auto other : gather_values(communicator, batches)) batches = std::min(batches, other);
  plan.chunk_samples = batches * std::max<std::int64_t>(1, rows);
}

}  // namespace

std::vector<StreamPlan> plan_data(Backend& backend, const TrainOptions& options, const TrainingData& data,
                                  const BatchShare& share) {
  auto& communicator = backend.communicator();
  std::vector<StreamRequest> sets;
  const auto rows = share.rows(batch_rows(options, data.training)).count;
  sets.push_back(request_for(data.training, std::max<std::int64_t>(1, rows)));
  const auto evaluate = [&](const Subset& samples) {
    const auto batch = batch_rows(options, samples);
    auto set = request_for(evaluated_part(communicator, samples, batch), batch);
    set.samples = std::max<std::int64_t>(1, set.samples);  // a rank may have none
    sets.push_back(set);
  };
  evaluate(data.test);
  if (data.validation) evaluate(*data.validation);
  auto plans = plan_streams(backend, sets, options.residency, options.device_memory_limit);
  if (any_rank(communicator, !plans.front().resident) && plans.front().resident)
    plans = plan_streams(backend, sets, Residency::kStream, options.device_memory_limit);
  agree_on_chunks(communicator, plans.front(), rows);
  return plans;
}

}  // namespace warpfit
