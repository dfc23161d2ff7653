#include "host/stream/class_names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ClassNames : public testing::Test {
 protected:
  std::vector<std::string> read(const std::string& text) {
    return read_class_names(folder_.add("classes.txt", {text.begin(), text.end()}));
  }
  std::string error_message(const std::string& text) {
    try {
      read(text);
    } catch (const DataError& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
};

TEST_F(ClassNames, AreLines) {
  EXPECT_THAT(read("T-shirt/top\nAnkle boot\n"), ElementsAre("T-shirt/top", "Ankle boot"));
  EXPECT_THAT(read("\xEF\xBB\xBFone\r\ntwo\r\n\r\n"), ElementsAre("one", "two"));
  EXPECT_THAT(read("caf\xC3\xA9"), ElementsAre("caf\xC3\xA9"));
}

TEST_F(ClassNames, AreText) {
  EXPECT_THAT(error_message("one\n\ntwo"),
              HasSubstr("classes.txt: line 2 is empty, expected the name of class 1"));
  EXPECT_THAT(error_message("one\nt\x1b[2Jwo"), HasSubstr("line 2 contains a control character, expected"));
  EXPECT_THAT(error_message("\xFF"), HasSubstr("line 1 is not UTF-8, expected"));
  EXPECT_THAT(error_message(std::string(201, 'a')), HasSubstr("line 1 has 201 bytes"));
  EXPECT_THAT(error_message(""), HasSubstr("is empty, expected the name"));
  EXPECT_THAT(error_message("\n\n"), HasSubstr("is empty, expected the name"));
}

TEST_F(ClassNames, AreNextToTheLabels) {
  const auto labels = folder_.add("labels", {});
  EXPECT_EQ(class_names_next_to(labels), "");
  const auto names = folder_.add("classes.txt", {'a'});
  EXPECT_EQ(class_names_next_to(labels), names);
}

}  // namespace
}  // namespace warpfit::test
