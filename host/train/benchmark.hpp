// Where the time of training goes: a step's phases, and the ways of the samples to the device.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "host/report/benchmark.hpp"
#include "host/stream/batch_stream.hpp"
#include "host/train/engine.hpp"

namespace warpfit {

struct BenchmarkOptions {
  std::int64_t batch_size = 64;
  std::int64_t steps = 300;  ///< in a measurement, fewer where the set has fewer whole batches
  std::int64_t repeats = 5;  ///< measurements of each, after one that does not count
  bool shuffle = false;
  std::uint64_t seed = 0;
  double learning_rate = 1e-3;
  Optimizer optimizer = Sgd{};              ///< with Muon, for the parameters that Muon does not update
  std::optional<Muon> muon = std::nullopt;  ///< updates the weights that are matrices
  Engine engine = Engine::kLayers;          ///< of whole steps; phases are those of the layers
};

class Benchmark {
 public:
  /// All references must outlive it. The network is trained along the way.
  /// Errors: UsageError where the engine must be fused and cannot be; what data and device throw.
  Benchmark(Backend& backend, const Network& network, const Dataset& samples,
            const BenchmarkOptions& options);

  /// As chosen_engine() says it.
  [[nodiscard]] const std::string& engine() const { return engine_; }

  /// Measures everything in turn, round after round, so that what slows the machine down for a while slows
  /// down all of it. Names of device and optimizer are left to the caller.
  /// Errors: what data and device throw.
  BenchmarkFindings run();

 private:
  struct Round;

  [[nodiscard]] Round measure(std::int64_t number);
  void measure_phases(Round& round);
  [[nodiscard]] double stream(const Subset& part, bool trains);
  [[nodiscard]] double copy();
  [[nodiscard]] TrainingRule rule() const;
  [[nodiscard]] Subset part(std::int64_t number) const;
  /// These steps of whole batches, from the one of this number on.
  void run(StepRunner& runner, const SampleView& samples, std::int64_t first, std::int64_t steps);
  [[nodiscard]] double seconds_of(const std::function<void()>& work) const;

  Backend& backend_;
  const Network& network_;
  const Dataset& samples_;
  BenchmarkOptions options_;
  std::int64_t count_;  // of samples in a measurement
  bool fuses_update_;
  ParameterGroups groups_;
  OptimizerState optimizer_;
  Workspace workspace_;
  std::vector<std::unique_ptr<StepRunner>> until_;  // each phase
  std::vector<std::uint32_t> order_;                // of all samples where they are shuffled
  StepRunner training_;                             // of whole steps
  std::string engine_;                              // which runs them
  BatchStream resident_;
  SampleView kept_;  // all of them
};

}  // namespace warpfit
