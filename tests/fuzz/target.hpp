// The interface of a fuzz target, which reads one input as warpfit reads a file or a command line. driver.cpp
// connects it to libFuzzer.
//
// Readers must report malformed input with the errors of host/base/error.hpp, except InternalError. Any other
// exception, a sanitizer report, a timeout, or memory use above the limits of tools/fuzz is a finding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/files.hpp"

namespace warpfit::fuzz {

using test::Bytes;
using Input = std::span<const std::uint8_t>;

/// Each target defines the following three functions.

/// Reads `input`. Throws what the reader throws, and std::logic_error from require().
void read(Input input);
/// Valid inputs to start from, created by warpfit's own writers if there are any.
std::vector<Bytes> seeds();
/// Tokens of the format, for the fuzzer's dictionary.
std::vector<std::string> words();

/// Requires a property that holds for every input the reader accepts; `property` names it in the report.
void require(bool holds, const std::string& property);

/// An in-memory file that contains the input, for readers that take a path.
class InputFile {
 public:
  InputFile();
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Replaces the file's contents and returns its path.
  const std::string& holding(Input bytes);

 private:
  int descriptor_ = -1;
  std::string path_;
};

/// The path of a file in a temporary folder of this process, for writers.
std::string output_path();

Bytes bytes_of(std::string_view text);
std::string_view text_of(Input input);

}  // namespace warpfit::fuzz
