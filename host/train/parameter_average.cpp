#include "host/train/parameter_average.hpp"

#include <vector>

#include "host/base/error.hpp"

namespace warpfit {
namespace {

void run_once(RecordedStep& step) {
  BatchRun run;
  run.batches = 1;
  step.run(run);
}

}  // namespace

ParameterAverage::ParameterAverage(Backend& backend, Network& network, const TrainOptions& options)
    : backend_(backend), network_(network), decay_(options.ema), swa_start_(options.swa_start) {
  if (decay_ == 0 && swa_start_ == 0) return;
  averages_ = {backend, std::vector<float>(network.plan().floats)};
  progress_ = {backend, std::vector<AverageProgress>(1)};
  add_ = backend.record([this] { add(); });
  swap_ = backend.record([this] { backend_.swap(network_.parameters().view(), averages_.view()); });
}

void ParameterAverage::add() const {
  backend_.average(decay_, network_.parameters().view(), averages_.view(), progress_.data());
}

void ParameterAverage::epoch_ended(std::int64_t epoch) {
  if (swa_start_ > 0 && epoch >= swa_start_) run_once(*add_);
}

std::int64_t ParameterAverage::models() const {
  return progress_.size() == 0 ? 0 : progress_.to_host().front().models;
}

void ParameterAverage::put_in_place() {
  is_in_place_ = models() > 0;
  if (is_in_place_) run_once(*swap_);
}

void ParameterAverage::take_back() {
  if (is_in_place_) run_once(*swap_);
  is_in_place_ = false;
}

void ParameterAverage::save(TrainingState& state) const {
  state.averages = averages_.to_host();
  state.averaged_models = models();
}

void ParameterAverage::restore(const TrainingState& state) {
  if (state.averages.size() != averages_.size())
    throw ModelError(
        "checkpoint of a run with another --ema or --swa-start: expected averages in both or in neither");
  averages_.upload(state.averages);
  if (progress_.size() > 0) progress_.upload(std::vector{AverageProgress{.models = state.averaged_models}});
}

}  // namespace warpfit
