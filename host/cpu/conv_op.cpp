#include "host/cpu/conv_op.hpp"

#include <algorithm>
#include <vector>

#include "host/cpu/bias_gradient.hpp"
#include "host/cpu/relu.hpp"
#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// A part of the rows of a batch, for one thread.
struct RowRange {
  std::int64_t first, count;

  RowRange(std::int64_t rows, int part, int parts)
      : first(rows * part / parts), count(rows * (part + 1) / parts - first) {}
};

// Each thread convolves some of the samples. Their weight gradients are added in the order of the threads.
class ConvOp final : public LayerOp {
 public:
  ConvOp(const OpContext& context, const ConvOperation& operation, std::int64_t rows)
      : context_(context), operation_(operation), parts_(context.pool.parts_for(rows)) {
    for (int part = 0; part < parts_; ++part)
      workers_.push_back(std::make_unique<Worker>(operation, RowRange(rows, part, parts_)));
  }

  // oneDNN counts the users of a thread's scratch memory: a convolution is destroyed by the thread that made
  // it.
  ~ConvOp() override {
    context_.pool.run(parts_, [this](int part) { workers_[static_cast<std::size_t>(part)].reset(); });
  }

  void forward(Mode, const OperationViews& views) override {
    const float* bias = operation_.bias ? views.tensors[1].data() : nullptr;
    context_.pool.run(parts_, [&](int part) {
      auto& worker = *workers_[static_cast<std::size_t>(part)];
      const auto x = worker.rows_of(views.x);
      const auto y = worker.rows_of(views.y);
      worker.convolution.forward(x.data, views.tensors[0].data(), bias, y.data);
      if (operation_.activation == ActivationKind::kRelu) relu_forward(y, y);
    });
  }
  void backward_input(const OperationViews& views) override {
    context_.pool.run(parts_, [&](int part) {
      auto& worker = *workers_[static_cast<std::size_t>(part)];
      const auto dx = worker.rows_of(views.dx);
      worker.convolution.backward_input(worker.rows_of(views.dy).data, views.tensors[0].data(), dx.data);
      if (operation_.input_activation == ActivationKind::kRelu) relu_backward(worker.rows_of(views.x), dx);
    });
  }
  Fence backward_tensors(const OperationViews& views) override {
    add_gradients(views, views.gradients, 1, 0);
    return {};
  }
  Fence backward_sgd(const OperationViews& views) override {
    add_gradients(views, views.tensors, -context_.run.rate, 1);
    return {};
  }

 private:
  struct Worker {
    RowRange range;
    Convolution convolution;
    std::vector<float> dw, db;

    Worker(const ConvOperation& operation, RowRange rows) : range(rows), convolution(operation, rows.count) {}

    template <class T>
    [[nodiscard]] Part<T> rows_of(MatrixView<T> matrix) const {
      return {matrix.data + range.first * matrix.cols, range.count, matrix.cols, matrix.cols};
    }
  };

  // result = scale * gradient + keep * result, for weights and biases.
  void add_gradients(const OperationViews& views, std::span<const Vector> results, float scale, float keep) {
    context_.pool.run(parts_, [&](int part) {
      auto& worker = *workers_[static_cast<std::size_t>(part)];
      worker.dw.resize(static_cast<std::size_t>(results[0].empty() ? 0 : operation_.weights()));
      worker.db.resize(static_cast<std::size_t>(operation_.bias ? operation_.out_channels : 0));
      const auto dy = worker.rows_of(views.dy);
      if (results[0].empty()) {  // the weight is frozen
        const auto channels = operation_.out_channels;
        bias_gradient({dy.data, dy.rows * operation_.out().pixels(), channels, channels}, worker.db);
      } else {
        worker.convolution.backward_weights(worker.rows_of(views.x).data, dy.data, worker.dw.data(),
                                            worker.db.data());
      }
    });
    if (!results[0].empty()) add(&Worker::dw, scale, keep, results[0]);
    if (operation_.bias && !results[1].empty()) add(&Worker::db, scale, keep, results[1]);
  }

  void add(std::vector<float> Worker::*gradient, float scale, float keep, Vector result) {
    const auto size = static_cast<std::int64_t>(result.size());
    context_.pool.split(size, kMinElements, [&](std::int64_t first, std::int64_t end) {
      vectorized([&] {
        for (auto i = first; i < end; ++i) {
          const auto at = static_cast<std::size_t>(i);
          float sum = 0;
          for (const auto& worker : workers_) sum += ((*worker).*gradient)[at];
          result[at] = keep == 0 ? scale * sum : scale * sum + keep * result[at];
        }
      });
    });
  }

  OpContext context_;
  ConvOperation operation_;
  int parts_;
  std::vector<std::unique_ptr<Worker>> workers_;  // one for each part of the batch
};

}  // namespace

std::unique_ptr<LayerOp> make_conv_op(const OpContext& context, const ConvOperation& operation,
                                      std::int64_t rows) {
  return std::make_unique<ConvOp>(context, operation, rows);
}

std::uint64_t conv_op_bytes(const ThreadPool& pool, const ConvOperation& operation, std::int64_t rows,
                            Convolution::Gradients gradients) {
  const int parts = pool.parts_for(rows);
  std::uint64_t bytes = 0;
  for (int part = 0; part < parts; ++part) {
    bytes += Convolution::copied_bytes(operation, RowRange(rows, part, parts).count, gradients);
    if (gradients.weights) bytes += sizeof(float) * static_cast<std::uint64_t>(operation.weights());
  }
  return bytes;
}

}  // namespace warpfit::cpu
