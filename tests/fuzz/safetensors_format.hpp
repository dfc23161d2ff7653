// Mutations of safetensors files that get behind the length of the header and the checksum.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {

/// Mutates header or data of a file of at most `max_size` bytes in place and returns its new size. Most of
/// the results have the right header length and, where the header has one, the right checksum.
std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed);

/// Tokens of the format and of warpfit's metadata.
std::vector<std::string> safetensors_words();

/// What a writer of warpfit writes, as bytes.
template <class Write>
Bytes written(Write write) {
  const auto path = output_path();
  write(path);
  return test::read_file(path);
}

}  // namespace warpfit::fuzz
