#include "host/base/terminal_text.hpp"

#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

TEST(TerminalText, KeepsWhatATerminalDraws) {
  for (const auto* text : {"", "784-512-10", "/data/Übung 😀/x", "\u00a0", "\u4e2d\u6587"}) {
    EXPECT_EQ(sanitize_for_terminal(text), text);
  }
}

TEST(TerminalText, EscapesWhatATerminalActsOn) {
  EXPECT_EQ(sanitize_for_terminal("\x1b]0;title\x07"), "\\x1b]0;title\\x07");
  EXPECT_EQ(sanitize_for_terminal("a\r\t\b\x7f z"), "a\\x0d\\x09\\x08\\x7f z");
  EXPECT_EQ(sanitize_for_terminal(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(sanitize_for_terminal("\u009b2J\u0080\u009f"), "\\xc2\\x9b2J\\xc2\\x80\\xc2\\x9f");
  EXPECT_EQ(sanitize_for_terminal("\u202etxt.exe\u2066\u200f\u2028"),
            "\\xe2\\x80\\xaetxt.exe\\xe2\\x81\\xa6\\xe2\\x80\\x8f\\xe2\\x80\\xa8");
}

// A stray continuation byte, truncated characters, overlong forms, a surrogate, a code point above U+10FFFF.
TEST(TerminalText, EscapesInvalidUtf8ByteByByte) {
  EXPECT_EQ(sanitize_for_terminal("\xff\xfe"), "\\xff\\xfe");
  EXPECT_EQ(sanitize_for_terminal("\x80z"), "\\x80z");
  EXPECT_EQ(sanitize_for_terminal("\xc3"), "\\xc3");
  EXPECT_EQ(sanitize_for_terminal("\xe4\xb8z"), "\\xe4\\xb8z");
  EXPECT_EQ(sanitize_for_terminal("\xc0\x9b"), "\\xc0\\x9b");
  EXPECT_EQ(sanitize_for_terminal("\xe0\x80\x9b"), "\\xe0\\x80\\x9b");
  EXPECT_EQ(sanitize_for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(sanitize_for_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(sanitize_for_terminal("\xf8\x88\x80\x80\x80"), "\\xf8\\x88\\x80\\x80\\x80");
}

TEST(TerminalText, IndentsTheLinesAfterTheFirst) {
  EXPECT_EQ(sanitize_for_terminal("one\nwarpfit [info] two\n"), "one\n  warpfit [info] two\n  ");
}

TEST(TerminalText, KeepsTheBeginningAndTheEndOfLongText) {
  EXPECT_EQ(shorten("0123456789", 10), "0123456789");
  EXPECT_EQ(shorten("0123456789x", 10), "01234...(1 bytes left out)...6789x");
  EXPECT_EQ(shorten("", 10), "");
  EXPECT_EQ(shorten("aaä" + std::string(100, 'b') + "äzz", 6), "aa...(104 bytes left out)...zz");
  EXPECT_EQ(shorten("a😀" + std::string(100, 'b') + "😀z", 8), "a...(108 bytes left out)...z");
  // Text without a character boundary is truncated nevertheless.
  EXPECT_LE(shorten(std::string(100, '\x80'), 20).size(),
            20 + std::string("...(86 bytes left out)...").size());
}

TEST(Utf8, TellsValidTextFromOther) {
  for (const auto* text : {"", "a", "ä", "\u07ff\u0800\uffff", "\U00010000\U0010ffff"})
    EXPECT_TRUE(is_utf8(text));
  for (const auto* text :
       {"\xff", "a\xc3", "\xc1\xbf", "\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf"}) {
    EXPECT_FALSE(is_utf8(text)) << testing::PrintToString(text);
  }
  EXPECT_EQ(first_character("\u20ac").code, 0x20ACU);
  EXPECT_EQ(first_character("\U0001f600").code, 0x1F600U);
}

}  // namespace
}  // namespace warpfit::test
