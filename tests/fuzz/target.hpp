// A fuzz target reads one input as warpfit reads a file or a command line. driver.cpp connects it to
// libFuzzer.
//
// The readers report malformed input with the errors of host/base/error.hpp, InternalError excepted. Any
// other exception, a report of a sanitizer, a timeout, or more memory than the limits of tools/fuzz is a
// finding.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/support/files.hpp"

namespace warpfit::fuzz {

using test::Bytes;
using Input = std::span<const std::uint8_t>;

/// Each target defines these three.

/// Reads `input`. Throws whatever the reader throws, and std::logic_error from require().
void read(Input input);
/// Valid inputs to start from, made by warpfit's own writers where there are any.
std::vector<Bytes> seeds();
/// Tokens of the format: the fuzzer's dictionary.
std::vector<std::string> words();

/// A property of the reader that must hold for every input it accepts; `property` names it in the report.
void require(bool holds, const std::string& property);

/// A file in memory that holds the input, for readers that take a path.
class InputFile {
 public:
  InputFile();
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Replaces the file's content and returns its path.
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
