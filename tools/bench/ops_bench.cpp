// Measures each operation of the CPU backend, and the whole training step, at the tutorial's shapes and
// others.
//   build/release/tools/bench/ops_bench [--benchmark_filter=REGEX]
// WARPFIT_BENCH_THREADS sets the number of threads (default: all usable cores). Rates: FLOP/s counts a
// multiply-add as two; bytes/s counts each operand once.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "host/model/initializer.hpp"
#include "host/run/make_backend.hpp"
#include "host/train/step.hpp"

namespace warpfit {
namespace {

constexpr float kRate = 1e-3F;

std::unique_ptr<Backend> bench_backend() {
  const char* threads = std::getenv("WARPFIT_BENCH_THREADS");
  return make_backend(
      {.device = {DeviceChoice::Kind::kCpu}, .threads = threads != nullptr ? std::stoi(threads) : 0});
}

Buffer<float> filled(Backend& backend, std::int64_t size) {
  std::vector<float> values(static_cast<std::size_t>(size));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.01F * static_cast<float>(i % 17) - 0.08F;
  return {backend, values};
}

Matrix matrix(const Buffer<float>& buffer, std::int64_t rows, std::int64_t cols) {
  return {buffer.data(), rows, cols};
}

// Runs the recorded step repeatedly on samples in memory.
void repeat(benchmark::State& state, Backend& backend, std::int64_t rows, std::int64_t sample_size,
            const std::function<void()>& step) {
  const Buffer<std::uint8_t> pixels(
      backend, std::vector<std::uint8_t>(static_cast<std::size_t>(rows * sample_size), 99));
  const Buffer<Label> labels(backend, std::vector<Label>(static_cast<std::size_t>(rows), 1));
  const auto recorded = backend.record(step);
  const BatchRun run{{pixels.data(), labels.data(), rows, sample_size}, 0, 1, rows, kRate};
  for (auto _ : state) recorded->run(run);
}

void count_flops(benchmark::State& state, double each) {
  state.counters["FLOP/s"] = benchmark::Counter(each, benchmark::Counter::kIsIterationInvariantRate);
}

void count_bytes(benchmark::State& state, std::int64_t each) {
  state.SetBytesProcessed(each * state.iterations());
}

// The buffers of a linear layer with an input of (rows, inputs) and an output of (rows, outputs).
struct Layer {
  std::int64_t rows, inputs, outputs;
  std::unique_ptr<Backend> backend = bench_backend();
  Buffer<float> x = filled(*backend, rows* inputs);
  Buffer<float> dx = filled(*backend, rows* inputs);
  Buffer<float> w = filled(*backend, outputs* inputs);
  Buffer<float> b = filled(*backend, outputs);
  Buffer<float> y = filled(*backend, rows* outputs);

  explicit Layer(const benchmark::State& state)
      : rows(state.range(0)), inputs(state.range(1)), outputs(state.range(2)) {}
  std::vector<Vector> tensors{w.view(), b.view()};

  [[nodiscard]] std::unique_ptr<LayerOp> prepare() const {
    return backend->prepare(LinearOperation{.inputs = inputs,
                                            .outputs = outputs,
                                            .activation = ActivationKind::kRelu,
                                            .input_activation = ActivationKind::kRelu},
                            rows);
  }
  [[nodiscard]] OperationViews views() const {
    return {.x = matrix(x, rows, inputs),
            .y = matrix(y, rows, outputs),
            .dy = matrix(y, rows, outputs),
            .dx = matrix(dx, rows, inputs),
            .tensors = tensors,
            .gradients = {}};
  }
  [[nodiscard]] double flops() const { return 2.0 * static_cast<double>(rows * inputs * outputs); }
};

void linear_forward(benchmark::State& state) {
  const Layer l(state);
  const auto op = l.prepare();
  repeat(state, *l.backend, l.rows, 1, [&] { op->forward(Mode::kTrain, l.views()); });
  count_flops(state, l.flops());
}

void linear_backward_input(benchmark::State& state) {
  const Layer l(state);
  const auto op = l.prepare();
  repeat(state, *l.backend, l.rows, 1, [&] { op->backward_input(l.views()); });
  count_flops(state, l.flops());
}

void linear_backward_sgd(benchmark::State& state) {
  const Layer l(state);
  const auto op = l.prepare();
  repeat(state, *l.backend, l.rows, 1, [&] { op->backward_sgd(l.views()); });
  count_flops(state, l.flops());
}

void load(benchmark::State& state, const PixelTransform& transform) {
  const auto rows = state.range(0);
  const auto size = state.range(1);
  const auto backend = bench_backend();
  const auto x = filled(*backend, rows * size);
  const Buffer<Label> labels(*backend, static_cast<std::size_t>(rows));
  repeat(state, *backend, rows, size,
         [&] { backend->load_batch(transform, matrix(x, rows, size), labels.view()); });
  count_bytes(state, rows * size * 5);
}

void load_batch(benchmark::State& state) { load(state, {}); }

// Images of 28 x 28 that are shifted, flipped and normalized.
void load_augmented(benchmark::State& state) {
  PixelTransform transform{.image = {1, 28, state.range(1) / 28}};
  transform.augmentation = {.flip = FlipMode::kRandom, .shift = 2};
  transform.normalization = {1, {0.3F}, {0.4F}};
  load(state, transform);
}

void softmax_cross_entropy(benchmark::State& state) {
  const auto rows = state.range(0);
  const auto classes = state.range(1);
  const auto backend = bench_backend();
  const auto logits = filled(*backend, rows * classes);
  const auto dlogits = filled(*backend, rows * classes);
  const Buffer<Label> labels(*backend, std::vector<Label>(static_cast<std::size_t>(rows), 1));
  const Buffer<Metrics> metrics(*backend, std::vector<Metrics>(1));
  const auto op = backend->prepare(Loss{}, classes, rows);
  repeat(state, *backend, rows, 1, [&] {
    op->add(matrix(logits, rows, classes), labels.view(), matrix(dlogits, rows, classes), metrics.data());
  });
  count_bytes(state, rows * classes * 8);
}

void training_step(benchmark::State& state) {
  const auto rows = state.range(0);
  const auto width = state.range(1);
  const auto backend = bench_backend();
  const NetworkSpec spec = multilayer_perceptron({784, width, width, 10});
  const auto plan = plan_network(spec);
  TorchGenerator generator(0);
  const Network network(*backend, plan, initial_parameters(plan, generator));
  const Workspace workspace(*backend, network, {.max_batch_size = rows});
  const Buffer<Metrics> metrics(*backend, std::vector<Metrics>(1));
  const auto batch = workspace.prepare(rows, Loss{});
  repeat(state, *backend, rows, 784, [&] { train_step(*backend, network, *batch, {}, metrics.data()); });
  const double hidden = static_cast<double>(width) * static_cast<double>(width + 10);
  count_flops(state,
              2.0 * static_cast<double>(rows) * (2.0 * 784.0 * static_cast<double>(width) + 3.0 * hidden));
}

void tutorial_layers(benchmark::internal::Benchmark* bench) {
  bench->Args({64, 784, 512})->Args({64, 512, 512})->Args({64, 512, 10})->Args({1024, 512, 512});
}

BENCHMARK(load_batch)->Args({64, 784})->UseRealTime();
BENCHMARK(load_augmented)->Args({64, 784})->UseRealTime();
BENCHMARK(linear_forward)->Apply(tutorial_layers)->UseRealTime();
BENCHMARK(linear_backward_input)->Apply(tutorial_layers)->UseRealTime();
BENCHMARK(linear_backward_sgd)->Apply(tutorial_layers)->UseRealTime();
BENCHMARK(softmax_cross_entropy)->Args({64, 10})->Args({64, 1000})->UseRealTime();
BENCHMARK(training_step)
    ->ArgsProduct({{1, 16, 64, 256, 4096}, {512}})
    ->Args({64, 128})
    ->Args({64, 2048})
    ->UseRealTime();

}  // namespace
}  // namespace warpfit

BENCHMARK_MAIN();
