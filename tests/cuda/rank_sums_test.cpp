// Sums over emulated GPUs within recorded steps.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "host/backend/buffer.hpp"
#include "tests/parallel/cuda_ranks.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {
namespace {

using Floats = std::vector<float>;

BatchRun batches(std::int64_t count) { return {{}, 0, count, 1}; }

// The parameter is the number of ranks.
class RankSums : public testing::TestWithParam<int> {
 protected:
  static void on_each(const std::function<void(Communicator&, Backend&)>& work) {
    run_ranks(GetParam(), [&](Communicator& communicator) { work(communicator, *cuda_rank(communicator)); });
  }
  // 1 + 2 + ... + ranks
  static float sum_of_ranks() {
    const auto ranks = GetParam();
    return static_cast<float>(ranks * (ranks + 1) / 2);
  }

 private:
  WithCudaRanks machine_;
};

// 20 batches run the first time as they are, then as a graph of 16, then as a graph of one.
TEST_P(RankSums, AddSeveralBucketsInOrder) {
  on_each([](Communicator& communicator, Backend& backend) {
    constexpr std::size_t kSize = 1000, kBucket = 300;
    const auto own = static_cast<float>(communicator.rank() + 1);
    const Buffer<float> source(backend, Floats(kSize, own)), values(backend, kSize);
    const Buffer<float> total(backend, Floats(kSize));
    const auto step = backend.record([&] {
      backend.clear(values.view());
      backend.add_scaled(1, source.view(), values.view());
      Fence fence;
      for (std::size_t end = kSize; end > 0;) {
        const auto first = end > kBucket ? end - kBucket : 0;
        const auto bucket = values.view().subspan(first, end - first);
        backend.add_scaled(static_cast<float>(first), source.view().first(bucket.size()), bucket);
        fence |= backend.sum_over_ranks(bucket, SumOrder::kFastest, fence);
        end = first;
      }
      backend.wait(fence);
      backend.add_scaled(1, values.view(), total.view());
    });
    step->run(batches(20));
    const auto sums = total.to_host();
    for (std::size_t i = 0; i < kSize; ++i) {
      const auto first = i < 100 ? 0 : (i - 100) / kBucket * kBucket + 100;
      ASSERT_EQ(sums[i], 20 * static_cast<float>(1 + first) * sum_of_ranks()) << i;
    }
  });
}

// The gradients of a linear layer are written on a branch.
TEST_P(RankSums, WaitForBranches) {
  on_each([](Communicator& communicator, Backend& backend) {
    constexpr std::int64_t kRows = 9, kInputs = 40, kOutputs = 7;
    const auto own = static_cast<float>(communicator.rank() + 1);
    const Buffer<float> x(backend, Floats(kRows * kInputs, own)), w(backend, Floats(kOutputs * kInputs, 1));
    const Buffer<float> y(backend, kRows * kOutputs), dy(backend, Floats(kRows * kOutputs, 1));
    const Buffer<float> gradients(backend, Floats(kOutputs * kInputs)),
        total(backend, Floats(kOutputs * kInputs));
    const std::array tensors{w.view()}, into{gradients.view()};
    const auto op =
        backend.prepare(LinearOperation{.inputs = kInputs, .outputs = kOutputs, .bias = false}, kRows);
    const OperationViews views{.x = {x.data(), kRows, kInputs},
                               .y = {y.data(), kRows, kOutputs},
                               .dy = {dy.data(), kRows, kOutputs},
                               .tensors = tensors,
                               .gradients = into};
    const auto step = backend.record([&] {
      op->forward(Mode::kTrain, views);
      auto fence = op->backward_tensors(views);
      fence |= backend.sum_over_ranks(gradients.view(), SumOrder::kFastest, fence);
      backend.wait(fence);
      backend.add_scaled(1, gradients.view(), total.view());
    });
    step->run(batches(19));
    EXPECT_EQ(total.to_host(), Floats(total.size(), 19 * kRows * sum_of_ranks()));
  });
}

// The next step, and a copy to the host, see the sums of a step that has not waited for them.
TEST_P(RankSums, AreCompleteAtTheEndOfAStep) {
  on_each([](Communicator& communicator, Backend& backend) {
    const auto ranks = static_cast<float>(communicator.size());
    const Buffer<float> one(backend, Floats(500, 1)), values(backend, Floats(500));
    const auto step = backend.record([&] {
      backend.add_scaled(1, one.view(), values.view());
      static_cast<void>(backend.sum_over_ranks(values.view(), SumOrder::kFastest, {}));
    });
    float expected = 0;
    for (const int count : {1, 1, 2}) {
      step->run(batches(count));
      for (int i = 0; i < count; ++i) expected = ranks * (expected + 1);
      EXPECT_EQ(values.to_host(), Floats(500, expected));
    }
  });
}

class RankSumsInATree : public RankSums {};

// Those of Communicator::sum, also when a later step needs more memory than the recorded one.
TEST_P(RankSumsInATree, HaveTheBitsOfTheHost) {
  on_each([](Communicator& communicator, Backend& backend) {
    std::vector<std::unique_ptr<RecordedStep>> steps;
    std::vector<Buffer<float>> sources, values;
    std::vector<Floats> expected;
    for (const std::int64_t size : {10, 1000}) {
      TestValues random;
      Floats own;
      for (int rank = 0; rank <= communicator.rank(); ++rank) own = random.uniform(size);
      sources.emplace_back(backend, own);
      values.emplace_back(backend, own.size());
      communicator.sum(own, SumOrder::kTree);
      expected.push_back(own);
    }
    for (const std::size_t i : {0, 1}) {
      steps.push_back(backend.record([&, i] {
        backend.clear(values[i].view());
        backend.add_scaled(1, sources[i].view(), values[i].view());
        backend.wait(backend.sum_over_ranks(values[i].view(), SumOrder::kTree, {}));
      }));
    }
    for (const std::size_t i : {0, 0, 1, 1, 0, 1}) {
      steps[i]->run(batches(2));
      EXPECT_EQ(values[i].to_host(), expected[i]);
    }
  });
}

std::string ranks_name(const testing::TestParamInfo<int>& info) {
  return "cuda_" + std::to_string(info.param);
}

INSTANTIATE_TEST_SUITE_P(Backends, RankSums, testing::Values(1, 2, 3, 4), ranks_name);
INSTANTIATE_TEST_SUITE_P(Backends, RankSumsInATree, testing::Values(1, 2, 4, 8), ranks_name);

}  // namespace
}  // namespace warpfit::test
