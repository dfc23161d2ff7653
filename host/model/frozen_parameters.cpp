#include "host/model/frozen_parameters.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "host/base/error.hpp"
#include "host/base/glob.hpp"
#include "host/base/listing.hpp"
#include "host/base/shown.hpp"

namespace warpfit {

std::vector<std::size_t> matching_parameters(const NetworkPlan& plan, std::string_view flag,
                                             std::string_view pattern) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < plan.tensors.size(); ++i) {
    if (matches_glob(pattern, plan.tensors[i].name)) found.push_back(i);
  }
  if (!found.empty()) return found;
  constexpr std::size_t kMaxNames = 200;
  throw UsageError(
      fmt::format("{} {}: no parameter has a matching name; the names are {}", flag, shown(pattern),
                  listing(plan.tensors, kMaxNames, [](const PlannedTensor& tensor) { return tensor.name; })));
}

void freeze(NetworkPlan& plan, const std::vector<std::string>& patterns) {
  for (const auto& pattern : patterns) {
    for (const auto i : matching_parameters(plan, "--freeze", pattern)) plan.tensors[i].requires_grad = false;
  }
  if (std::ranges::none_of(plan.tensors, &PlannedTensor::requires_grad))
    throw UsageError("--freeze: all parameters of the network are frozen, expected at least one to train");
}

std::int64_t frozen_parameters(const NetworkPlan& plan) {
  std::int64_t sum = 0;
  for (const auto& tensor : plan.tensors) {
    if (!tensor.requires_grad) sum += static_cast<std::int64_t>(tensor.size);
  }
  return sum;
}

}  // namespace warpfit
