// A fixture for tests that call cuDNN themselves.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>

#include "cuda/runtime/device.hpp"
#include "cuda/runtime/stream.hpp"
#include "host/base/error.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {

/// Skips the test without a GPU or cuDNN. T owns a handle of cuDNN.
template <class T>
class WithDnn : public testing::Test {
 protected:
  void SetUp() override {
    NoCuda why;
    if (count_devices(why) == 0) {
      if (std::getenv("WARPFIT_REQUIRE_CUDA") != nullptr) FAIL() << why.reason;
      GTEST_SKIP() << why.reason;
    }
    use_device(0);
    stream_ = std::make_unique<Stream>("test");
    try {
      dnn_ = start(*stream_);
    } catch (const DeviceError& error) {
      GTEST_SKIP() << error.what();
    }
  }

  [[nodiscard]] virtual std::unique_ptr<T> start(const Stream& stream) const = 0;

  std::unique_ptr<Stream> stream_;
  std::unique_ptr<T> dnn_;
  TestValues values_;
};

}  // namespace warpfit::test
