// The upload pipeline of a trainer, correct and with one of four hazards. With lazy streams each hazard
// always gives a wrong result; with eager streams none does, which is why the tests run both.
#include "tests/emulation/pipeline.hpp"

#include <string>

#include "tests/emulation/machine.hpp"

namespace warpfit::emulation::test {
namespace {

constexpr Hazard kHazards[] = {Hazard::kRefillTooEarly, Hazard::kOverwriteTooEarly, Hazard::kReadTooEarly,
                               Hazard::kNoFinalWait};

class Pipeline : public InEachMode {};

TEST_P(Pipeline, GivesTheRightSumWithoutHazards) {
  const PipelineResult result = run_pipeline(Hazard::kNone);
  EXPECT_EQ(result.got, result.wanted);
}

TEST_P(Pipeline, HazardsShowWithLazyStreamsAlone) {
  if (kThreadSanitizer) GTEST_SKIP() << "it reports each as a race: see sanitizers_test";
  for (const Hazard hazard : kHazards) {
    const PipelineResult result = run_pipeline(hazard);
    if (config().streams == Config::Streams::kLazy) {
      EXPECT_NE(result.got, result.wanted) << "hazard " << static_cast<int>(hazard);
    } else {
      EXPECT_EQ(result.got, result.wanted) << "hazard " << static_cast<int>(hazard);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Pipeline, each_mode(), mode_name);

}  // namespace
}  // namespace warpfit::emulation::test
