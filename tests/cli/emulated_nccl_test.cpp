// `warpfit train --parallel nccl` in one process, on the emulated CUDA runtime and the emulated NCCL.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

// Trains a small network with the emulation configured by `emulation`.
Outcome train_with_nccl(const std::string& emulation, const std::vector<std::string>& more) {
  setenv("WARPFIT_EMULATION", emulation.c_str(), 1);
  std::vector<std::string> arguments{"train",    "--data",    sample_folder().string(),
                                     "--epochs", "1",         "--log-every",
                                     "1",        "--network", "784-13-10"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto outcome = Program(arguments, "warpfit_emulated").finish();
  unsetenv("WARPFIT_EMULATION");
  return outcome;
}

bool has(const Outcome& run, const std::string& text) { return run.error.find(text) != std::string::npos; }

TEST(EmulatedProgramNccl, SumsTheGradientsOfOneProcess) {
  const std::vector<std::string> separate{"--device", "cuda", "--update", "separate", "--engine", "layers"};
  const auto alone = train_with_nccl("", separate);
  EXPECT_EQ(alone.exit_code, 0) << alone.error;
  EXPECT_FALSE(has(alone, "NCCL")) << alone.error;
  for (const std::string device : {"auto", "cuda", "cuda:0"}) {
    const auto summed = train_with_nccl("", {"--parallel", "nccl", "--device", device, "--verbose"});
    EXPECT_EQ(summed.exit_code, 0) << summed.error;
    EXPECT_TRUE(has(summed, ", NCCL 2.")) << summed.error;
    EXPECT_TRUE(has(summed, "engine: layers (fused: --parallel nccl)")) << summed.error;
    EXPECT_EQ(summed.out, alone.out);
  }
}

TEST(EmulatedProgramNccl, SaysWhatIsMissing) {
  const auto refused = [](const std::string& emulation, std::vector<std::string> more, int exit_code,
                          const std::string& message) {
    more.insert(more.end(), {"--parallel", "nccl"});
    const auto run = train_with_nccl(emulation, more);
    EXPECT_EQ(run.exit_code, exit_code) << run.error;
    EXPECT_TRUE(has(run, message)) << run.error;
  };
  refused("devices=0", {}, 2,
          "--parallel nccl: there is no NVIDIA GPU here; leave it out to train without a GPU");
  refused("", {"--device", "cpu"}, 2, "--parallel nccl: NCCL sums gradients on GPUs; leave it out");
  refused("", {"--device", "cuda:1"}, 6, "there is only 1 GPU here");
  refused("", {"--engine", "fused"}, 2, "--engine fused: --parallel nccl");
  refused("nccl_version=21304", {}, 6, "loading NCCL: found NCCL 2.13.4; NCCL 2.");
  refused("nccl_version=21304", {}, 6, "--parallel nccl needs NCCL, training in one process does not");
  refused("fail=ncclCommInitRank@1:2", {}, 6, "connecting the GPUs of all processes: ");
}

}  // namespace
}  // namespace warpfit::test
