#include "host/model/network_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/shown.hpp"
#include "host/model/layers/layer_text.hpp"

namespace warpfit {

std::string NetworkSpec::text() const {
  if (!inputs) return text_of(layers);
  auto text = fmt::format("{}", *inputs);
  for (const auto& layer : layers) {
    if (const auto* linear = std::get_if<Linear>(&layer)) text += fmt::format("-{}", linear->outputs);
  }
  return text;
}

// "784-512-512-10"
NetworkSpec parse_widths(std::string_view text) {
  std::vector<std::int64_t> widths;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('-', start), text.size());
    const auto part = text.substr(start, end - start);
    const auto width = parse_number<std::int64_t>(part);
    if (!width || *width < 1 || *width > kMaxWidth) {
      throw UsageError(fmt::format("--network {}: width {} is '{}', expected a number from 1 to {}",
                                   shown(text), widths.size() + 1, shown(part), kMaxWidth));
    }
    widths.push_back(*width);
    start = end + 1;
  }
  if (widths.size() < 2) {
    throw UsageError(
        fmt::format("--network {}: expected at least two widths, as in 784-512-512-10", shown(text)));
  }
  if (widths.back() < 2)
    throw UsageError(fmt::format("--network {}: expected at least 2 outputs", shown(text)));
  return multilayer_perceptron(widths);
}

bool is_layer_list(std::string_view text) {
  return !text.empty() && text.front() >= 'a' && text.front() <= 'z';
}

NetworkSpec parse_network(std::string_view text) {
  if (!is_layer_list(text)) return parse_widths(text);
  try {
    return {parse_layers(text), std::nullopt};
  } catch (const UsageError& error) {
    throw UsageError(fmt::format("--network {}: {}", shown(text), error.what()));
  }
}

NetworkSpec multilayer_perceptron(const std::vector<std::int64_t>& widths) {
  NetworkSpec network{{}, widths.front()};
  for (std::size_t i = 1; i < widths.size(); ++i) {
    if (i > 1) network.layers.emplace_back(Activation{});
    network.layers.emplace_back(Linear{widths[i]});
  }
  return network;
}

NetworkSpec default_network(std::int64_t inputs, std::int64_t classes) {
  constexpr std::int64_t kHidden = 512;
  return multilayer_perceptron({inputs, kHidden, kHidden, classes});
}

bool NetworkSpec::has_dropout() const {
  return std::ranges::any_of(layers,
                             [](const Layer& layer) { return std::holds_alternative<Dropout>(layer); });
}

NetworkSpec with_dropout(NetworkSpec network, float p) {
  if (p == 0) return network;
  if (network.has_dropout())
    throw UsageError("dropout after each activation, but the network has dropout layers of its own");
  auto layers = std::move(network.layers);
  network.layers.clear();
  for (auto& layer : layers) {
    network.layers.push_back(layer);
    if (std::holds_alternative<Activation>(layer)) network.layers.emplace_back(Dropout{p});
  }
  return network;
}

}  // namespace warpfit
