#include "host/run/benchmark_run.hpp"

#include "host/model/initializer.hpp"
#include "host/report/log.hpp"
#include "host/run/make_backend.hpp"
#include "host/run/training_files.hpp"

namespace warpfit {

BenchmarkFindings measure(const BenchmarkRunOptions& options) {
  const auto paths = find_training_set(options.data.folder, options.data.files);
  const Dataset samples(paths.train_images, paths.train_labels);
  const auto spec = fitting_network(options.network, samples);
  const auto plan = plan_network(spec, shape_of(samples.sample_shape()));
  samples.check_labels_below(plan.classes());

  const auto backend = make_backend(options.device);
  log_info("measuring; other programs running on this machine distort the results");
  TorchGenerator generator(options.benchmark.seed);
  const Network network(*backend, plan, initial_parameters(plan, generator));
  Benchmark benchmark(*backend, network, samples, options.benchmark);
  log_info("engine: " + benchmark.engine());
  auto findings = benchmark.run();
  findings.network = spec.text();
  findings.device = backend->description();
  return findings;
}

}  // namespace warpfit
