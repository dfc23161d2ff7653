#include "host/report/network_table.hpp"

#include <cstdint>
#include <utility>
#include <variant>

#include "host/inspect/text_table.hpp"

namespace warpfit {

std::string network_table(const NetworkPlan& plan) {
  using enum TextTable::Align;
  TextTable table({{"layer", kLeft}, {"output", kRight}, {"parameters", kRight}, {"FLOP", kRight}});
  std::int64_t all_flop = 0;
  for (const auto& node : plan.nodes) {
    std::int64_t parameters = 0;
    for (std::size_t i = 0; i < node.tensors; ++i)
      parameters += static_cast<std::int64_t>(plan.tensors[node.first_tensor + i].size);
    const auto [text, flop] = std::visit(
        [&](const auto& layer) {
          return std::pair(text_of(layer), static_cast<std::int64_t>(cost(layer, node.in, 1).forward.flop));
        },
        node.layer);
    all_flop += flop;
    table.add({text, text_of(node.out), std::to_string(parameters), std::to_string(flop)});
  }
  table.add({"sum", "", std::to_string(plan.parameters()), std::to_string(all_flop)});
  return table.text();
}

}  // namespace warpfit
