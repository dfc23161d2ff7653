// Short values that all ranks contribute to.
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "host/parallel/communicator.hpp"

namespace warpfit {

/// The values of each rank, by rank, of which all ranks have the same number. Collective. Errors:
/// CommunicationError if another rank has passed another number.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<std::vector<T>> gather_vectors(
    Communicator& communicator, std::span<const T> values) {
  std::string message(values.size_bytes(), '\0');
  if (!values.empty()) std::memcpy(message.data(), values.data(), message.size());
  std::vector<std::vector<T>> vectors;
  for (const auto& other : communicator.gather(message)) {
    if (other.size() != message.size())
      throw CommunicationError("another rank has sent a message of another kind");
    auto& vector = vectors.emplace_back(values.size());
    if (!values.empty()) std::memcpy(vector.data(), other.data(), other.size());
  }
  return vectors;
}

/// The value of each rank, by rank. Collective.
template <class T>
std::vector<T> gather_values(Communicator& communicator, const T& value) {
  std::vector<T> values;
  for (const auto& vector : gather_vectors(communicator, std::span(&value, 1)))
    values.push_back(vector.front());
  return values;
}

/// Whether `value` is true on any rank. Collective.
inline bool any_rank(Communicator& communicator, bool value) {
  if (communicator.is_alone()) return value;
  const auto values = gather_values(communicator, static_cast<char>(value));
  return std::ranges::find(values, 1) != values.end();
}

}  // namespace warpfit
