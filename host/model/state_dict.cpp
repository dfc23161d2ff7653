#include "host/model/state_dict.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/model/network_plan.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kWeight = ".weight";
constexpr std::string_view kBias = ".bias";

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// "layer.10" after "layer.9": runs of digits are compared as numbers.
bool natural_less(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (!is_digit(a.front()) || !is_digit(b.front())) {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
      continue;
    }
    const auto digits = [](std::string_view text) {
      return text.substr(0,
                         static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin()));
    };
    const auto left = digits(a);
    const auto right = digits(b);
    if (left.size() != right.size()) return left.size() < right.size();
    if (left != right) return left < right;
    a.remove_prefix(left.size());
    b.remove_prefix(right.size());
  }
  return a.size() < b.size();
}

[[noreturn]] void refuse(const SafetensorsFile& file, const StoredTensor& tensor,
                         const std::string& expected) {
  throw ModelError(fmt::format("{}: tensor {} is {} ({}), expected {}", file.path(), shown(tensor.name),
                               dtype_name(tensor.dtype), fmt::join(tensor.shape, ", "), expected));
}

}  // namespace

StateDict state_dict_of(const SafetensorsFile& file) {
  std::vector<const StoredTensor*> weights;
  for (const auto& tensor : file.tensors()) {
    if (tensor.dtype != DType::kF32) refuse(file, tensor, "F32, as nn.Linear's");
    if (tensor.name.ends_with(kWeight)) {
      if (tensor.shape.size() != 2) refuse(file, tensor, "(outputs, inputs), as nn.Linear's weight");
      weights.push_back(&tensor);
    } else if (!tensor.name.ends_with(kBias)) {
      refuse(file, tensor, "weights and biases of nn.Linear alone");
    }
  }
  if (weights.empty()) throw ModelError(fmt::format("{}: no weights in it", file.path()));
  if (file.tensors().size() != 2 * weights.size()) {
    throw ModelError(fmt::format("{}: {} weights among {} tensors, expected a bias for each", file.path(),
                                 weights.size(), file.tensors().size()));
  }
  std::ranges::sort(weights, [](const auto* a, const auto* b) { return natural_less(a->name, b->name); });

  StateDict dict;
  std::vector<std::int64_t> widths{weights.front()->shape[1]};
  for (const auto* weight : weights) {
    const auto bias_name = weight->name.substr(0, weight->name.size() - kWeight.size()).append(kBias);
    const auto* bias = file.find(bias_name);
    if (weight->shape[1] != widths.back()) {
      refuse(file, *weight, fmt::format("{} inputs, as many as the layer before gives", widths.back()));
    }
    if (bias == nullptr) refuse(file, *weight, fmt::format("{} beside it", shown(bias_name)));
    if (bias->shape != std::vector{weight->shape[0]})
      refuse(file, *bias, fmt::format("({})", weight->shape[0]));
    widths.push_back(weight->shape[0]);
    dict.names.push_back(weight->name);
    dict.names.push_back(bias_name);
  }
  try {
    dict.network = parse_network(fmt::format("{}", fmt::join(widths, "-")));
    plan_network(dict.network);  // for its bounds
  } catch (const UsageError& error) {
    throw ModelError(fmt::format("{}: {}", file.path(), error.what()));
  }
  return dict;
}

}  // namespace warpfit
