#include "tests/support/random.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace warpfit::test {
namespace {

class PrintSeed : public testing::EmptyTestEventListener {
  void OnTestProgramStart(const testing::UnitTest&) override {
    std::printf("seed %u (WARPFIT_TEST_SEED sets another)\n", test_seed());
  }
};

const bool kSeedIsPrinted = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new PrintSeed);  // takes ownership
  return true;
}();

template <class T, class Distribution>
std::vector<T> draw(std::int64_t size, std::mt19937& engine, Distribution distribution) {
  std::vector<T> values(static_cast<std::size_t>(size));
  for (T& value : values) value = static_cast<T>(distribution(engine));
  return values;
}

}  // namespace

std::uint32_t test_seed() {
  const char* given = std::getenv("WARPFIT_TEST_SEED");
  return given != nullptr ? static_cast<std::uint32_t>(std::stoul(given)) : 20260101U;
}

std::vector<float> TestValues::uniform(std::int64_t size, double bound) {
  return draw<float>(size, engine_, std::uniform_real_distribution<double>(-bound, bound));
}

std::vector<float> TestValues::integers(std::int64_t size, int bound) {
  return draw<float>(size, engine_, std::uniform_int_distribution<int>(-bound, bound));
}

std::vector<Label> TestValues::labels(std::int64_t size, int classes) {
  return draw<Label>(size, engine_, std::uniform_int_distribution<int>(0, classes - 1));
}

std::vector<std::uint8_t> TestValues::bytes(std::int64_t size) {
  return draw<std::uint8_t>(size, engine_, std::uniform_int_distribution<int>(0, 255));
}

}  // namespace warpfit::test
