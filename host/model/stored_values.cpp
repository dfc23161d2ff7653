#include "host/model/stored_values.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdint>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/files/float_tensor.hpp"

namespace warpfit {

bool fits(const StoredTensor& stored, const PlannedTensor& planned) {
  const bool is_counter = planned.role == TensorRole::kCounter;
  return (is_counter ? stored.dtype == DType::kI64 : is_floating_point(stored.dtype)) &&
         stored.shape == planned.shape;
}

std::string description(const PlannedTensor& planned, const std::string& name) {
  if (planned.role == TensorRole::kCounter) return fmt::format("{} with an integer (I64)", shown(name));
  return fmt::format("{} ({}) of floating-point numbers", shown(name), fmt::join(planned.shape, ", "));
}

void read_values(const SafetensorsFile& file, const StoredTensor& stored, const PlannedTensor& planned,
                 std::span<float> values) {
  if (planned.role != TensorRole::kCounter) {
    read_floats(file, stored, values);
    const bool is_variance = planned.role == TensorRole::kVariance;
    if (is_variance && std::ranges::any_of(values, [](float value) { return value < 0; }))
      throw ModelError(fmt::format("{}: tensor {} has a negative variance", file.path(), shown(stored.name)));
    return;
  }
  std::int64_t count = 0;
  file.read(stored, std::as_writable_bytes(std::span(&count, 1)));
  if (count < 0)
    throw ModelError(
        fmt::format("{}: tensor {} is {}, expected a count", file.path(), shown(stored.name), count));
  values[0] = std::bit_cast<float>(static_cast<std::int32_t>(std::min<std::int64_t>(count, kMaxBatchCount)));
}

std::int64_t counter_value(float memory) { return std::bit_cast<std::int32_t>(memory); }

}  // namespace warpfit
