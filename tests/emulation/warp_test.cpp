// Warp operations, lane by lane, compared with their definition in the CUDA C++ Programming Guide.
#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

class WarpOperations : public InEachMode {};

TEST_P(WarpOperations, GiveEachLaneWhatTheyPromise) {
  const DeviceArray<WarpResults> results(1);
  WARPFIT_CUDA(launch_warp_operations(results.get(), nullptr));
  const WarpResults r = results.value();
  for (int lane = 0; lane < 32; ++lane) {
    SCOPED_TRACE(testing::Message() << "lane " << lane);
    EXPECT_EQ(r.shuffle[lane], (lane + 5) % 32 * 10);
    EXPECT_EQ(r.up[lane], lane < 3 ? lane : lane - 3);
    EXPECT_EQ(r.down[lane], lane > 28 ? lane : lane + 3);
    EXPECT_EQ(r.exclusive_or[lane], lane ^ 9);
    EXPECT_EQ(r.narrow[lane], lane % 8 < 6 ? lane + 2 : lane);
    EXPECT_EQ(r.ballot[lane], 0x49249249u);
    EXPECT_EQ(r.any[lane], 1u);
    EXPECT_EQ(r.all[lane], 0u);
    EXPECT_EQ(r.match[lane], 0xffu << lane / 8 * 8);
    EXPECT_EQ(r.add[lane], 496u);
    EXPECT_EQ(r.least[lane], 4u);
    EXPECT_EQ(r.greatest[lane], 35u);
    EXPECT_EQ(r.signed_least[lane], -10);
    EXPECT_EQ(r.signed_greatest[lane], -1);
    EXPECT_EQ(r.active[lane], lane < 16 ? ~0u : 0u);
    EXPECT_EQ(r.undefined[lane], lane < 16 ? -1 : 0);  // never the correct value by coincidence
  }
}

INSTANTIATE_TEST_SUITE_P(Each, WarpOperations, each_mode(), mode_name);

}  // namespace
}  // namespace warpfit::emulation::test
