// Strict parsing of JSON (RFC 8259): no duplicate keys, no numbers out of range, nothing after the value.
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
  std::uint64_t byte = 0;  ///< offset of the value in the file
};

/// Parses `text`, which starts at `first_byte` of the file at `path` (for messages).
/// Numbers without fraction and exponent are integers, except -0. At most 64 levels and a million values.
/// Errors: ModelError naming file and byte.
Json parse_json(std::string_view text, const std::string& path, std::uint64_t first_byte = 0);

/// `text` as a quoted JSON string, which parse_json() can read. Errors: those of check_text().
std::string json_quoted(std::string_view text, const std::string& path);

/// Errors: ModelError naming the file that the text is for if it is not UTF-8 or contains a NUL.
void check_text(std::string_view text, const std::string& path);

}  // namespace warpfit
