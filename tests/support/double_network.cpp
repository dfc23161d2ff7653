#include "tests/support/double_network.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <stdexcept>
#include <variant>

namespace warpfit::test {
namespace {

using Span = std::span<const double>;

class Interpreter {
 public:
  Interpreter(const NetworkPlan& plan, const Doubles& parameters, std::int64_t rows)
      : plan_(plan), parameters_(parameters), rows_(rows) {}

  Doubles run(Doubles values) {
    for (const auto& node : plan_.nodes) {
      node_ = &node;
      x_ = std::move(values);
      values = std::visit([&](const auto& layer) { return output(layer); }, node.layer);
    }
    return values;
  }

 private:
  [[nodiscard]] Span tensor(std::size_t i) const {
    return plan_.tensors.at(node_->first_tensor + i).in(Span(parameters_));
  }
  [[nodiscard]] double x(std::int64_t row, std::int64_t channel, std::int64_t y, std::int64_t x) const {
    const auto& in = node_->in;
    return x_.at(static_cast<std::size_t>(((row * in.channels + channel) * in.height + y) * in.width + x));
  }
  [[nodiscard]] bool is_inside(std::int64_t y, std::int64_t x) const {
    return y >= 0 && y < node_->in.height && x >= 0 && x < node_->in.width;
  }

  // The values of value(row, channel, y, x) for the whole output.
  template <class Value>
  [[nodiscard]] Doubles each(const Value& value) const {
    Doubles result;
    const auto& out = node_->out;
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t c = 0; c < out.channels; ++c) {
        for (std::int64_t y = 0; y < out.height; ++y) {
          for (std::int64_t x = 0; x < out.width; ++x) result.push_back(value(row, c, y, x));
        }
      }
    }
    return result;
  }

  [[nodiscard]] Doubles output(const Linear& layer) const {
    const auto inputs = node_->in.size();
    return each([&](std::int64_t row, std::int64_t m, std::int64_t, std::int64_t) {
      double sum = layer.bias ? tensor(1)[m] : 0;
      for (std::int64_t k = 0; k < inputs; ++k) sum += tensor(0)[m * inputs + k] * x_[row * inputs + k];
      return sum;
    });
  }

  [[nodiscard]] Doubles output(const Conv& layer) const {
    const auto padding = padding_of(layer).begin;
    const auto channels = node_->in.channels / layer.groups, outputs = layer.out_channels / layer.groups;
    return each([&](std::int64_t row, std::int64_t o, std::int64_t top, std::int64_t left) {
      double sum = layer.bias ? tensor(1)[o] : 0;
      for (std::int64_t i = 0; i < channels; ++i) {
        for (std::int64_t r = 0; r < layer.kernel; ++r) {
          for (std::int64_t s = 0; s < layer.kernel; ++s) {
            const auto y = top * layer.stride - padding + r * layer.dilation;
            const auto x_at = left * layer.stride - padding + s * layer.dilation;
            if (!is_inside(y, x_at)) continue;
            sum += x(row, o / outputs * channels + i, y, x_at) *
                   tensor(0)[((o * channels + i) * layer.kernel + r) * layer.kernel + s];
          }
        }
      }
      return sum;
    });
  }

  [[nodiscard]] Doubles output(const BatchNorm& layer) const {
    const auto& in = node_->in;
    const double n = static_cast<double>(rows_ * in.height * in.width);
    Doubles mean(static_cast<std::size_t>(in.channels)), squares(mean.size());
    const auto add = [&](const auto& term) {
      return each([&](std::int64_t row, std::int64_t c, std::int64_t y, std::int64_t x_at) {
        term(c, x(row, c, y, x_at));
        return 0.0;
      });
    };
    (void)add([&](std::int64_t c, double value) { mean[c] += value / n; });
    (void)add([&](std::int64_t c, double value) { squares[c] += (value - mean[c]) * (value - mean[c]) / n; });
    return each([&](std::int64_t row, std::int64_t c, std::int64_t y, std::int64_t x_at) {
      return (x(row, c, y, x_at) - mean[c]) / std::sqrt(squares[c] + layer.eps) * tensor(0)[c] + tensor(1)[c];
    });
  }

  [[nodiscard]] Doubles output(const Pool& layer) const {
    const auto height = layer.is_global ? node_->in.height : layer.kernel;
    const auto width = layer.is_global ? node_->in.width : layer.kernel;
    return each([&](std::int64_t row, std::int64_t c, std::int64_t top, std::int64_t left) {
      double sum = 0, max = -std::numeric_limits<double>::infinity();
      for (std::int64_t r = 0; r < height; ++r) {
        for (std::int64_t s = 0; s < width; ++s) {
          const auto y = top * layer.stride - layer.padding + r,
                     x_at = left * layer.stride - layer.padding + s;
          if (!is_inside(y, x_at)) continue;
          sum += x(row, c, y, x_at);
          max = std::max(max, x(row, c, y, x_at));
        }
      }
      return layer.kind == PoolKind::kMax ? max : sum / static_cast<double>(height * width);
    });
  }

  [[nodiscard]] Doubles output(const Activation& layer) const {
    auto result = x_;
    for (auto& value : result) {
      if (layer.kind == ActivationKind::kRelu) {
        value = std::max(value, 0.0);
      } else if (layer.kind == ActivationKind::kGelu) {
        value *= 0.5 * (1 + std::erf(value / std::numbers::sqrt2));
      } else {
        throw std::logic_error("an activation without a reference");
      }
    }
    return result;
  }

  [[nodiscard]] Doubles output(const Flatten&) const { return x_; }
  [[nodiscard]] Doubles output(const Dropout&) const { throw std::logic_error("dropout has no reference"); }

  [[nodiscard]] Doubles output(const ResidualBegin&) {
    inputs_.push_back(x_);
    return x_;
  }
  [[nodiscard]] Doubles output(const ResidualEnd&) {
    auto result = x_;
    for (std::size_t i = 0; i < result.size(); ++i) result[i] += inputs_.back()[i];
    inputs_.pop_back();
    return result;
  }

  const NetworkPlan& plan_;
  const Doubles& parameters_;
  std::int64_t rows_;
  const Node* node_ = nullptr;
  Doubles x_;
  std::vector<Doubles> inputs_;  // of the residual blocks around the layer
};

}  // namespace

Doubles outputs_in_double(const NetworkPlan& plan, const Doubles& parameters, Doubles values,
                          std::int64_t rows) {
  return Interpreter(plan, parameters, rows).run(std::move(values));
}

}  // namespace warpfit::test
