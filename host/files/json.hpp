// JSON (RFC 8259), read strictly: no key twice, no number that does not fit, nothing after the value.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace warpfit {

struct Json {
  using Array = std::vector<Json>;
  using Object = std::map<std::string, Json, std::less<>>;
  using Value = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object>;

  Value value;
  std::uint64_t byte = 0;  ///< of the file, where it begins
};

/// `text` begins at `first_byte` of the file at `path`, for messages.
/// Integers are those without fraction and exponent; -0 is none. At most 64 levels and a million values.
/// Errors: ModelError naming file and byte.
Json parse_json(std::string_view text, const std::string& path, std::uint64_t first_byte = 0);

/// `text` as a JSON string, in quotes, which parse_json reads back. Errors: those of check_text.
std::string json_quoted(std::string_view text, const std::string& path);

/// Errors: ModelError naming the file it is for, where it is no UTF-8 or holds a NUL.
void check_text(std::string_view text, const std::string& path);

}  // namespace warpfit
