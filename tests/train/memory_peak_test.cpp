// The memory of data sets on the emulated device, as counted by the device.
#include <gtest/gtest.h>

#include "tests/emulation/emulation.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/limited_training.hpp"

namespace warpfit::test {
namespace {

// The peak number of bytes of device memory during `work`.
template <class Work>
std::int64_t peak_of(const Work& work) {
  emulation::configure(emulation::config());
  std::unique_ptr<Backend> backend;
  require_backend("cuda", backend);
  const auto before = emulation::statistics().live_bytes;
  work(*backend);
  return emulation::statistics().peak_bytes - before;
}

class MemoryPeak : public testing::TestWithParam<std::string> {};

// Everything except the data takes the same memory in each run.
TEST_P(MemoryPeak, OfTrainingKeepsToTheLimit) {
  for (const bool shuffle : {false, true}) {
    const auto kept = peak_of(
        [&](Backend& backend) { train_limited(backend, shuffle, Residency::kResident, std::nullopt); });
    for (const std::int64_t limit : {kSampleBytes / 2, kSampleBytes / 4, kSampleBytes / 10}) {
      const auto limited =
          peak_of([&](Backend& backend) { train_limited(backend, shuffle, Residency::kAuto, limit); });
      EXPECT_LE(limited, kept - kSampleBytes + limit) << "limit " << limit << ", shuffle " << shuffle;
    }
  }
}

TEST_P(MemoryPeak, OfAFileLargerThanTheLimitKeepsToItInShuffledOrder) {
  constexpr std::int64_t kSamples = 5000;
  constexpr std::int64_t kSize = 2000;
  constexpr std::int64_t kLimit = kSamples * kSize / 8;
  Bytes elements(kSamples * kSize, 7);
  for (std::int64_t i = 0; i < kSamples; ++i) elements[i * kSize] = static_cast<std::uint8_t>(i % 251);
  Bytes labels(kSamples, 1);
  const TemporaryFolder folder;
  const Dataset dataset(folder.add("images", idx({kSamples, kSize}, elements)),
                        folder.add("labels", idx({kSamples}, labels)));
  TorchGenerator generator(3);
  const auto order = SampleOrder::of_pass(kSamples, true, generator);
  const auto peak = peak_of([&](Backend& backend) {
    const std::vector sets{request_for(dataset, 50)};
    BatchStream stream(backend, dataset, plan_streams(backend, sets, Residency::kAuto, kLimit).front());
    stream.start(order);
    std::int64_t seen = 0;
    while (const auto chunk = stream.next()) {
      const auto& samples = chunk->samples();
      Bytes pixels(static_cast<std::size_t>(samples.count * kSize));
      backend.download(samples.pixels, std::as_writable_bytes(std::span(pixels)));
      for (std::int64_t i = 0; i < samples.count; ++i, ++seen) {
        ASSERT_EQ(pixels[i * kSize], order.indices(seen, 1).front() % 251) << seen;
      }
    }
    EXPECT_EQ(seen, kSamples);
  });
  EXPECT_LE(peak, kLimit);
  EXPECT_GT(peak, kLimit / 2);  // it uses what the limit allows
}

INSTANTIATE_TEST_SUITE_P(Backends, MemoryPeak, testing::Values("cuda"), backend_name);

}  // namespace
}  // namespace warpfit::test
