// A training report that collects the losses.
#pragma once

#include <vector>

#include "host/report/report.hpp"

namespace warpfit::test {

class Losses final : public Report {
 public:
  void loss(const LossReport& report) override { values.push_back(report.loss); }

  std::vector<float> values;
};

}  // namespace warpfit::test
