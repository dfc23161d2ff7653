#include "host/files/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"

namespace warpfit::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

const std::string kPath = "model.json";

Json parse(std::string_view text) { return parse_json(text, kPath); }

template <class T>
T value_of(std::string_view text) {
  return std::get<T>(parse(text).value);
}

std::string times(int count, std::string_view text) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

TEST(JsonTest, ReadsEachKindOfValue) {
  EXPECT_EQ(value_of<std::nullptr_t>("null"), nullptr);
  EXPECT_EQ(value_of<bool>(" true "), true);
  EXPECT_EQ(value_of<std::int64_t>("0"), 0);
  EXPECT_EQ(value_of<std::int64_t>("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(value_of<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(value_of<double>("-2.5e-1"), -0.25);
  EXPECT_EQ(value_of<std::string>(R"("a\"\\\/\n\u00e4\ud83d\ude00ä")"), "a\"\\/\nä😀ä");
  EXPECT_TRUE(value_of<Json::Array>("[]").empty());
  EXPECT_TRUE(value_of<Json::Object>("{ }").empty());
}

// 1.0 must not be accepted as an integer, nor -0 as a size.
TEST(JsonTest, TellsIntegersFromOtherNumbers) {
  for (const auto* text : {"1.0", "1e0", "1E2", "-0", "-0.0"}) {
    EXPECT_TRUE(std::holds_alternative<double>(parse(text).value)) << text;
  }
}

TEST(JsonTest, KeepsTheOrderOfArraysAndFindsMembers) {
  const auto object = value_of<Json::Object>(R"({"b": [1, [2, "x"], {}], "a": {"b": false}})");
  ASSERT_EQ(object.size(), 2U);
  const auto& array = std::get<Json::Array>(object.at("b").value);
  ASSERT_EQ(array.size(), 3U);
  EXPECT_EQ(std::get<std::int64_t>(array[0].value), 1);
  EXPECT_EQ(std::get<std::string>(std::get<Json::Array>(array[1].value)[1].value), "x");
  EXPECT_TRUE(std::get<Json::Object>(array[2].value).empty());
  EXPECT_FALSE(std::get<bool>(std::get<Json::Object>(object.at("a").value).at("b").value));
}

TEST(JsonTest, KnowsWhereEachValueBegins) {
  const auto root = parse_json(R"({"a" : [10,"bc", 3] ,"d":{"e": 4.5},"f":true, "g":null})", kPath, 100);
  EXPECT_EQ(root.byte, 100U);
  const auto& object = std::get<Json::Object>(root.value);
  const auto& array = std::get<Json::Array>(object.at("a").value);
  EXPECT_EQ(object.at("a").byte, 107U);
  EXPECT_EQ(array[0].byte, 108U);
  EXPECT_EQ(array[1].byte, 111U);
  EXPECT_EQ(array[2].byte, 117U);
  EXPECT_EQ(object.at("d").byte, 125U);
  EXPECT_EQ(std::get<Json::Object>(object.at("d").value).at("e").byte, 131U);
  EXPECT_EQ(object.at("f").byte, 140U);
  EXPECT_EQ(object.at("g").byte, 150U);
}

TEST(JsonTest, RefusesWhatIsNoJson) {
  const std::string nul(1, '\0');
  const std::pair<std::string, std::string> cases[] = {
      {"", "byte 0: unexpected end of input"},
      {"  ", "byte 2"},
      {"{", "byte 1: unexpected end of input"},
      {"[1,", "byte 3"},
      {"[1 2]", "byte 3"},
      {"[1,]", "byte 3: unexpected ']'"},
      {R"({"a":1,})", "byte 7"},
      {R"({"a"})", "byte 4"},
      {R"({a:1})", "byte 1: invalid literal"},
      {R"({1:1})", "byte 1"},
      {"'a'", "byte 0"},
      {"tru", "byte"},
      {"True", "byte 0"},
      {"NaN", "byte 0"},
      {"Infinity", "byte 0"},
      {"-", "byte"},
      {"01", "byte 1"},
      {"+1", "byte 0"},
      {".5", "byte 0"},
      {"1.", "byte"},
      {"0x10", "byte"},
      {"// a\n1", "byte"},
      {"/* a */ 1", "byte"},
      {"1 2", "byte 2"},
      {"{}}", "byte 2"},
      {"{}x", "byte 2"},
      {"1" + nul, "byte 1: a NUL byte"},
      {"\"a" + nul + "\"", "byte 2: a NUL byte"},
      {R"("a\u0000")", "byte 0: a string with a NUL character"},
      {R"({"ab": 1, "a\u0000": 1})", "byte 10: a string with a NUL character"},
      {"\"a\nb\"", "byte 2: invalid string: control character"},
      {"\"a", "byte"},
      {R"("\x41")", "byte"},
      {R"("\ud800")", "byte"},
      {R"("\udc00")", "byte"},
      {R"("\u12g4")", "byte"},
      {"\"\xFF\"", "byte 1: invalid string: ill-formed UTF-8"},
      {"\"\xC0\x80\"", "byte 1"},
      {"\"\xED\xA0\x80\"", "byte 2"},
      {"\xEF\xBB\xBF{}", "byte 0: a byte order mark"},
      {R"({"a": 1, "b": 2, "a": 3})", "byte 17: the duplicate key 'a'"},
      {R"({"x": {"a": 1, "\u0061": 1}})", "byte 15: the duplicate key 'a'"},
      {R"({"\u001b": 1, "\u001b": 1})", "byte 14: the duplicate key '?'"},
      {"9223372036854775808", "byte 0: an integer that does not fit 64 bits"},
      {"[18446744073709551615]", "byte 1: an integer that does not fit"},
      {"[1, 18446744073709551616]", "byte 4: an integer that does not fit"},
      {"-9223372036854775809", "an integer that does not fit"},
      {"1e999", "number overflow"},
      {"-1e999", "number overflow"},
      {times(65, "["), "byte 64: more than 64 levels"},
      {times(100'000, R"({"a":)"), "byte 320: more than 64 levels"},
      {"[" + times(1'000'000, "0,") + "0]", "byte 1999999: more than 1000000 values"},
  };
  for (const auto& [text, message] : cases) {
    EXPECT_THAT([&text = text] { parse(text); },
                ThrowsMessage<ModelError>(AllOf(HasSubstr(kPath + ": expected JSON"), HasSubstr(message))))
        << text.substr(0, 100);
  }
}

TEST(JsonTest, TakesAsManyLevelsAsItSays) {
  EXPECT_NO_THROW(parse(times(64, "[") + times(64, "]")));
  EXPECT_NO_THROW(parse("[" + times(100, "[],") + "[]]"));
}

// The parser's own messages repeat what it has read, however long that is.
TEST(JsonTest, KeepsItsMessagesShort) {
  const std::string much(1'000'000, '9');
  for (const auto& text : {"\"" + much, "1e" + much, "x" + much}) {
    try {
      parse(text);
      FAIL();
    } catch (const ModelError& error) {
      EXPECT_LT(std::string_view(error.what()).size(), 200U) << error.what();
      EXPECT_THAT(error.what(), testing::Not(HasSubstr("last read")));
    }
  }
}

TEST(JsonTest, QuotesSoThatItIsReadBack) {
  EXPECT_EQ(json_quoted("a", kPath), R"("a")");
  EXPECT_EQ(json_quoted("\"\\\n\x01", kPath), R"("\"\\\n\u0001")");
  EXPECT_EQ(json_quoted("ä😀", kPath), "\"ä😀\"");
  for (const auto* text : {"", "a b", "\"\\/\b\f\n\r\t\x1f\x7f", "ä😀\ufeff"}) {
    EXPECT_EQ(value_of<std::string>(json_quoted(text, kPath)), text);
  }
}

TEST(JsonTest, RefusesToQuoteWhatItWouldNotRead) {
  EXPECT_THAT([] { json_quoted("\xFF", kPath); }, ThrowsMessage<ModelError>(HasSubstr("invalid UTF-8")));
  EXPECT_THAT([] { json_quoted("\xC3", kPath); }, ThrowsMessage<ModelError>(HasSubstr(kPath)));
  EXPECT_THAT([] { json_quoted({"a\0b", 3}, kPath); }, ThrowsMessage<ModelError>(HasSubstr("NUL")));
}

}  // namespace
}  // namespace warpfit::test
