// Measures where training spends its time: the phases of a step, and the path of the samples to the device.
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
  std::int64_t steps = 300;  ///< per measurement; fewer if the data set has fewer whole batches
  std::int64_t repeats = 5;  ///< measurements of each quantity, after one for warm-up
  bool shuffle = false;
  std::uint64_t seed = 0;
  double learning_rate = 1e-3;
  Optimizer optimizer = Sgd{};              ///< with Muon, for the parameters that Muon does not update
  std::optional<Muon> muon = std::nullopt;  ///< updates the weight matrices
  Engine engine = Engine::kLayers;          ///< for whole steps; phases are measured with the layers engine
};

class Benchmark {
 public:
  /// All references must outlive it. The network is trained by the measurements.
  /// Errors: UsageError if the fused engine was requested and is not supported; errors of the data and the
  /// device.
  Benchmark(Backend& backend, const Network& network, const Dataset& samples,
            const BenchmarkOptions& options);

  /// The name of the engine as returned by chosen_engine().
  [[nodiscard]] const std::string& engine() const { return engine_; }

  /// Measures all quantities in turn, round after round, so that a temporary slowdown of the machine affects
  /// all of them. The caller fills in the names of the device and the optimizer.
  /// Errors: those of the data and the device.
  BenchmarkFindings run();

 private:
  struct Round;

  [[nodiscard]] Round measure(std::int64_t number);
  void measure_phases(Round& round);
  [[nodiscard]] double stream(const Subset& part, bool trains);
  [[nodiscard]] double copy();
  [[nodiscard]] TrainingRule rule() const;
  [[nodiscard]] Subset part(std::int64_t number) const;
  /// Runs `steps` steps of whole batches, beginning with step `first`.
  void run(StepRunner& runner, const SampleView& samples, std::int64_t first, std::int64_t steps);
  [[nodiscard]] double seconds_of(const std::function<void()>& work) const;

  Backend& backend_;
  const Network& network_;
  const Dataset& samples_;
  BenchmarkOptions options_;
  std::int64_t count_;  // of samples per measurement
  bool fuses_update_;
  ParameterGroups groups_;
  OptimizerState optimizer_;
  Workspace workspace_;
  std::vector<std::unique_ptr<StepRunner>> phase_runners_;  // runners up to each phase
  std::vector<std::uint32_t> order_;                        // of all samples if they are shuffled
  StepRunner training_;                                     // for whole steps
  std::string engine_;                                      // of training_
  BatchStream resident_;
  SampleView kept_;  // all samples, resident on the device
};

}  // namespace warpfit
