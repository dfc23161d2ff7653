// With --device cuda:1, every thread uses the second GPU. A call made while the first GPU is current would
// initialize that one, which takes half a second and hundreds of megabytes of its memory.
#include <gtest/gtest.h>

#include "host/run/make_backend.hpp"
#include "host/stream/batch_stream.hpp"
#include "tests/emulation/emulation.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

TEST(DeviceChoice, TheReaderThreadUsesTheChosenGpu) {
  const auto before = emulation::config();
  auto two = before;
  two.devices = 2;
  emulation::configure(two);
  {
    BackendOptions options;
    options.device = {DeviceChoice::Kind::kCuda, 1};
    const auto backend = make_backend(options);
    const auto file = [](const char* name) { return (sample_folder() / name).string(); };
    const Dataset dataset(file("train-images-idx3-ubyte.gz"), file("train-labels-idx1-ubyte.gz"));
    const StreamPlan plan{.resident = false, .chunk_samples = 64, .slots = 2};  // fewer slots than chunks
    BatchStream stream(*backend, Subset(dataset), plan);
    stream.start(SampleOrder());
    std::int64_t samples = 0;
    while (const auto chunk = stream.next()) samples += chunk->samples().count;
    EXPECT_EQ(samples, dataset.size());
    EXPECT_EQ(emulation::statistics().used_devices, 0b10U);
  }
  emulation::configure(before);
}

}  // namespace
}  // namespace warpfit::test
