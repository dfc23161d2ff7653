#include "host/files/json.hpp"

#include <fmt/core.h>

#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"

namespace warpfit {
namespace {

// About 40 bytes each, so that a small file cannot use much memory.
constexpr std::int64_t kMaxValues = 1'000'000;
constexpr std::size_t kMaxLevels = 64;
constexpr std::string_view kBetweenValues = " \t\r\n,:";

// Iterates over the text and records how far the parser has read, since its SAX events have no positions.
class WatchedIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  WatchedIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  WatchedIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  bool operator==(const WatchedIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

// The library's message without its error number, the position, and the token, which may be as long as the
// file.
std::string reason(std::string_view text) {
  for (const std::string_view lead : {"] ", " - "}) {
    const auto found = text.find(lead);
    if (found != text.npos) text.remove_prefix(found + lead.size());
  }
  return std::string(text.substr(0, text.find("; last read")).substr(0, 120));
}

// Builds a Json value from the parser's events.
class Builder {
 public:
  Builder(std::string_view text, const std::string& path, std::uint64_t first_byte)
      : text_(text), path_(path), first_byte_(first_byte) {}

  Json parse() {
    if (text_.starts_with("\xEF\xBB\xBF")) fail(0, "a byte order mark");
    if (const auto nul = text_.find('\0'); nul != text_.npos) fail(nul, "a NUL byte");
    const char* const end = text_.data() + text_.size();
    nlohmann::json::sax_parse(WatchedIterator(text_.data(), &reached_), WatchedIterator(end, &reached_),
                              this);
    return std::move(root_);
  }

  bool null() { return add(nullptr); }
  bool boolean(bool value) { return add(value); }
  bool string(std::string& value) {
    check_text(value);
    return add(std::move(value));
  }
  bool number_integer(std::int64_t value) { return value == 0 ? add(-0.0) : add(value); }
  bool number_unsigned(std::uint64_t value) {
    if (value > std::numeric_limits<std::int64_t>::max())
      fail(next(), "an integer that does not fit 64 bits");
    return add(static_cast<std::int64_t>(value));
  }
  // Also called for integers of more than 64 bits.
  bool number_float(double value, const std::string& spelled) {
    if (spelled.find_first_of(".eE") == spelled.npos) fail(next(), "an integer that does not fit 64 bits");
    return add(value);
  }
  bool binary(std::vector<std::uint8_t>&) { return false; }  // not used for text

  bool start_object(std::size_t) { return open(Json::Object{}); }
  bool start_array(std::size_t) { return open(Json::Array{}); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    check_text(name);
    const auto [member, is_new] = std::get<Json::Object>(open_.back()->value).try_emplace(std::move(name));
    if (!is_new) fail(next(), fmt::format("the duplicate key '{}'", shown(member->first)));
    member_ = &member->second;
    return after_token();
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    fail(position > 0 ? position - 1 : 0, reason(error.what()));
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& found) const {
    throw ModelError(fmt::format("{}: expected JSON, found at byte {}: {}", path_, first_byte_ + at, found));
  }

  void check_text(const std::string& text) const {
    if (text.find('\0') != text.npos) fail(next(), "a string with a NUL character");
  }

  // The position of this event's token. After a number, the parser has already read one more byte, which is a
  // separator.
  [[nodiscard]] std::size_t next() const { return text_.find_first_not_of(kBetweenValues, after_last_); }

  bool after_token() {
    after_last_ = static_cast<std::size_t>(reached_ - text_.data());
    return true;
  }

  Json& insert(Json::Value value) {
    if (++values_ > kMaxValues) fail(next(), fmt::format("more than {} values", kMaxValues));
    Json json{std::move(value), first_byte_ + next()};
    if (open_.empty()) return root_ = std::move(json);
    if (auto* array = std::get_if<Json::Array>(&open_.back()->value)) {
      return array->emplace_back(std::move(json));
    }
    return *member_ = std::move(json);
  }

  bool add(Json::Value value) {
    insert(std::move(value));
    return after_token();
  }

  bool open(Json::Value empty) {
    if (open_.size() == kMaxLevels) fail(next(), fmt::format("more than {} levels", kMaxLevels));
    open_.push_back(&insert(std::move(empty)));
    return after_token();
  }

  bool close() {
    open_.pop_back();
    return after_token();
  }

  std::string_view text_;
  const std::string& path_;
  std::uint64_t first_byte_;
  Json root_;
  std::vector<Json*> open_;  // a container is not moved while a value in it is open
  Json* member_ = nullptr;   // the member of the innermost object whose value follows
  const char* reached_ = text_.data();
  std::size_t after_last_ = 0;  // end of the previous event's token
  std::int64_t values_ = 0;
};

}  // namespace

Json parse_json(std::string_view text, const std::string& path, std::uint64_t first_byte) {
  return Builder(text, path, first_byte).parse();
}

std::string json_quoted(std::string_view text, const std::string& path) {
  if (text.find('\0') != text.npos)
    throw ModelError(fmt::format("{}: cannot write a string with a NUL character", path));
  try {
    return nlohmann::json(text).dump();
  } catch (const nlohmann::json::type_error& error) {
    throw ModelError(fmt::format("{}: cannot write a string: {}", path, reason(error.what())));
  }
}

void check_text(std::string_view text, const std::string& path) { json_quoted(text, path); }

}  // namespace warpfit
