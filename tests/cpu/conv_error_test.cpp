// Errors of oneDNN's convolutions: they name the layer's shapes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/cpu/conv.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

// Values of dnnl_status_t, which are the same in versions 2 and 3.
constexpr int kOutOfMemory = 1, kUnimplemented = 3, kRuntimeError = 5;

const ConvOperation kOperation{
    .in = {4, 9, 7}, .out_channels = 6, .rows = {3, 1, 1, 2}, .columns = {3, 1, 0, 1}, .groups = 2};
const std::string kShapes =
    "convolution of 5 x 4x9x7 with 6 windows of 3x3, stride 1, padding 1x0, dilation 2x1, groups 2";

TEST(ConvError, HasTheTypeOfItsCause) {
  const auto fail = [](int status) {
    return [status] { cpu::fail_convolution(status, "input gradient", kOperation, 5); };
  };
  const auto text = "the input gradient of a " + kShapes + ": oneDNN ";
  EXPECT_THAT(fail(kOutOfMemory), ThrowsMessage<OutOfMemory>(text + "ran out of memory"));
  EXPECT_THAT(fail(kUnimplemented),
              ThrowsMessage<DeviceError>(text + "has no implementation for these shapes"));
  EXPECT_THAT(fail(kRuntimeError), ThrowsMessage<InternalError>(text + "status 5"));
}

// Five channels cannot be divided into two groups.
TEST(ConvError, NamesShapesThatAreRefused) {
  auto operation = kOperation;
  operation.in.channels = 5;
  cpu::Convolution convolution(operation, 5);
  std::vector<float> values(4096);
  float* v = values.data();
  const std::string shapes = "convolution of 5 x 5x9x7 with 6 windows";
  EXPECT_THAT([&] { convolution.forward(v, v, v, v); },
              ThrowsMessage<InternalError>(HasSubstr("the result of a " + shapes)));
  EXPECT_THAT([&] { convolution.backward_input(v, v, v); },
              ThrowsMessage<InternalError>(HasSubstr("the input gradient of a " + shapes)));
  EXPECT_THAT([&] { convolution.backward_weights(v, v, v, v); },
              ThrowsMessage<InternalError>(HasSubstr("the weight gradient of a " + shapes)));
}

}  // namespace
}  // namespace warpfit::test
