#include "host/train/benchmark.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "host/train/parameter_groups.hpp"
#include "host/train/step_work.hpp"
#include "host/train/training_data.hpp"

namespace warpfit {
namespace {

constexpr std::array<const char*, kPhases> kNames{"load", "forward", "loss", "backward", "update"};
constexpr std::size_t kCopyBytes = std::size_t{32} << 20;
constexpr int kCopies = 4;

// The number of samples of a measurement: whole batches only.
std::int64_t samples_for(const BenchmarkOptions& options, const Dataset& samples) {
  return std::min(options.steps, samples.size() / options.batch_size) * options.batch_size;
}

BenchmarkOptions fitting(BenchmarkOptions options, const Dataset& samples) {
  options.batch_size = std::min(options.batch_size, samples.size());
  options.steps = samples_for(options, samples) / options.batch_size;
  return options;
}

std::vector<std::uint32_t> shuffled(const BenchmarkOptions& options, std::int64_t size) {
  if (!options.shuffle) return {};
  TorchGenerator generator(options.seed);
  const auto order = SampleOrder::of_pass(size, true, generator);
  const auto indices = order.indices(0, size);
  return {indices.begin(), indices.end()};
}

}  // namespace

// Times of one round of measurements, in seconds.
struct Benchmark::Round {
  std::array<double, kPhases> up_to_phase{};
  double data = 0, compute = 0, both = 0, copy = 0;
};

Benchmark::Benchmark(Backend& backend, const Network& network, const Dataset& samples,
                     const BenchmarkOptions& options)
    : backend_(backend),
      network_(network),
      samples_(samples),
      options_(fitting(options, samples)),
      count_(samples_for(options_, samples)),
      fuses_update_(is_plain_sgd(options.optimizer) && !options.muon),
      groups_(parameter_groups(network.plan(), {.optimizer = options.optimizer, .muon = options.muon})),
      optimizer_(backend, groups_, network.plan().floats),
      workspace_(backend, network,
                 {.max_batch_size = options_.batch_size, .keeps_gradients = !fuses_update_}),
      order_(shuffled(options_, samples.size())),
      training_(backend, workspace_, Loss{},
                [this, rule = rule()](const Batch& batch, Metrics* metrics) {
                  train_step(backend_, network_, batch, rule, metrics);
                }),
      resident_(backend, part(0),
                plan_single_set(backend, part(0), options_.batch_size, Residency::kResident)) {
  check_batches(network.plan(), options_.batch_size, options_.batch_size, 1,
                false);  // it measures full batches
  for (std::size_t phase = 0; phase < kPhases; ++phase) {
    phase_runners_.push_back(std::make_unique<StepRunner>(
        backend, workspace_, Loss{}, [this, rule = rule(), phase](const Batch& batch, Metrics* metrics) {
          train_step(backend_, network_, batch, rule, metrics, static_cast<Phase>(phase));
        }));
  }
  engine_ = chosen_engine(options.engine, [this](std::string& reason) {
    return training_.compile(training_plan(network_, workspace_, rule()), reason);
  });
  for (int pass = 0; pass < 2; ++pass) {  // the first pass copies them to the device
    resident_.start({});
    while (const auto chunk = resident_.next()) kept_ = chunk->samples();
  }
}

TrainingRule Benchmark::rule() const {
  TrainingRule rule;
  rule.optimizer = fuses_update_ ? nullptr : &optimizer_;
  return rule;
}

// Each round uses other samples as long as there are any, because those of the previous round may still be
// cached.
Subset Benchmark::part(std::int64_t number) const {
  const std::int64_t first = number % (samples_.size() / count_) * count_;
  if (order_.empty()) return {samples_, first, count_};
  return {samples_, {order_.begin() + first, order_.begin() + first + count_}};
}

double Benchmark::seconds_of(const std::function<void()>& work) const {
  using Clock = std::chrono::steady_clock;
  static_cast<void>(phase_runners_.front()->read_metrics());  // waits for queued work
  const auto start = Clock::now();
  work();
  static_cast<void>(phase_runners_.front()->read_metrics());
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void Benchmark::run(StepRunner& runner, const SampleView& samples, std::int64_t first, std::int64_t steps) {
  runner.run({.samples = samples,
              .first = first * options_.batch_size,
              .batches = steps,
              .rows = options_.batch_size,
              .rate = static_cast<float>(options_.learning_rate)});
}

// Runs a few steps up to each phase in turn, so that a temporary slowdown of the machine affects all phases
// alike and does not change their differences.
void Benchmark::measure_phases(Round& round) {
  constexpr std::int64_t kTurn = 32;
  for (std::int64_t first = 0; first < options_.steps; first += kTurn) {
    const std::int64_t steps = std::min(kTurn, options_.steps - first);
    for (std::size_t phase = 0; phase < kPhases; ++phase) {
      round.up_to_phase[phase] += seconds_of([&] { run(*phase_runners_[phase], kept_, first, steps); });
    }
  }
}

double Benchmark::stream(const Subset& part, bool trains) {
  BatchStream stream(backend_, part,
                     plan_single_set(backend_, part, options_.batch_size, Residency::kStream));
  return seconds_of([&] {
    stream.start({});
    while (const auto chunk = stream.next()) {
      const auto& samples = chunk->samples();
      if (trains) run(training_, samples, 0, samples.count / options_.batch_size);
    }
  });
}

double Benchmark::copy() {
  const auto slot = backend_.make_staging_slot(kCopyBytes);
  std::memset(slot->host().data(), 1, kCopyBytes);
  const Buffer<std::uint8_t> device(backend_, kCopyBytes);
  slot->submit_to(device.data(), 0, kCopyBytes);
  const double seconds = seconds_of([&] {
    for (int i = 0; i < kCopies; ++i) slot->submit_to(device.data(), 0, kCopyBytes);
  });
  slot->retire();
  slot->wait_until_reusable();
  return seconds / kCopies;
}

Benchmark::Round Benchmark::measure(std::int64_t number) {
  Round round;
  measure_phases(round);
  // One after the other, from parts that neither has read before, if there are enough samples.
  round.data = stream(part(2 * number), false);
  round.both = stream(part(2 * number + 1), true);
  round.compute = seconds_of([&] { run(training_, kept_, 0, options_.steps); });
  round.copy = copy();
  return round;
}

BenchmarkFindings Benchmark::run() {
  static_cast<void>(measure(0));  // to warm up
  static_cast<void>(training_.take_kernel_phases());
  std::vector<Round> rounds;
  for (std::int64_t i = 1; i <= options_.repeats; ++i) rounds.push_back(measure(i));
  const auto spread = [&](const auto& value) {
    std::vector<double> values;
    for (const auto& round : rounds) values.push_back(value(round));
    return spread_of(std::move(values));
  };
  const auto count = static_cast<double>(count_);
  const auto steps = static_cast<double>(options_.steps);

  BenchmarkFindings findings;
  findings.engine = engine_;
  findings.batch_size = options_.batch_size;
  findings.shuffle = options_.shuffle;
  findings.steps = options_.steps;
  findings.repeats = options_.repeats;
  findings.sample_bytes = samples_.sample_size() + static_cast<std::int64_t>(sizeof(Label));
  const auto work = step_work(network_.plan(), options_.batch_size, groups_, fuses_update_);
  Work whole;
  for (std::size_t phase = 0; phase < kPhases; ++phase) {
    const auto seconds = spread([&](const Round& round) {
      return (round.up_to_phase[phase] - (phase > 0 ? round.up_to_phase[phase - 1] : 0)) / steps;
    });
    findings.phases.push_back({kNames[phase], seconds, work[phase].flop, work[phase].bytes});
    whole.flop += work[phase].flop;
    whole.bytes += work[phase].bytes;
  }
  findings.phases.push_back({"step",
                             spread([&](const Round& round) { return round.up_to_phase.back() / steps; }),
                             whole.flop, whole.bytes});
  if (engine_ == "fused") {
    findings.phases.push_back(
        {"fused", spread([&](const Round& round) { return round.compute / steps; }), whole.flop, 0});
  }
  for (const auto& [name, median, slowest] : training_.take_kernel_phases()) {
    findings.kernel_phases.push_back({name, median, slowest});
  }
  findings.paths = {{"data alone", spread([&](const Round& round) { return count / round.data; })},
                    {"compute alone", spread([&](const Round& round) { return count / round.compute; })},
                    {"both together", spread([&](const Round& round) { return count / round.both; })}};
  findings.copy_bytes =
      spread([&](const Round& round) { return static_cast<double>(kCopyBytes) / round.copy; });
  return findings;
}

}  // namespace warpfit
