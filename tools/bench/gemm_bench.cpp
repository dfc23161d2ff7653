#include "tools/bench/gemm_bench.hpp"

#include <fmt/core.h>

#include <random>
#include <string_view>
#include <vector>

#include "cuda/position.hpp"
#include "cuda/products.hpp"
#include "cuda/runtime/copy.hpp"

namespace warpfit {
namespace {

// Random values: a GPU lowers its clocks with its power consumption, and zeros consume little power.
DeviceFloats random_floats(Stream& stream, std::int64_t count) {
  std::minstd_rand engine(1);
  std::uniform_real_distribution<float> draw(-0.05F, 0.05F);
  std::vector<float> values(static_cast<std::size_t>(count));
  const std::size_t drawn = std::min(values.size(), std::size_t{1} << 20);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = i < drawn ? draw(engine) : values[i - drawn];
  const std::size_t bytes = values.size() * sizeof(float);
  DeviceMemory memory(bytes);
  copy_to_device(memory.data(), values.data(), bytes, stream.get());
  stream.synchronize();
  return DeviceFloats(std::move(memory));
}

// A layer, a batch of its inputs and outputs, and their gradients.
struct Layer {
  std::int64_t rows, inputs, outputs;
  DeviceFloats x, w, b, y, dx, dy, position;

  Layer(Stream& stream, std::int64_t batch, std::int64_t from, std::int64_t to)
      : rows(batch),
        inputs(from),
        outputs(to),
        x(random_floats(stream, rows * inputs)),
        w(random_floats(stream, outputs * inputs)),
        b(random_floats(stream, outputs)),
        y(random_floats(stream, rows * outputs)),
        dx(random_floats(stream, rows * inputs)),
        dy(random_floats(stream, rows * outputs)),
        position(zeros(stream, sizeof(Position))) {
    Position here;
    here.rate = 1e-9F;  // small enough to leave the weights unchanged
    here.negative_rate = -here.rate;
    set_position(on_device(), here, stream.get());
    stream.synchronize();
  }

  [[nodiscard]] Position* on_device() const { return reinterpret_cast<Position*>(position.get()); }
  [[nodiscard]] Matrix in(const DeviceFloats& values) const { return {values.get(), rows, inputs}; }
  [[nodiscard]] Matrix out(const DeviceFloats& values) const { return {values.get(), rows, outputs}; }
  [[nodiscard]] Matrix weights() const { return {w.get(), outputs, inputs}; }
  [[nodiscard]] Vector biases() const { return {b.get(), static_cast<std::size_t>(outputs)}; }
  [[nodiscard]] double flops() const {
    return 2 * static_cast<double>(rows) * static_cast<double>(inputs) * static_cast<double>(outputs);
  }

  void forward(Products& products) const {
    products.forward(in(x), weights(), biases(), ActivationKind::kRelu, out(y));
  }
  void backward_input(Products& products) const {
    products.backward_input(out(dy), weights(), in(x), ActivationKind::kRelu, in(dx));
  }
  void backward_sgd(Products& products) const {
    products.backward_sgd(in(x), out(dy), on_device(), weights(), biases());
    products.join();  // a capture must not end with an unjoined branch
  }

  void forward(Blas& blas) const { blas.forward(in(x), weights(), out(y)); }
  void backward_input(Blas& blas) const { blas.backward_input(out(dy), weights(), in(dx)); }
  void backward_sgd(Blas& blas) const {
    blas.accumulate_weights(in(x), out(dy), &on_device()->negative_rate, &on_device()->one, weights());
  }
};

constexpr std::string_view kNames[] = {"forward", "input gradient", "weights' update"};

// Product number `which` of the layer.
template <class Multiplier>
double microseconds(GraphTimer& timer, const Layer& layer, int which, Multiplier& multiplier, int calls) {
  return timer
      .time(
          [&] {
            if (which == 0) layer.forward(multiplier);
            if (which == 1) layer.backward_input(multiplier);
            if (which == 2) layer.backward_sgd(multiplier);
          },
          calls)
      .median;
}

}  // namespace

void bench_small_gemms(GraphTimer& timer, std::int64_t rows, std::span<const std::int64_t> widths) {
  constexpr int kCalls = 64;
  Products own(timer.stream(), Precision::kFp32, ProductKernels::kOwn);
  Products blas(timer.stream(), Precision::kFp32, ProductKernels::kBlas);
  fmt::print("\n{:<16} {:>6} {:>6} {:>7}  {:>9} {:>9}  {:>9} {:>9} {:>7}\n", "fp32, a step's", "rows",
             "inputs", "outputs", "own us", "GFLOP/s", "cuBLAS us", "GFLOP/s", "ratio");
  double own_step = 0, blas_step = 0;
  for (std::size_t l = 0; l + 1 < widths.size(); ++l) {
    const Layer layer(timer.stream(), rows, widths[l], widths[l + 1]);
    for (const int which : {0, 1, 2}) {
      if (which == 1 && l == 0) continue;  // the gradient with respect to the pixels is not needed
      const double ours = microseconds(timer, layer, which, own, kCalls);
      const double theirs = microseconds(timer, layer, which, blas, kCalls);
      own_step += ours;
      blas_step += theirs;
      fmt::print("{:<16} {:>6} {:>6} {:>7}  {:>9.2f} {:>9.0f}  {:>9.2f} {:>9.0f} {:>7.2f}\n", kNames[which],
                 rows, layer.inputs, layer.outputs, ours, layer.flops() / ours / 1e3, theirs,
                 layer.flops() / theirs / 1e3, theirs / ours);
    }
  }
  fmt::print("{:<16} {:>6} {:>14}  {:>9.2f} {:>9}  {:>9.2f} {:>9} {:>7.2f}\n", "all of the step", rows, "",
             own_step, "", blas_step, "", blas_step / own_step);
}

void bench_large_gemms(GraphTimer& timer, std::int64_t rows, std::int64_t width, Precision precision) {
  constexpr int kCalls = 4;
  const char* name = precision == Precision::kTf32 ? "tf32" : precision == Precision::kBf16 ? "bf16" : "fp32";
  Products products(timer.stream(), precision, ProductKernels::kByShape);
  Blas blas(timer.stream(), precision);
  const Layer layer(timer.stream(), rows, width, width);
  fmt::print("\n{:<16} {:>6} {:>6} {:>7}  {:>9} {:>9}  {:>9} {:>9} {:>7}\n",
             fmt::format("{}, a layer's", name), "rows", "inputs", "outputs", "step's us", "TFLOP/s",
             "bare us", "TFLOP/s", "%");
  for (const int which : {0, 1, 2}) {
    const double ours = microseconds(timer, layer, which, products, kCalls);
    const double bare = microseconds(timer, layer, which, blas, kCalls);
    fmt::print("{:<16} {:>6} {:>6} {:>7}  {:>9.1f} {:>9.1f}  {:>9.1f} {:>9.1f} {:>7.1f}\n", kNames[which],
               rows, width, width, ours, layer.flops() / ours / 1e6, bare, layer.flops() / bare / 1e6,
               100 * bare / ours);
  }
}

}  // namespace warpfit
