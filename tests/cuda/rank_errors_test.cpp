// Failures of sums over emulated GPUs: what the ranks say, and that none of them waits for another that has
// failed.
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <latch>
#include <string>
#include <utility>
#include <vector>

#include "host/backend/buffer.hpp"
#include "host/base/error.hpp"
#include "tests/parallel/cuda_ranks.hpp"
#include "tests/support/backends.hpp"

namespace warpfit::test {
namespace {

BatchRun batches_of(std::int64_t count) { return {{}, 0, count, 1}; }

class RankErrors : public testing::TestWithParam<std::string> {
 protected:
  // The messages of all ranks.
  static std::vector<std::string> errors_of(int ranks, const std::function<void(Communicator&)>& work) {
    std::vector<std::string> errors(static_cast<std::size_t>(ranks));
    run_ranks(ranks, [&](Communicator& communicator) {
      try {
        work(communicator);
      } catch (const DeviceError& error) {
        errors[static_cast<std::size_t>(communicator.rank())] = error.what();
      }
    });
    return errors;
  }
  static void use_nccl(int version) {
    auto config = emulation::config();
    config.nccl_version = version;
    WithCudaRanks::configure(config);
  }

 private:
  WithCudaRanks machine_;
};

// The backend of a rank that shares its GPU with another one.
std::unique_ptr<Backend> sharing_rank(Communicator& communicator) {
  BackendOptions options;
  options.device = {DeviceChoice::Kind::kCuda, communicator.rank() / 2};
  options.communicator = &communicator;
  return make_backend(options);
}

TEST_P(RankErrors, NameTwoRanksOnOneGpu) {
  const std::vector<std::pair<int, std::string>> versions{
      {22903, "Duplicate GPU detected : rank 0 and rank 1 both on CUDA device 1b000"},
      {23007,
       "Multiple Ranks are using the same GPU/Partition. Set NCCL_MULTI_RANK_GPU_ENABLE=1 to enable this "
       "configuration."}};
  for (const auto& [version, text] : versions) {
    use_nccl(version);
    for (const auto& error : errors_of(3, [](Communicator& communicator) { sharing_rank(communicator); })) {
      EXPECT_EQ(error,
                "connecting the GPUs of all processes: invalid usage (run with NCCL_DEBUG=WARN for details) "
                "(NCCL): " +
                    text +
                    "; use --device cuda:N, one GPU for each process, or NCCL_MULTI_RANK_GPU_ENABLE=1 with "
                    "NCCL 2.30 or later");
    }
  }
}

TEST_P(RankErrors, DoNotOccurIfRanksMayShareAGpu) {
  use_nccl(23007);
  setenv("NCCL_MULTI_RANK_GPU_ENABLE", "1", 1);
  const auto errors = errors_of(4, [](Communicator& communicator) {
    const auto backend = sharing_rank(communicator);
    const Buffer<float> values(*backend, std::vector<float>(5, 1));
    backend
        ->record([&] { static_cast<void>(backend->sum_over_ranks(values.view(), SumOrder::kFastest, {})); })
        ->run(batches_of(3));
    EXPECT_EQ(values.to_host(), std::vector<float>(5, 64));
  });
  unsetenv("NCCL_MULTI_RANK_GPU_ENABLE");
  EXPECT_EQ(errors, std::vector<std::string>(4));
}

TEST_P(RankErrors, NameAnOldLibrary) {
  use_nccl(21304);
  for (const auto& error : errors_of(2, [](Communicator& communicator) { cuda_rank(communicator); })) {
    EXPECT_EQ(error.find("loading NCCL: found NCCL 2.13.4; NCCL 2."), 0) << error;
    EXPECT_NE(error.find(" or later is needed; training on several GPUs needs NCCL, --device cpu does not"),
              std::string::npos)
        << error;
  }
}

TEST_P(RankErrors, PassOnWhatNcclSays) {
  auto config = emulation::config();
  config.fail_function = "ncclAllReduce";
  config.fail_at = 2;
  config.fail_error = 2;  // ncclSystemError
  WithCudaRanks::configure(config);
  const auto errors = errors_of(2, [](Communicator& communicator) {
    const auto backend = cuda_rank(communicator);
    const Buffer<float> values(*backend, std::vector<float>(5, 1));
    backend
        ->record([&] { static_cast<void>(backend->sum_over_ranks(values.view(), SumOrder::kFastest, {})); })
        ->run(batches_of(1));
    EXPECT_EQ(values.to_host().size(), 5);
  });
  // The other rank's sum ends because this one has aborted its communicator.
  for (const auto& error : errors) {
    const bool is_first = error.find("adding gradients") == 0;
    EXPECT_EQ(error,
              is_first
                  ? "adding gradients over GPUs: unhandled system error (run with NCCL_DEBUG=INFO for "
                    "details) (NCCL): injected failure of ncclAllReduce; NCCL_DEBUG=INFO prints the cause"
                  : "communicating with other GPUs: remote process exited or there was a network error "
                    "(NCCL); NCCL_DEBUG=INFO prints the cause");
  }
  EXPECT_NE(errors[0], errors[1]);
}

// Calls a function when it is destroyed.
struct AtTheEnd {
  std::function<void()> call;
  ~AtTheEnd() { call(); }
};

// Rank 0 fails while a sum waits for rank 1, in the step itself or after it, and then frees its memory. Rank
// 1 calls two sums afterwards; the second one ends because rank 0 has aborted its communicator.
TEST_P(RankErrors, EndSumsBeforeTheirMemoryIsFreed) {
  for (const bool in_step : {true, false}) {
    SCOPED_TRACE(in_step);
    std::latch freed(1), ended(1);
    const auto errors = errors_of(2, [&](Communicator& communicator) {
      const bool fails = communicator.rank() == 0;
      const auto backend = cuda_rank(communicator);
      if (!fails) freed.wait();
      const AtTheEnd meet{[&] {
        (fails ? freed : ended).count_down();
        if (fails) ended.wait();
      }};
      const Buffer<float> values(*backend, std::vector<float>(5, 1));
      // Page-locked memory, which is freed first, and not by the backend.
      const auto slot = fails && in_step ? backend->make_staging_slot(100) : nullptr;
      const auto fail_if = [&](bool now) {
        if (fails && now) throw DeviceError("rank 0 has failed");
      };
      backend
          ->record([&] {
            static_cast<void>(backend->sum_over_ranks(values.view(), SumOrder::kFastest, {}));
            fail_if(in_step);
          })
          ->run(batches_of(fails ? 1 : 2));
      fail_if(!in_step);
      EXPECT_EQ(values.to_host().size(), 5);
    });
    EXPECT_EQ(errors[0], "rank 0 has failed");
    EXPECT_EQ(errors[1].find("communicating with other GPUs: remote process exited"), 0) << errors[1];
  }
}

// NCCL's abort waits for graphs that contain sums, which the training step still has when memory is freed.
TEST_P(RankErrors, EndWhileGraphsExist) {
  const auto errors = errors_of(2, [&](Communicator& communicator) {
    const auto backend = cuda_rank(communicator);
    std::unique_ptr<RecordedStep> step;  // destroyed after the memory
    const Buffer<float> values(*backend, std::vector<float>(5, 1));
    step = backend->record(
        [&] { static_cast<void>(backend->sum_over_ranks(values.view(), SumOrder::kFastest, {})); });
    step->run(batches_of(3));
    EXPECT_EQ(values.to_host(), std::vector<float>(5, 8));
    throw DeviceError("interrupted");
  });
  EXPECT_EQ(errors, std::vector<std::string>(2, "interrupted"));
}

INSTANTIATE_TEST_SUITE_P(Backends, RankErrors, testing::Values("cuda"), backend_name);

}  // namespace
}  // namespace warpfit::test
