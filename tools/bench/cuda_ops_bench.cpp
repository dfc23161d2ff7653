// Compares our kernels with those of cuDNN and cuBLAS on a GPU. Each call runs inside a CUDA graph, as in
// training.
// build/release/tools/bench/cuda_ops_bench [MILLISECONDS] [--small]
// MILLISECONDS is the measuring time per kernel and round, default 20. --small uses tiny operands and short
// graphs, to check that the program works on an emulated GPU; its times are meaningless.
//
// The first table has the small operations: microseconds per call, the median and the minimum of nine rounds;
// GB/s counts each operand once. Our kernels do more work: ReLU also adds the bias, and the loss kernel also
// adds up losses and correct predictions. The second table has the matrix products of the tutorial's step at
// several batch sizes, by our own kernels and by cuBLAS followed by our kernels. The third has a wide layer
// in tf32 and bf16: its products within a step, and cuBLAS alone in the same precision; the last column is
// the share of cuBLAS's rate that a step reaches. Exit code: 0; 2 usage; 6 no GPU.
#include <fmt/core.h>

#include <charconv>
#include <cstdio>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cuda/ops/relu.hpp"
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/runtime/device.hpp"
#include "cuda/runtime/dnn.hpp"
#include "host/base/error.hpp"
#include "tools/bench/gemm_bench.hpp"
#include "tools/bench/graph_timer.hpp"

namespace warpfit {
namespace {

class Bench {
 public:
  explicit Bench(GraphTimer& timer) : timer_(timer) {
    try {
      dnn_ = std::make_unique<Dnn>(load_dnn_library(), timer_.stream());
    } catch (const DeviceError& error) {
      fmt::print("{}: ours alone\n", error.what());
    }
    fmt::print("{}{}\n{:<22} {:>6} {:>6}  {:>9} {:>9} {:>7}  {:>9} {:>9} {:>7}\n", describe_device(0),
               dnn_ ? ", " + dnn_->version() : "", "", "rows", "cols", "us", "least", "GB/s", "cuDNN us",
               "least", "ratio");
  }

  void relu(std::int64_t rows, std::int64_t cols) {
    const auto y = floats(rows * cols);
    const auto dx = floats(rows * cols);
    const auto b = floats(cols);
    compare(
        "bias and ReLU", rows, cols, 2,
        [&] {
          cuda::bias_relu_forward({y.get(), rows, cols}, {b.get(), size(cols)}, ActivationKind::kRelu,
                                  timer_.stream().get());
        },
        [&] {
          dnn_->relu_forward({y.get(), size(rows * cols)}, {y.get(), size(rows * cols)});
        });
    compare(
        "ReLU's gradient", rows, cols, 3,
        [&] {
          cuda::relu_backward({y.get(), size(rows * cols)}, {dx.get(), size(rows * cols)},
                              timer_.stream().get());
        },
        [&] {
          dnn_->relu_backward({y.get(), size(rows * cols)}, {dx.get(), size(rows * cols)},
                              {dx.get(), size(rows * cols)});
        });
  }

  void softmax_cross_entropy(std::int64_t rows, std::int64_t classes) {
    const auto logits = floats(rows * classes);
    const auto dlogits = floats(rows * classes);
    const auto logs = floats(rows * classes);
    const auto labels = bytes(size(rows) * sizeof(Label));
    const auto metrics = bytes(sizeof(Metrics));
    const auto results = bytes(size(rows) * sizeof(RowResult));
    const auto arrived = bytes(sizeof(unsigned));
    compare(
        "softmax cross-entropy", rows, classes, 2,
        [&] {
          cuda::softmax_cross_entropy(
              {}, nullptr, {logits.get(), rows, classes},
              {reinterpret_cast<const Label*>(labels.data()), size(rows)}, {dlogits.get(), rows, classes},
              reinterpret_cast<Metrics*>(metrics.data()), reinterpret_cast<RowResult*>(results.data()),
              reinterpret_cast<unsigned*>(arrived.data()), nullptr, timer_.stream().get());
        },
        [&] {
          dnn_->log_softmax_forward({logits.get(), rows, classes}, {logs.get(), rows, classes});
          dnn_->log_softmax_backward({logs.get(), rows, classes}, {dlogits.get(), rows, classes},
                                     {dlogits.get(), rows, classes});
        });
  }

 private:
  static std::size_t size(std::int64_t size) { return static_cast<std::size_t>(size); }

  DeviceMemory bytes(std::size_t size) { return zeros(timer_.stream(), size); }
  DeviceFloats floats(std::int64_t count) { return DeviceFloats(bytes(size(count) * sizeof(float))); }

  // `operands`: the number of floats read or written per element.
  void compare(std::string_view name, std::int64_t rows, std::int64_t cols, int operands,
               const std::function<void()>& ours, const std::function<void()>& theirs) {
    const Time us = timer_.time(ours);
    const double gigabytes = static_cast<double>(rows * cols) * operands * sizeof(float) / 1e3;
    fmt::print("{:<22} {:>6} {:>6}  {:>9.2f} {:>9.2f} {:>7.0f}", name, rows, cols, us.median, us.least,
               gigabytes / us.median);
    if (dnn_) {
      const Time them = timer_.time(theirs);
      fmt::print("  {:>9.2f} {:>9.2f} {:>7.2f}", them.median, them.least, them.median / us.median);
    }
    fmt::print("\n");
  }

  GraphTimer& timer_;
  std::unique_ptr<Dnn> dnn_;
};

/// The sizes that are measured.
struct Sizes {
  std::vector<std::pair<std::int64_t, std::int64_t>> relu;     ///< rows and columns
  std::vector<std::pair<std::int64_t, std::int64_t>> softmax;  ///< rows and classes
  std::vector<std::int64_t> batches, network;                  ///< of the small matrix products
  std::int64_t large_batch;
  std::vector<std::int64_t> large_widths;
  int max_calls;  ///< maximum number of calls in a graph
};

const Sizes kFull{{{64, 512}, {64, 2048}, {1000, 512}, {4096, 4096}},
                  {{64, 10}, {1000, 10}, {64, 1000}, {4096, 1000}},
                  {1, 16, 64, 256},
                  {784, 512, 512, 10},
                  4096,
                  {4096, 8192},
                  64};
const Sizes kSmall{{{5, 33}}, {{7, 10}}, {1, 9}, {40, 24, 10}, 8, {32}, 2};

void run(int milliseconds, const Sizes& sizes) {
  use_device(0);
  GraphTimer timer(milliseconds, sizes.max_calls);
  Bench bench(timer);
  for (const auto& [rows, cols] : sizes.relu) bench.relu(rows, cols);
  for (const auto& [rows, classes] : sizes.softmax) bench.softmax_cross_entropy(rows, classes);
  for (const std::int64_t rows : sizes.batches) bench_small_gemms(timer, rows, sizes.network);
  for (const auto precision : {Precision::kTf32, Precision::kBf16}) {
    for (const std::int64_t width : sizes.large_widths) {
      bench_large_gemms(timer, sizes.large_batch, width, precision);
    }
  }
}

}  // namespace
}  // namespace warpfit

int main(int count, char** arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // an interrupted run keeps its output
  int milliseconds = 20;
  bool small = false;
  for (const std::string_view text : std::span(arguments + 1, arguments + count)) {
    if (text == "--small") {
      small = true;
      continue;
    }
    const auto [end, error] = std::from_chars(text.begin(), text.end(), milliseconds);
    if (error != std::errc{} || end != text.end() || milliseconds < 1) {
      fmt::print(stderr, "usage: cuda_ops_bench [MILLISECONDS] [--small]\n");
      return 2;
    }
  }
  try {
    warpfit::NoCuda why;
    if (warpfit::count_devices(why) == 0) throw warpfit::DeviceError(why.reason);
    warpfit::run(milliseconds, small ? warpfit::kSmall : warpfit::kFull);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "cuda_ops_bench: {}\n", error.what());
    return 6;
  }
}
