// The whole program with --device cuda on the emulated CUDA runtime.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

// Trains on the sample data with the emulation configured by `emulation` (the value of WARPFIT_EMULATION),
// for one epoch unless `more` specifies otherwise.
Outcome run_emulated(const std::string& emulation, std::vector<std::string> more = {}) {
  setenv("WARPFIT_EMULATION", emulation.c_str(), 1);
  std::vector<std::string> arguments{"train", "--log-every", "1", "--data", sample_folder().string()};
  if (std::ranges::find(more, "--epochs") == more.end()) {
    arguments.insert(arguments.end(), {"--epochs", "1"});
  }
  arguments.insert(arguments.end(), more.begin(), more.end());
  auto outcome = Program(arguments, "warpfit_emulated").finish();
  unsetenv("WARPFIT_EMULATION");
  return outcome;
}

const std::vector<std::string> kCuda{"--device", "cuda"};
// For tests in which only the order of operations matters: matrix products are slow on an emulated GPU.
const std::vector<std::string> kNarrowOnCuda{"--device",      "cuda",     "--network",
                                             "784-130-65-10", "--epochs", "2"};

bool says(const Outcome& run, const std::string& text) { return run.error.find(text) != std::string::npos; }

TEST(EmulatedProgram, PrintsTheSameBytesInEveryOrderAndResidency) {
  const auto first = run_emulated("", kNarrowOnCuda);
  ASSERT_EQ(first.exit_code, 0) << first.error;
  EXPECT_TRUE(says(first, "device: Emulated CUDA device")) << first.error;
  for (const char* emulation :
       {"order=reverse", "order=random,seed=7", "streams=lazy", "order=random,streams=lazy"}) {
    for (const char* residency : {"stream", "resident"}) {
      auto arguments = kNarrowOnCuda;
      arguments.insert(arguments.end(), {"--residency", residency});
      const auto run = run_emulated(emulation, arguments);
      EXPECT_EQ(run.exit_code, 0) << run.error;
      EXPECT_EQ(run.out, first.out) << emulation << ", " << residency;
    }
  }
}

Outcome list_devices(const std::string& emulation) {
  setenv("WARPFIT_EMULATION", emulation.c_str(), 1);
  auto outcome = Program({"devices"}, "warpfit_emulated").finish();
  unsetenv("WARPFIT_EMULATION");
  return outcome;
}

TEST(EmulatedProgram, ListsItsDevices) {
  const auto run = list_devices("devices=2,memory=1024M");
  EXPECT_EQ(run.exit_code, 0) << run.error;
  const std::string gpu = "Emulated CUDA device, compute capability 9.0, 1.0 GiB, 1.0 GiB free\n";
  EXPECT_TRUE(run.out.ends_with("  cuda:0        " + gpu + "  cuda:1        " + gpu)) << run.out;
  for (const char* line : {"backend       there\n", "runtime       1", "cuBLAS        1", "NCCL          2.",
                           "driver        for CUDA 1"}) {
    EXPECT_NE(run.out.find(line), std::string::npos) << line << run.out;
  }
}

TEST(EmulatedProgram, SaysWhichDeviceFails) {
  const auto none = list_devices("devices=0");
  EXPECT_EQ(none.exit_code, 0) << none.error;
  EXPECT_TRUE(none.out.ends_with("  GPUs          none: there is no NVIDIA GPU here\n")) << none.out;
  const auto driver = list_devices("device_error=35");
  EXPECT_EQ(driver.exit_code, 0) << driver.error;
  EXPECT_NE(driver.out.find("  driver        none\n"), std::string::npos) << driver.out;
  EXPECT_NE(driver.out.find("none: the NVIDIA driver is missing or older than CUDA"), std::string::npos);
  bool told = false;
  for (int at = 1; at < 10; ++at) {
    const auto failing = list_devices("fail=" + std::to_string(at) + ":719");
    EXPECT_EQ(failing.exit_code, 0) << failing.error;
    told = told || failing.out.find("cannot be used: ") != std::string::npos;
  }
  EXPECT_TRUE(told);
}

TEST(EmulatedProgram, AutoTakesTheGpu) {
  EXPECT_TRUE(says(run_emulated(""), "device: Emulated CUDA device"));
}

TEST(EmulatedProgram, SaysWhichEngineRunsAndWhy) {
  const std::vector<std::string> small{"--device",     "cuda", "--network", "784-16-16-10",
                                       "--batch-size", "150",  "--verbose"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), small.begin(), small.end());
    return run_emulated("order=random,streams=lazy", more);
  };
  const auto chosen = with({});
  EXPECT_TRUE(says(chosen, "engine: fused\n")) << chosen.error;
  EXPECT_EQ(with({"--engine", "fused"}).out, chosen.out);
  const auto layers = with({"--engine", "layers"});
  EXPECT_TRUE(says(layers, "engine: layers\n")) << layers.error;
  EXPECT_TRUE(says(with({"--dropout", "0.5"}), "engine: layers (fused: dropout is not supported)")) << "auto";
  const auto refused = with({"--engine", "fused", "--loss", "mse"});
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_TRUE(says(refused, "--engine fused: only the cross-entropy loss is supported")) << refused.error;
  const auto crowded = run_emulated("resident_blocks=0", small);
  EXPECT_EQ(crowded.exit_code, 0) << crowded.error;
  EXPECT_TRUE(
      says(crowded, "engine: layers (fused: this GPU can run only 0 of the kernel's 4 blocks at once)"))
      << crowded.error;
  const auto large = run_emulated("", {"--device", "cuda", "--engine", "fused"});
  EXPECT_EQ(large.exit_code, 2);
  EXPECT_TRUE(says(large, "weights and batch do not fit in shared memory: ")) << large.error;
  const auto on_cpu = run_emulated("devices=0", {"--engine", "fused"});
  EXPECT_EQ(on_cpu.exit_code, 2);
  EXPECT_TRUE(says(on_cpu, "--engine fused: this device trains layer by layer")) << on_cpu.error;
}

// A barrier that is never reached must not hang the program.
TEST(EmulatedProgram, SaysWhichBarrierABlockNeverReached) {
  for (const char* order : {"forward", "reverse", "random"}) {
    const auto run = run_emulated(std::string("lost_block=1,streams=lazy,order=") + order,
                                  {"--device", "cuda", "--network", "784-16-16-10", "--engine", "fused"});
    EXPECT_EQ(run.exit_code, 6);
    EXPECT_TRUE(says(run, "unspecified launch failure (cudaErrorLaunchFailure); block ")) << run.error;
    EXPECT_TRUE(says(
        run, " of the fused kernel waited more than 2 seconds for the others at barrier 0 of the launch"))
        << run.error;
  }
}

TEST(EmulatedProgram, StartsCublasOnlyWhereAProductNeedsIt) {
  const auto without_cublas = [](std::vector<std::string> more) {
    more.insert(more.begin(), {"--device", "cuda", "--network", "784-16-10"});
    return run_emulated("fail=cublasCreate_v2@1:1", more);
  };
  for (const char* engine : {"fused", "layers"}) {  // "layers" needs no cuBLAS for small batches
    const auto run = without_cublas({"--engine", engine});
    EXPECT_EQ(run.exit_code, 0) << engine << ": " << run.error;
  }
  const auto large = without_cublas({"--engine", "layers", "--batch-size", "300"});
  EXPECT_EQ(large.exit_code, 6);
  EXPECT_TRUE(says(large, "starting cuBLAS: ")) << large.error;
}

TEST(EmulatedProgram, SaysWhyThereIsNoGpu) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"devices=0", "there is no NVIDIA GPU here"},
      {"device_error=100", "there is no NVIDIA GPU here"},
      {"device_error=35", "the NVIDIA driver is missing or older than CUDA"},
      {"device_error=34", "the NVIDIA driver is missing or older than CUDA"},
  };
  for (const auto& [emulation, reason] : cases) {
    const auto refused = run_emulated(emulation, kCuda);
    EXPECT_EQ(refused.exit_code, 6) << emulation;
    EXPECT_TRUE(says(refused, reason)) << refused.error;
    EXPECT_EQ(refused.out, "");
    const auto fallen_back = run_emulated(emulation);
    EXPECT_EQ(fallen_back.exit_code, 0) << fallen_back.error;
    EXPECT_TRUE(says(fallen_back, "device: CPU (")) << fallen_back.error;
  }
  EXPECT_FALSE(says(run_emulated("devices=0"), "[warning]"));
  EXPECT_TRUE(
      says(run_emulated("device_error=35"), "the GPU is not used: the NVIDIA driver is missing or older"));
  const auto second = run_emulated("devices=1", {"--device", "cuda:1"});
  EXPECT_EQ(second.exit_code, 6);
  EXPECT_TRUE(says(second, "there is only 1 GPU here")) << second.error;
}

TEST(EmulatedProgram, DoesWithoutAGpuThatItHasNoCodeFor) {
  const std::string no_code = "fail=cudaFuncGetAttributes@1:209";  // cudaErrorNoKernelImageForDevice
  const std::string reason = "GPU 0 has compute capability 9.0, which this build has no code for: ";
  const auto refused = run_emulated(no_code, kNarrowOnCuda);
  EXPECT_EQ(refused.exit_code, 6);
  EXPECT_TRUE(says(refused, "--device cuda:0: " + reason)) << refused.error;
  const auto on_cpu = run_emulated(no_code);
  EXPECT_EQ(on_cpu.exit_code, 0) << on_cpu.error;
  EXPECT_TRUE(says(on_cpu, "the GPU is not used: " + reason)) << on_cpu.error;
  EXPECT_TRUE(says(on_cpu, "device: CPU (")) << on_cpu.error;
  EXPECT_NE(list_devices(no_code).out.find("cannot be used: " + reason), std::string::npos);
  const auto failing = run_emulated("fail=cudaStreamCreateWithFlags@1:46");  // busy
  EXPECT_EQ(failing.exit_code, 0) << failing.error;
  EXPECT_TRUE(says(failing, "the GPU is not used: creating a stream: ")) << failing.error;
}

TEST(EmulatedProgram, SaysWhenTheDevicesMemoryIsFull) {
  const auto run = run_emulated("memory=3M", kCuda);
  EXPECT_EQ(run.exit_code, 7) << run.error;
  EXPECT_TRUE(says(run, "bytes on the device: ")) << run.error;
}

TEST(EmulatedProgram, StreamsWhatDoesNotFitAndKeepsWhatDoes) {
  const std::vector<std::string> twice{"--device", "cuda", "--epochs", "2"};
  const auto wide = run_emulated("", twice);
  const auto narrow = run_emulated("memory=5M", twice);
  EXPECT_EQ(narrow.exit_code, 0) << narrow.error;
  EXPECT_EQ(narrow.out, wide.out);
}

TEST(EmulatedProgram, KeepsToALimitOfTheDevicesMemory) {
  const auto wide = run_emulated("", kNarrowOnCuda);
  for (const char* limit : {"128K", "150000"}) {
    auto arguments = kNarrowOnCuda;
    arguments.insert(arguments.end(), {"--device-memory-limit", limit});
    const auto narrow = run_emulated("", arguments);
    EXPECT_EQ(narrow.exit_code, 0) << narrow.error;
    EXPECT_EQ(narrow.out, wide.out);
  }
  const auto low = run_emulated("", {"--device", "cuda", "--device-memory-limit", "64K"});
  EXPECT_EQ(low.exit_code, 7) << low.error;
  EXPECT_TRUE(says(low, "--device-memory-limit 65536: expected at least 101120 bytes")) << low.error;
}

TEST(EmulatedProgram, MeasuresWhereTimeGoes) {
  const auto run = Program({"bench", "--data", sample_folder().string(), "--device", "cuda", "--steps", "2",
                            "--repeats", "1", "--network", "784-8-10", "--batch-size", "8"},
                           "warpfit_emulated")
                       .finish();
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_TRUE(run.out.starts_with("Emulated CUDA device")) << run.out;
  EXPECT_NE(run.out.find("\nlarge copies "), std::string::npos) << run.out;
  EXPECT_NE(run.out.find("\nfused "), std::string::npos) << run.out;
}

// Emulated time advances by a whole microsecond for each round of a kernel's threads, so every phase takes
// time.
TEST(EmulatedProgram, MeasuresThePhasesOfTheFusedKernel) {
  const auto run =
      Program({"bench", "--data", sample_folder().string(), "--device", "cuda", "--steps", "2", "--repeats",
               "2", "--network", "784-8-8-10", "--batch-size", "8", "--engine", "fused"},
              "warpfit_emulated")
          .finish();
  EXPECT_EQ(run.exit_code, 0) << run.error;
  // The table of the layers engine above has phases of the same names; its times are differences, which can
  // be negative because of noise.
  const auto table = run.out.find("\nphase of the fused kernel  ");
  ASSERT_NE(table, std::string::npos) << run.out;
  for (const char* phase :
       {"load pixels", "first layer", "wait: hidden values", "hidden layers", "logit terms",
        "wait: logit terms", "loss", "wait: loss gradients", "top gradients", "updates",
        "wait: hidden gradients", "hidden gradients", "first layer's update"}) {
    const auto at = run.out.find(fmt::format("\n{}  ", phase), table);
    ASSERT_NE(at, std::string::npos) << phase << run.out;
    EXPECT_GT(std::atof(run.out.c_str() + at + 1 + std::strlen(phase)), 0) << phase << run.out;
  }
}

TEST(EmulatedProgram, WorksMoreSlowlyWherePagesCannotBeLocked) {
  const std::vector<std::string> layers{"--device", "cuda", "--network", "784-20-10", "--engine", "layers"};
  const auto run = run_emulated("pinned=0,streams=lazy", layers);
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_TRUE(says(run, "page-locked memory cannot be allocated")) << run.error;
  EXPECT_EQ(run.out, run_emulated("", layers).out);
}

// Whichever CUDA call fails, the program ends with the exit code for device errors and names the failed
// operation.
TEST(EmulatedProgram, EndsWithItsExitCodeWhereverTheDeviceFails) {
  for (const int at : {1, 5, 20, 60, 150, 300, 600}) {
    const auto run = run_emulated("fail=" + std::to_string(at) + ":719", kNarrowOnCuda);
    EXPECT_TRUE(run.exit_code == 6 || run.exit_code == 0) << at << ": " << run.exit_code << run.error;
    if (run.exit_code != 0) {
      EXPECT_TRUE(says(run, "[error]")) << run.error;
    }
  }
}

}  // namespace
}  // namespace warpfit::test
