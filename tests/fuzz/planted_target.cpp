// A reader with a planted fault, for the test that a finding is reported.
#include <stdexcept>

#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {

void read(Input input) { require(!text_of(input).starts_with("fa"), "planted fault"); }

std::vector<Bytes> seeds() { return {bytes_of("seed")}; }

std::vector<std::string> words() { return {"fa"}; }

}  // namespace warpfit::fuzz
