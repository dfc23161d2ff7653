#include "host/files/tensor.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>

#include "host/base/error.hpp"

namespace warpfit::test {
namespace {

using Shape = std::vector<std::int64_t>;
constexpr auto kMaxInt64 = std::numeric_limits<std::int64_t>::max();

TEST(TensorTest, KnowsItsTypes) {
  EXPECT_EQ(dtype_name(DType::kBF16), "BF16");
  EXPECT_EQ(numpy_name(DType::kBF16), "");
  EXPECT_EQ(numpy_name(DType::kI64), "<i8");
  EXPECT_EQ(dtype_size(DType::kC64), 8U);
  EXPECT_EQ(dtype_of("F8_E5M2"), DType::kF8E5M2);
  EXPECT_EQ(dtype_of("F8"), std::nullopt);
}

TEST(TensorTest, CountsBytes) {
  EXPECT_EQ(tensor_size(DType::kF32, {}), 4U);
  EXPECT_EQ(tensor_size(DType::kF64, Shape{3, 5}), 120U);
  EXPECT_EQ(tensor_size(DType::kF64, Shape{3, 0, 5}), 0U);
  EXPECT_EQ(tensor_size(DType::kU8, Shape{kMaxInt64, 1}), static_cast<std::uint64_t>(kMaxInt64));
}

TEST(TensorTest, RefusesSizesThatNoFileHas) {
  for (const auto& shape :
       {Shape{-1}, Shape{-2, -2}, Shape{0, -1}, Shape{std::numeric_limits<std::int64_t>::min()},
        Shape{kMaxInt64, 2}, Shape{1LL << 32, 1LL << 32}, Shape{1LL << 62, 2},
        Shape{kMaxInt64, 0, kMaxInt64}}) {
    EXPECT_EQ(tensor_size(DType::kU8, shape), std::nullopt) << testing::PrintToString(shape);
  }
  EXPECT_EQ(tensor_size(DType::kF32, Shape{1LL << 61}), std::nullopt);
  EXPECT_EQ(tensor_size(DType::kF32, Shape{(1LL << 62) + 1}), std::nullopt);
}

TEST(TensorTest, ChecksDataAndNames) {
  const std::array<std::byte, 8> data{};
  const TensorView good{"a", DType::kF32, {2}, data};
  EXPECT_NO_THROW(check_tensors(std::vector{good}, "model"));
  EXPECT_THROW(check_tensors(std::vector{good, good}, "model"), InternalError);
  TensorView bad = good;
  bad.shape = {1};
  EXPECT_THROW(check_tensors(std::vector{bad}, "model"), InternalError);
}

}  // namespace
}  // namespace warpfit::test
