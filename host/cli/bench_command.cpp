#include "host/cli/bench_command.hpp"

#include <algorithm>
#include <limits>

#include "host/cli/common_options.hpp"
#include "host/cli/device_options.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/files/atomic_file.hpp"
#include "host/report/console.hpp"
#include "host/report/log.hpp"
#include "host/run/benchmark_run.hpp"

namespace warpfit {

// The output file is opened first, so that an invalid path is reported before the long measurement.
void run(const BenchCommand& command) {
  if (command.quiet) silence_info();
  auto options = command.run;
  options.benchmark.optimizer = optimizer_of(command.optimizer);
  options.benchmark.muon = muon_of(command.optimizer);
  options.benchmark.learning_rate = learning_rate_of(command.optimizer);
  options.device = backend_options(command.device);
  std::optional<AtomicFile> file;
  if (!command.json.empty()) file.emplace(command.json);

  auto findings = measure(options);
  findings.optimizer = optimizer_name(command.optimizer.kind);
  print(benchmark_text(findings));
  if (!file) return;
  file->write(benchmark_json(findings));
  file->commit();
}

Options options_of(BenchCommand& command) {
  constexpr std::string_view kGroup = "Benchmark";
  auto& benchmark = command.run.benchmark;
  Options rows(training_set_options(command.run.data));
  rows.push_back(network_option(command.run.network));
  rows.push_back(number<std::int64_t>({"Training", "--batch-size", "N", "number of samples per batch"}, 1,
                                      kMaxCount, benchmark.batch_size));
  rows.push_back(
      on_off({"Training", "--shuffle", "", "read the samples in shuffled order"}, benchmark.shuffle));
  rows.push_back(optimizer_option(command.optimizer));
  std::ranges::move(device_options(command.device), std::back_inserter(rows));
  rows.push_back(engine_option(benchmark.engine));
  rows.push_back(number<std::int64_t>({kGroup, "--steps", "N", "batches per measurement"}, 1, kMaxCount,
                                      benchmark.steps));
  rows.push_back(number<std::int64_t>({kGroup, "--repeats", "N", "measurements, after one that warms up"}, 1,
                                      kMaxCount, benchmark.repeats));
  rows.push_back(text({"Output", "--json", "FILE", "write the results to this file as one line of JSON"}, "",
                      command.json));
  rows.push_back(quiet_option(command.quiet));
  return rows;
}

}  // namespace warpfit
