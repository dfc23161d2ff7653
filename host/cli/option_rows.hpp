// The kinds of options in the tables. Each option reads and writes the field that it was created with, which
// must outlive it.
#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/cli/options.hpp"

namespace warpfit {

/// Upper limit of options that are numbers of epochs, batches or samples.
inline constexpr std::int64_t kMaxCount = 1'000'000'000;

/// The members that all options have in common.
struct Row {
  std::string_view group, flag, value, help;
};

inline Option text(const Row& row, std::string range, std::string& field) {
  return {.group = row.group,
          .flag = row.flag,
          .value = row.value,
          .help = std::string(row.help),
          .range = std::move(range),
          .get = [&field] { return field; },
          .set = [&field](std::string_view given) { field = given; }};
}

inline Option on_off(const Row& row, bool& field) {
  const auto set = [&field, flag = row.flag](std::string_view given) {
    if (given != "" && given != "true" && given != "false") {
      throw UsageError(fmt::format("{} {}: expected true or false", flag, given));
    }
    field = given != "false";
  };
  return {.group = row.group,
          .flag = row.flag,
          .help = std::string(row.help),
          .get = [&field] { return std::string(field ? "true" : ""); },
          .set = set};
}

/// A finite number within a range. The field is a T or std::optional<T>.
template <class T, class Field>
Option number(const Row& row, T lowest, T highest, Field& field, std::string otherwise = "") {
  const auto above = fmt::format("{} or more", lowest);
  const auto range =
      highest == std::numeric_limits<T>::max() ? above : fmt::format("{} to {}", lowest, highest);
  // A bound that is never reached in practice is mentioned only to users who exceed it.
  bool is_high = false;
  if constexpr (std::is_same_v<T, std::int64_t>) is_high = highest == kMaxCount;
  const auto set = [=, &field, flag = row.flag](std::string_view given) {
    const auto parsed = parse_number<T>(given);
    // Written so that NaN is refused; infinity is not a valid value of any option.
    const bool fits =
        parsed && *parsed >= lowest && *parsed <= highest && std::isfinite(static_cast<double>(*parsed));
    if (!fits) throw UsageError(fmt::format("{} {}: expected a number, {}", flag, given, range));
    field = *parsed + T{0};  // -0 becomes 0: a configuration file would lose the sign of "-0", an integer
  };
  const auto get = [&field]() -> std::string {
    if constexpr (std::is_same_v<Field, std::optional<T>>) {
      return field ? fmt::format("{}", *field) : "";
    } else {
      return fmt::format("{}", field);
    }
  };
  return {.group = row.group,
          .flag = row.flag,
          .value = row.value,
          .help = std::string(row.help),
          .range = is_high ? above : range,
          .otherwise = std::move(otherwise),
          .is_number = true,
          .get = get,
          .set = set};
}

/// One of several words, each with the value that it represents.
template <class T>
Option choice(const Row& row, std::vector<std::pair<std::string_view, T>> words, T& field) {
  std::string range;
  for (const auto& [word, value] : words) range += fmt::format("{}{}", range.empty() ? "" : ", ", word);
  const auto get = [words, &field] {
    const auto named = [&](const auto& entry) { return entry.second == field; };
    return std::string(std::ranges::find_if(words, named)->first);
  };
  const auto set = [words, &field, range, flag = row.flag](std::string_view given) {
    const auto named = [&](const auto& entry) { return entry.first == given; };
    const auto found = std::ranges::find_if(words, named);
    if (found == words.end()) throw UsageError(fmt::format("{} {}: expected one of {}", flag, given, range));
    field = found->second;
  };
  return {.group = row.group,
          .flag = row.flag,
          .value = row.value,
          .help = std::string(row.help),
          .range = range,
          .get = get,
          .set = set};
}

}  // namespace warpfit
