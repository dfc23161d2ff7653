// What a trainer gives to checkpoints and models, and takes from them.
#include <fmt/core.h>

#include "host/base/error.hpp"
#include "host/base/finite.hpp"
#include "host/train/trainer.hpp"

namespace warpfit {

TrainingState Trainer::state() const {
  TrainingState state{.epoch = epoch_,
                      .batch = batch_,
                      .step = step(),
                      .generator = epochs_generator_,
                      .metrics = batch_ > 0 ? checked_metrics() : Metrics{},
                      .best = best_,
                      .parameters = finite_parameters(),
                      .optimizer = {}};
  state.metrics.losses = nullptr;  // they are in device memory
  training_.save(state);
  state.network = network_state();
  return state;
}

std::vector<float> Trainer::parameters() {
  training_.average().put_in_place();
  auto parameters = finite_parameters();
  training_.average().take_back();
  return parameters;
}

std::vector<float> Trainer::finite(const Buffer<float>& values, std::string_view what) const {
  auto copy = values.to_host();
  if (!all_finite(copy)) fail_diverged(fmt::format("step {}: a {}", step(), what));
  return copy;
}

void Trainer::restore(const TrainingState& state) {
  if (state.parameters.size() != network_.parameters().size() ||
      state.network.size() != network_.state().size() || state.batch > batches_per_epoch() ||
      state.step != (state.epoch - 1) * batches_per_epoch() + state.batch ||
      state.metrics.batches != state.batch) {
    throw ModelError(
        fmt::format("checkpoint of {} parameters at epoch {}, batch {}, step {}: expected {} parameters and "
                    "{} batches an epoch",
                    state.parameters.size(), state.epoch, state.batch, state.step,
                    network_.parameters().size(), batches_per_epoch()));
  }
  network_.upload(state.parameters, state.network);
  training_.restore(state);
  generator_ = epochs_generator_ = state.generator;
  best_ = state.best;
  epoch_ = state.epoch;
  batch_ = state.batch;
}

}  // namespace warpfit
