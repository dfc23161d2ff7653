// Short values that all ranks contribute to.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "host/parallel/communicator.hpp"

namespace warpfit {

/// The value of each rank, by rank. Collective.
template <class T>
requires std::is_trivially_copyable_v<T> std::vector<T> gather_values(Communicator& communicator,
                                                                      const T& value) {
  std::string message(sizeof(T), '\0');
  std::memcpy(message.data(), &value, sizeof(T));
  std::vector<T> values;
  for (const auto& other : communicator.gather(message)) {
    if (other.size() != sizeof(T))
      throw CommunicationError("another rank has sent a message of another kind");
    std::memcpy(&values.emplace_back(), other.data(), sizeof(T));
  }
  return values;
}

/// Whether `value` is true on any rank. Collective.
inline bool any_rank(Communicator& communicator, bool value) {
  if (communicator.is_alone()) return value;
  const auto values = gather_values(communicator, static_cast<char>(value));
  return std::ranges::find(values, 1) != values.end();
}

}  // namespace warpfit
