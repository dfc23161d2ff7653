#include "host/report/benchmark.hpp"

#include <gtest/gtest.h>

namespace warpfit::test {
namespace {

BenchmarkFindings findings() {
  BenchmarkFindings findings;
  findings.device = "CPU \"fast\"";
  findings.network = "4-3-2";
  findings.optimizer = "adam";
  findings.engine = "fused";
  findings.batch_size = 8;
  findings.shuffle = true;
  findings.steps = 10;
  findings.repeats = 3;
  findings.sample_bytes = 1000;
  findings.phases = {{"load", {.median = 0.5e-6, .lowest = -0.25e-6, .highest = 1e-6}, 0, 4000},
                     {"loss", {.median = -1e-7, .lowest = -2e-7, .highest = 3e-7}, 5, 6},
                     {"step", {.median = 2e-6, .lowest = 1e-6, .highest = 4e-6}, 3000, 8000},
                     {"fused", {.median = 1e-6, .lowest = 5e-7, .highest = 2e-6}, 3000, 0}};
  findings.kernel_phases = {{"load pixels", 0.5e-6, 0.75e-6}, {"loss", 0.125e-6, 2e-6}};
  findings.paths = {{"data alone", {.median = 2e6, .lowest = 1e6, .highest = 3e6}}};
  findings.copy_bytes = {.median = 5e9, .lowest = 4e9, .highest = 6e9};
  return findings;
}

TEST(Benchmark, TakesTheMedianBetweenTheExtremes) {
  const auto odd = spread_of({3, 1, 2});
  EXPECT_EQ(odd.median, 2);
  EXPECT_EQ(odd.lowest, 1);
  EXPECT_EQ(odd.highest, 3);
  EXPECT_EQ(spread_of({4, 1, 2, 8}).median, 3);
  EXPECT_EQ(spread_of({7}).median, 7);
}

TEST(Benchmark, PrintsTables) {
  EXPECT_EQ(benchmark_text(findings()),
            "CPU \"fast\"\n"
            "4-3-2, adam, batches of 8, shuffled; 3 measurements of 10 steps\n"
            "\n"
            "phase  us a step  lowest  highest   share  GFLOP/s  GB/s\n"
            "load         0.5    -0.2      1.0   25.0%        -   8.0\n"
            "loss        -0.1    -0.2      0.3   -5.0%        -     -\n"
            "step         2.0     1.0      4.0  100.0%      1.5   4.0\n"
            "fused        1.0     0.5      2.0   50.0%      3.0     -\n"
            "\n"
            "phase of the fused kernel  us a step  slowest block\n"
            "load pixels                     0.50           0.75\n"
            "loss                            0.12           2.00\n"
            "sum                             0.62\n"
            "\n"
            "path          samples/s   lowest  highest  GB/s\n"
            "data alone      2000000  1000000  3000000  2.00\n"
            "large copies    5000000  4000000  6000000  5.00\n");
}

TEST(Benchmark, WritesALineOfJson) {
  EXPECT_EQ(benchmark_json(findings()),
            R"({"device":"CPU \"fast\"","network":"4-3-2","optimizer":"adam","engine":"fused",)"
            R"("batch_size":8,"shuffle":true,"steps":10,"repeats":3,"sample_bytes":1000,"phases":{)"
            R"("load":{"seconds":{"median":5e-07,"lowest":-2.5e-07,"highest":1e-06},"flop":0,"bytes":4000},)"
            R"("loss":{"seconds":{"median":-1e-07,"lowest":-2e-07,"highest":3e-07},"flop":5,"bytes":6},)"
            R"("step":{"seconds":{"median":2e-06,"lowest":1e-06,"highest":4e-06},"flop":3000,"bytes":8000},)"
            R"("fused":{"seconds":{"median":1e-06,"lowest":5e-07,"highest":2e-06},"flop":3000,"bytes":0}},)"
            R"("kernel_phases":{"load pixels":{"median":5e-07,"slowest":7.5e-07},)"
            R"("loss":{"median":1.25e-07,"slowest":2e-06}},)"
            R"("samples_per_second":{"data alone":{"median":2000000,"lowest":1000000,"highest":3000000}},)"
            R"("copy_bytes_per_second":{"median":5000000000,"lowest":4000000000,"highest":6000000000}})"
            "\n");
}

}  // namespace
}  // namespace warpfit::test
