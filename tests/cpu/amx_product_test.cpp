// Products with AMX compared with sums in double precision, on processors with AMX.
#include "host/cpu/amx_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "host/cpu/matmul.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/random.hpp"
#include "tests/support/reference.hpp"

namespace warpfit::cpu::test {
namespace {

using warpfit::test::all_close;
using warpfit::test::all_equal;
using warpfit::test::Doubles;
using warpfit::test::TestValues;

constexpr float kGuard = 7777;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr double kUnitRoundoff = 0x1p-24;

struct Shape {
  std::int64_t rows, cols, depth;
};

/// The lines of an operand in memory, with gaps between the rows that it is stored in.
class Lines {
 public:
  Lines(std::int64_t lines, std::int64_t depth, bool is_contiguous, const std::vector<float>& values)
      : depth_(depth), stride_((is_contiguous ? depth : lines) + 3), is_contiguous_(is_contiguous) {
    memory_.assign(static_cast<std::size_t>((is_contiguous ? lines : depth) * stride_), kNan);
    for (std::int64_t line = 0; line < lines; ++line) {
      for (std::int64_t k = 0; k < depth; ++k)
        at(line, k) = values[static_cast<std::size_t>(line * depth + k)];
    }
  }

  float& at(std::int64_t line, std::int64_t k) {
    return memory_[static_cast<std::size_t>(is_contiguous_ ? line * stride_ + k : k * stride_ + line)];
  }
  [[nodiscard]] ProductLines from(std::int64_t line) const {
    return {memory_.data() + (is_contiguous_ ? line * stride_ : line), stride_, is_contiguous_};
  }
  [[nodiscard]] std::int64_t depth() const { return depth_; }

 private:
  std::int64_t depth_, stride_;
  bool is_contiguous_;
  std::vector<float> memory_;
};

class AmxProducts : public testing::Test {
 protected:
  void SetUp() override {
    if (!AmxProduct::is_available()) GTEST_SKIP() << "this processor has no AMX";
  }

  // The product as it is stored in memory with gaps between its rows, which must stay as they were.
  struct Stored {
    std::vector<float> memory;
    std::int64_t rows, cols;

    Stored(std::int64_t row_count, std::int64_t col_count, float value)
        : memory(static_cast<std::size_t>(row_count * (col_count + kGap)), kGuard),
          rows(row_count),
          cols(col_count) {
      for (std::int64_t row = 0; row < rows; ++row) std::fill_n(memory.begin() + row * stride(), cols, value);
    }
    [[nodiscard]] std::int64_t stride() const { return cols + kGap; }
    [[nodiscard]] Part<float> part() { return {memory.data(), rows, cols, stride()}; }
    [[nodiscard]] std::vector<float> values() const {
      std::vector<float> found;
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto begin = memory.begin() + row * stride();
        found.insert(found.end(), begin, begin + cols);
        for (auto gap = begin + cols; gap != begin + stride(); ++gap) EXPECT_EQ(*gap, kGuard);
      }
      return found;
    }
    static constexpr std::int64_t kGap = 5;
  };

  std::vector<float> multiply(const Lines& a, const Lines& b, std::int64_t rows, std::int64_t cols) {
    Stored c(rows, cols, kNan);
    product_.run(a.from(0), b.from(0), a.depth(), {.c = c.part()});
    return c.values();
  }

  static Doubles expected(const std::vector<float>& a, const std::vector<float>& b, const Shape& s) {
    Doubles sums;
    for (std::int64_t row = 0; row < s.rows; ++row) {
      for (std::int64_t col = 0; col < s.cols; ++col) {
        double sum = 0;
        for (std::int64_t k = 0; k < s.depth; ++k)
          sum += double{a[static_cast<std::size_t>(row * s.depth + k)]} *
                 b[static_cast<std::size_t>(col * s.depth + k)];
        sums.push_back(sum);
      }
    }
    return sums;
  }

  void check(const Shape& s) {
    const auto a_size = s.rows * s.depth, b_size = s.cols * s.depth;
    check(s, values_.integers(a_size), values_.integers(b_size));
    check(s, of_several_parts(a_size, s.depth), values_.integers(b_size, 1));
    check(s, values_.integers(a_size, 1), of_several_parts(b_size, s.depth));
  }

  void check(const Shape& s, const std::vector<float>& a, const std::vector<float>& b) {
    const auto sums = expected(a, b, s);
    for (const bool a_is_contiguous : {true, false}) {
      for (const bool b_is_contiguous : {true, false}) {
        SCOPED_TRACE(testing::Message() << s.rows << "x" << s.cols << " over " << s.depth
                                        << ", contiguous: " << a_is_contiguous << b_is_contiguous);
        EXPECT_TRUE(all_equal(multiply({s.rows, s.depth, a_is_contiguous, a},
                                       {s.cols, s.depth, b_is_contiguous, b}, s.rows, s.cols),
                              sums));
      }
    }
  }

  // Integers of no, two and, if the sums stay below 2^24, three parts.
  std::vector<float> of_several_parts(std::int64_t size, std::int64_t depth) {
    constexpr float kTwoParts = 257, kThreeParts = 131329;  // 2^17 + 2^8 + 1
    auto values = values_.integers(size, depth <= 127 ? 2 : 1);
    for (auto& value : values) value *= std::abs(value) == 2 ? kThreeParts / 2 : kTwoParts;
    return values;
  }

  AmxProduct product_;
  TestValues values_;
};

TEST_F(AmxProducts, AreExactRoundTheEdgesOfTiles) {
  for (const std::int64_t size : {1, 2, 15, 16, 17, 31, 32, 33, 63, 65}) {
    check({size, 5, 7});
    check({5, size, 33});
    check({35, 18, size});
  }
}

TEST_F(AmxProducts, AreExactRoundTheEdgesOfParts) {
  check({511, 33, 40});
  check({513, 33, 40});
  check({33, 127, 40});
  check({33, 129, 40});
  check({33, 40, 512});
  check({33, 40, 513});
  check({1030, 140, 520});
}

// Numbers of one, two and three parts: without one of the six products of parts, a result is wrong by more
// than 1e-6 of it.
TEST_F(AmxProducts, HaveAllSixProductsOfParts) {
  const std::vector<float> a{1, 3, 257, 131329, -131329, 16777213, 0.1F};
  const std::vector<float> b{1, -257, 131329, 8388605, 1e-3F};
  const auto rows = static_cast<std::int64_t>(a.size()), cols = static_cast<std::int64_t>(b.size());
  EXPECT_TRUE(all_close(multiply({rows, 1, true, a}, {cols, 1, true, b}, rows, cols),
                        expected(a, b, {rows, cols, 1}), {0, 1.1 * kUnitRoundoff}));
}

TEST_F(AmxProducts, RoundLessThanFp32Instructions) {
  const Shape s{64, 64, 2048};
  const auto a = values_.uniform(s.rows * s.depth), b = values_.uniform(s.cols * s.depth);
  const auto sums = expected(a, b, s);
  const auto error = [&](const std::vector<float>& values) {
    double squares = 0;
    for (std::size_t i = 0; i < values.size(); ++i) squares += std::pow(values[i] - sums[i], 2);
    return std::sqrt(squares / static_cast<double>(values.size()));
  };
  std::vector<float> fp32(sums.size());
  const std::vector<float> no_bias(static_cast<std::size_t>(s.cols));
  Matmul().forward({a.data(), s.rows, s.depth}, {b.data(), s.cols, s.depth}, no_bias.data(),
                   {fp32.data(), s.rows, s.cols, s.cols});
  EXPECT_LT(error(multiply({s.rows, s.depth, true, a}, {s.cols, s.depth, true, b}, s.rows, s.cols)),
            0.6 * error(fp32));
}

TEST_F(AmxProducts, ScaleAndKeepAndAddABias) {
  const Shape s{40, 35, 1030};
  const auto a = values_.integers(s.rows * s.depth), b = values_.integers(s.cols * s.depth);
  const auto bias = values_.integers(s.cols);
  const Lines rows(s.rows, s.depth, true, a), cols(s.cols, s.depth, false, b);
  for (const float keep : {0.0F, 2.0F}) {
    Stored c(s.rows, s.cols, keep == 0 ? kNan : 3.0F);
    product_.run(rows.from(0), cols.from(0), s.depth,
                 {.c = c.part(), .scale = -0.5F, .keep = keep, .bias = bias.data()});
    auto sums = expected(a, b, s);
    for (std::size_t i = 0; i < sums.size(); ++i)
      sums[i] = -0.5 * sums[i] + (keep == 0 ? 0 : 6) + bias[i % static_cast<std::size_t>(s.cols)];
    EXPECT_TRUE(all_equal(c.values(), sums));
  }
}

TEST_F(AmxProducts, FinishEachTileOnceWithFinalValues) {
  const Shape s{70, 150, 600};
  const Lines rows(s.rows, s.depth, true, values_.uniform(s.rows * s.depth));
  const Lines cols(s.cols, s.depth, true, values_.uniform(s.cols * s.depth));
  Stored c(s.rows, s.cols, 0);
  std::vector<float> seen(static_cast<std::size_t>(s.rows * s.cols), 0);
  const auto part = c.part();
  product_.run(rows.from(0), cols.from(0), s.depth, {.c = part}, [&](const Tile& tile) {
    for (std::int64_t row = tile.row; row < tile.row + tile.rows; ++row) {
      for (std::int64_t col = tile.column; col < tile.column + tile.columns; ++col)
        seen[static_cast<std::size_t>(row * s.cols + col)] += part.data[row * part.stride + col];
    }
  });
  EXPECT_EQ(seen, c.values());
}

TEST_F(AmxProducts, DoNotDependOnTheDivision) {
  const Shape s{530, 140, 700};
  const Lines rows(s.rows, s.depth, true, values_.uniform(s.rows * s.depth));
  const Lines cols(s.cols, s.depth, false, values_.uniform(s.cols * s.depth));
  const auto whole = multiply(rows, cols, s.rows, s.cols);
  Stored c(s.rows, s.cols, 0);
  for (const auto& [row, count] : {std::pair<std::int64_t, std::int64_t>{0, 17}, {17, 513}}) {
    for (const auto& [column, width] : {std::pair<std::int64_t, std::int64_t>{0, 50}, {50, 90}}) {
      const Part<float> part{c.part().data + row * c.stride() + column, count, width, c.stride()};
      product_.run(rows.from(row), cols.from(column), s.depth, {.c = part});
    }
  }
  EXPECT_EQ(whole, c.values());
}

// If a NaN or an infinity were lost, or spread to other rows, a diverged run would look different.
TEST_F(AmxProducts, KeepWhatIsNotFiniteInItsRowOrColumn) {
  const Shape s{40, 50, 70};
  const auto a = values_.integers(s.rows * s.depth), b = values_.integers(s.cols * s.depth);
  const auto sums = expected(a, b, s);
  for (const float special : {kNan, std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::max()}) {  // which has no finite bf16 value
    Lines rows(s.rows, s.depth, true, a), cols(s.cols, s.depth, false, b);
    rows.at(3, 9) = special;
    cols.at(45, 69) = special;
    const auto found = multiply(rows, cols, s.rows, s.cols);
    for (std::int64_t row = 0; row < s.rows; ++row) {
      for (std::int64_t col = 0; col < s.cols; ++col) {
        const auto i = static_cast<std::size_t>(row * s.cols + col);
        if (row == 3 || col == 45) {
          EXPECT_TRUE(std::isnan(found[i])) << row << ", " << col;
        } else {
          EXPECT_EQ(found[i], sums[i]) << row << ", " << col;
        }
      }
    }
  }
}

TEST_F(AmxProducts, TakeLargeAndSmallNumbers) {
  const std::vector<float> a{3.39e38F, 1.2345678e-30F, 1.2345678e-33F, 1e-39F}, b{1, -1.2345678F};
  const auto found = multiply({4, 1, true, a}, {2, 1, true, b}, 4, 2);
  const auto product = [&](std::size_t row, std::size_t col) { return double{a[row]} * b[col]; };
  EXPECT_EQ(found[0], a[0]);
  EXPECT_EQ(found[1], -std::numeric_limits<float>::infinity());
  EXPECT_NEAR(found[2], product(1, 0), 3 * kUnitRoundoff * 1.2e-30);
  EXPECT_NEAR(found[3], product(1, 1), 3 * kUnitRoundoff * 1.5e-30);
  EXPECT_NEAR(found[4], product(2, 0), 1e-4 * 1.2e-33);
  EXPECT_NEAR(found[5], product(2, 1), 1e-4 * 1.5e-33);
  EXPECT_EQ(found[6], 0);
  EXPECT_EQ(found[7], 0);
}

TEST(ChoiceOfAmx, GoesByTheSizeOfAProduct) {
  for (const Shape& s : {Shape{512, 2048, 2048}, Shape{256, 784, 64}, Shape{2048, 784, 512}})
    EXPECT_TRUE(AmxProduct::is_faster(s.rows, s.cols, s.depth)) << s.rows;
  for (const Shape& s :
       {Shape{1, 1, 1}, Shape{64, 10, 512}, Shape{64, 512, 784}, Shape{10, 512, 64}, Shape{512, 512, 1}})
    EXPECT_FALSE(AmxProduct::is_faster(s.rows, s.cols, s.depth)) << s.rows;
}

}  // namespace
}  // namespace warpfit::cpu::test
