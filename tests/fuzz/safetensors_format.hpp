// Mutations of safetensors files that keep the header length and the checksum valid.
#pragma once

#include <string>
#include <vector>

#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {

/// Mutates the header or the data of a file of at most `max_size` bytes in place and returns the new size.
/// Most results have the correct header length and, if the header has a checksum, the correct checksum.
std::size_t mutate_safetensors(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed);

/// Tokens of the format and of warpfit's metadata, for the dictionary.
std::vector<std::string> safetensors_words();

/// The bytes that a writer of warpfit produces.
template <class Write>
Bytes written(Write write) {
  const auto path = output_path();
  write(path);
  return test::read_file(path);
}

}  // namespace warpfit::fuzz
