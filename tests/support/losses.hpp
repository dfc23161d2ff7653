// A report that keeps the losses.
#pragma once

#include <vector>

#include "host/report/report.hpp"

namespace warpfit::test {

class Losses final : public Report {
 public:
  void epoch_started(std::int64_t) override {}
  void loss(const LossReport& report) override { values.push_back(report.loss); }
  void epoch_ended(const EpochReport&) override {}
  void done() override {}

  std::vector<float> values;
};

}  // namespace warpfit::test
