#include "host/train/training_data.hpp"

#include <algorithm>

namespace warpfit {

std::int64_t batch_rows(const TrainOptions& options, const Subset& samples) {
  return std::min(options.batch_size, samples.size());
}

std::int64_t max_batch_size(const TrainOptions& options, const TrainingData& data) {
  return std::max({batch_rows(options, data.training), batch_rows(options, data.test),
                   data.validation ? batch_rows(options, *data.validation) : 0});
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
