// The kinds of rows that the table of options is made of.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/cli/options.hpp"

namespace warpfit {

/// What every row has in common.
struct Row {
  std::string_view group, flag, value, help;
};

/// `access` gives the field of a TrainCommand, const or not.
template <class Access>
Option text(const Row& row, std::string range, Access access) {
  return {row.group,
          row.flag,
          row.value,
          std::string(row.help),
          std::move(range),
          [access](const TrainCommand& command) { return access(command); },
          [access](TrainCommand& command, std::string_view given) { access(command) = given; }};
}

template <class Access>
Option on_off(const Row& row, Access access) {
  return {row.group,
          row.flag,
          row.value,
          std::string(row.help),
          "",
          [](const TrainCommand&) { return std::string(); },
          [access](TrainCommand& command, std::string_view) { access(command) = true; }};
}

/// A finite number of a range. `access` gives a T, or an optional one.
template <class T, class Access, class Get>
Option number(const Row& row, T lowest, T highest, Access access, Get get) {
  const std::string range = highest == std::numeric_limits<T>::max()
                                ? fmt::format("{} or more", lowest)
                                : fmt::format("{} to {}", lowest, highest);
  const auto set = [=, flag = row.flag](TrainCommand& command, std::string_view given) {
    const auto parsed = parse_number<T>(given);
    // Written so that nan is refused; infinity is no value that anything here can take.
    const bool fits =
        parsed && *parsed >= lowest && *parsed <= highest && std::isfinite(static_cast<double>(*parsed));
    if (!fits) throw UsageError(fmt::format("{} {}: expected a number, {}", flag, given, range));
    access(command) = *parsed;
  };
  return {row.group, row.flag, row.value, std::string(row.help), range, get, set};
}

template <class T, class Access>
Option number(const Row& row, T lowest, T highest, Access access) {
  return number(row, lowest, highest, access,
                [access](const TrainCommand& command) { return fmt::format("{}", access(command)); });
}

/// A number whose default is told in words, as it depends on other flags.
template <class T, class Access>
Option number_or(const Row& row, T lowest, T highest, std::string_view otherwise, Access access) {
  return number(row, lowest, highest, access,
                [otherwise](const TrainCommand&) { return std::string(otherwise); });
}

/// One of a few words, each with what it stands for.
template <class T, class Access>
Option choice(const Row& row, std::vector<std::pair<std::string_view, T>> words, Access access) {
  std::string range;
  for (const auto& [word, value] : words) range += fmt::format("{}{}", range.empty() ? "" : ", ", word);
  const auto get = [words, access](const TrainCommand& command) {
    const auto named = [&](const auto& entry) { return entry.second == access(command); };
    return std::string(std::find_if(words.begin(), words.end(), named)->first);
  };
  const auto set = [words, access, range, flag = row.flag](TrainCommand& command, std::string_view given) {
    const auto named = [&](const auto& entry) { return entry.first == given; };
    const auto found = std::find_if(words.begin(), words.end(), named);
    if (found == words.end()) throw UsageError(fmt::format("{} {}: expected one of {}", flag, given, range));
    access(command) = found->second;
  };
  return {row.group, row.flag, row.value, std::string(row.help), range, get, set};
}

}  // namespace warpfit
