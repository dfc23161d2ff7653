// Compares this project's kernels with cuDNN's on the same data.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>

#include "cuda/ops/relu.hpp"
#include "cuda/ops/softmax_cross_entropy.hpp"
#include "cuda/runtime/dnn.hpp"
#include "host/base/error.hpp"
#include "tests/cuda/dnn_library.hpp"
#include "tests/cuda/on_device.hpp"
#include "tests/cuda/with_dnn.hpp"
#include "tests/support/comparison.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

class SecondOpinion : public WithDnn<Dnn> {
 protected:
  [[nodiscard]] std::unique_ptr<Dnn> start(const Stream& stream) const override {
    return std::make_unique<Dnn>(test_dnn_library(), stream);
  }
};

TEST_F(SecondOpinion, AgreesOnRelu) {
  for (const std::int64_t size : {1, 7, 33, 1000, 64 * 512}) {
    SCOPED_TRACE(size);
    auto x = values_.uniform(size);
    x.front() = std::numeric_limits<float>::quiet_NaN();
    const Floats ours(*stream_, x);
    const Floats bias(*stream_, size);
    const Floats in(*stream_, x);
    const Floats theirs(*stream_, size);
    cuda::bias_relu_forward({ours.data(), 1, size}, bias.view(), ActivationKind::kRelu, stream_->get());
    dnn_->relu_forward(in.view(), theirs.view());
    const auto y = ours.values();
    const auto expected = theirs.values();
    EXPECT_TRUE(std::isnan(y.front()));
    EXPECT_TRUE(std::isnan(expected.front()));
    EXPECT_TRUE(std::equal(y.begin() + 1, y.end(), expected.begin() + 1));

    const Floats dx(*stream_, values_.uniform(size));
    const Floats dy(*stream_, dx.values());
    cuda::relu_backward(theirs.view(), dx.view(), stream_->get());
    dnn_->relu_backward(theirs.view(), dy.view(), in.view());
    // Without the first element: at a NaN, our gradient is 0 and cuDNN's is unspecified.
    const auto gradient = dx.values();
    const auto their_gradient = in.values();
    EXPECT_EQ(gradient.front(), 0.0F);
    EXPECT_TRUE(std::equal(gradient.begin() + 1, gradient.end(), their_gradient.begin() + 1));
  }
}

TEST_F(SecondOpinion, AgreesOnSoftmaxCrossEntropy) {
  for (const std::int64_t rows : {1, 33, 64, 1000}) {
    for (const std::int64_t classes : {2, 10, 33, 129, 1000}) {
      if (rows * classes > 100'000) continue;
      SCOPED_TRACE(testing::Message() << rows << " rows, " << classes << " classes");
      const auto labels = values_.labels(rows, static_cast<int>(std::min<std::int64_t>(classes, 256)));
      const Floats logits(*stream_, values_.uniform(rows * classes, 5));
      const Floats dlogits(*stream_, rows * classes);
      const OnDevice<Label> y(*stream_, labels);
      const OnDevice<Metrics> metrics(*stream_, 1);
      const OnDevice<RowResult> results(*stream_, rows);
      const OnDevice<unsigned> arrived(*stream_, 1);
      cuda::softmax_cross_entropy({}, nullptr, {logits.data(), rows, classes}, y.view(),
                                  {dlogits.data(), rows, classes}, metrics.data(), results.data(),
                                  arrived.data(), nullptr, stream_->get());

      const Floats logs(*stream_, rows * classes);
      dnn_->log_softmax_forward({logits.data(), rows, classes}, {logs.data(), rows, classes});
      std::vector<float> gradient(static_cast<std::size_t>(rows * classes));
      double loss = 0;
      const auto log_shares = logs.values();
      for (std::int64_t row = 0; row < rows; ++row) {
        const auto answer = static_cast<std::size_t>(row * classes + labels[row]);
        loss -= log_shares[answer] / static_cast<double>(rows);
        gradient[answer] = -1 / static_cast<float>(rows);
      }
      const Floats dlogs(*stream_, gradient);
      const Floats expected(*stream_, rows * classes);
      dnn_->log_softmax_backward({logs.data(), rows, classes}, {dlogs.data(), rows, classes},
                                 {expected.data(), rows, classes});
      const auto theirs = expected.values();
      EXPECT_NEAR(metrics.values().front().last_loss, loss, 1e-5);
      EXPECT_TRUE(all_close(dlogits.values(), std::vector<double>(theirs.begin(), theirs.end()),
                            {8 * kEpsilon / static_cast<double>(rows), 4e-5}));
    }
  }
}

TEST_F(SecondOpinion, NamesItsVersion) {
  EXPECT_TRUE(dnn_->version().starts_with("cuDNN 9.")) << dnn_->version();
}

TEST(DnnLibrary, SaysWhatIsMissing) {
  try {
    load_dnn_library("libwarpfit-none.so.9");
    FAIL() << "loaded what is not there";
  } catch (const DeviceError& error) {
    EXPECT_STREQ(
        error.what(),
        "loading cuDNN: libwarpfit-none.so.9: cannot open shared object file: No such file or directory");
  }
  try {
    load_dnn_library("libz.so.1");
    FAIL() << "took zlib for cuDNN";
  } catch (const DeviceError& error) {
    EXPECT_STREQ(error.what(), "loading cuDNN: libz.so.1 has no cudnnGetVersion; cuDNN 9 is needed");
  }
}

}  // namespace
}  // namespace warpfit::test
