// The operations of a linear layer on a backend, with random values in guarded memory.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "tests/support/backends.hpp"
#include "tests/support/guarded.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::test {

struct LayerShape {
  std::int64_t rows, inputs, outputs;
};

/// Inputs of one layer. Integer values make every sum exact in any order.
struct LayerValues {
  std::vector<float> x, w, b, dy;

  LayerValues(const LayerShape& s, bool integers) {
    TestValues values;
    const auto draw = [&](std::int64_t size, double bound) {
      return integers ? values.integers(size) : values.uniform(size, bound);
    };
    x = draw(s.rows * s.inputs, 1);
    w = draw(s.outputs * s.inputs, 1 / std::sqrt(static_cast<double>(s.inputs)));
    b = draw(s.outputs, 1);
    dy = draw(s.rows * s.outputs, 1 / std::sqrt(static_cast<double>(std::max(s.rows, s.outputs))));
  }
};

/// The weights and the biases.
using LayerParameters = std::array<std::vector<float>, 2>;

/// The operations of one layer. Operands begin `skew` floats after an aligned address.
class LayerOnBackend {
 public:
  LayerOnBackend(Backend& backend, const LayerShape& shape, const LayerValues& values, std::size_t skew = 0)
      : backend_(backend),
        s_(shape),
        skew_(skew),
        x_(backend, values.x, skew),
        w_(backend, values.w, skew),
        b_(backend, values.b, skew),
        dy_(backend, values.dy, skew) {}

  [[nodiscard]] std::vector<float> forward(ActivationKind activation) {
    const GuardedFloats y(backend_, s_.rows * s_.outputs, skew_);
    const auto op = prepare({.activation = activation});
    run([&] {
      op->forward(Mode::kTrain, {.x = x(), .y = y.matrix(s_.rows, s_.outputs), .tensors = tensors_});
    });
    return y.values();
  }

  [[nodiscard]] std::vector<float> backward_input(ActivationKind activation) {
    const GuardedFloats dx(backend_, s_.rows * s_.inputs, skew_);
    const auto op = prepare({.input_activation = activation});
    run([&] {
      op->backward_input({.x = x(), .dy = dy(), .dx = dx.matrix(s_.rows, s_.inputs), .tensors = tensors_});
    });
    return dx.values();
  }

  [[nodiscard]] LayerParameters backward_weights() {
    const GuardedFloats dw(backend_, s_.outputs * s_.inputs, skew_);
    const GuardedFloats db(backend_, s_.outputs, skew_);
    const std::vector<Vector> gradients{dw.vector(), db.vector()};
    const auto op = prepare({});
    run([&] { op->backward_tensors({.x = x(), .dy = dy(), .tensors = tensors_, .gradients = gradients}); });
    return {dw.values(), db.values()};
  }

  /// Updates the layer's weights and biases and returns them.
  [[nodiscard]] LayerParameters backward_sgd(float rate) {
    const auto op = prepare({});
    run([&] { op->backward_sgd({.x = x(), .dy = dy(), .tensors = tensors_}); }, rate);
    return {w_.values(), b_.values()};
  }

 private:
  void run(const std::function<void()>& operation, float rate = 0) {
    run_once(backend_, operation, one_batch(s_.rows, rate));
  }
  [[nodiscard]] Matrix x() const { return x_.matrix(s_.rows, s_.inputs); }
  [[nodiscard]] std::unique_ptr<LayerOp> prepare(LinearOperation operation) {
    operation.inputs = s_.inputs;
    operation.outputs = s_.outputs;
    return backend_.prepare(operation, s_.rows);
  }
  [[nodiscard]] Matrix dy() const { return dy_.matrix(s_.rows, s_.outputs); }

  Backend& backend_;
  LayerShape s_;
  std::size_t skew_;
  GuardedFloats x_, w_, b_, dy_;
  std::vector<Vector> tensors_{w_.vector(), b_.vector()};
};

inline Doubles relu(Doubles values) {
  for (double& value : values) value = std::max(value, 0.0);
  return values;
}

/// The gradients with respect to ReLU's input, for a ReLU with output x.
inline Doubles masked(Doubles gradients, std::span<const float> x) {
  for (std::size_t i = 0; i < gradients.size(); ++i) gradients[i] = x[i] > 0 ? gradients[i] : 0;
  return gradients;
}

/// Parameters after a step of plain SGD.
inline Doubles updated(std::span<const float> parameters, const Doubles& gradients, double rate) {
  Doubles result(parameters.begin(), parameters.end());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] -= rate * gradients[i];
  return result;
}

}  // namespace warpfit::test
