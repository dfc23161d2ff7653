// Combines several reports into one.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "host/report/report.hpp"

namespace warpfit {

/// Passes each call to its reports in order. If one of them throws, those after it are not called.
class Reports final : public Report {
 public:
  Reports() = default;
  /// The reports must outlive this.
  explicit Reports(std::vector<std::reference_wrapper<Report>> reports) : reports_(std::move(reports)) {}

  /// `report` must outlive this.
  void add(Report& report) { reports_.emplace_back(report); }

  void run_started(const RunStart& run) override {
    for (Report& each : reports_) each.run_started(run);
  }
  void epoch_started(std::int64_t epoch) override {
    for (Report& each : reports_) each.epoch_started(epoch);
  }
  void loss(const LossReport& report) override {
    for (Report& each : reports_) each.loss(report);
  }
  void epoch_ended(const EpochReport& report) override {
    for (Report& each : reports_) each.epoch_ended(report);
  }
  void done() override {
    for (Report& each : reports_) each.done();
  }

 private:
  std::vector<std::reference_wrapper<Report>> reports_;
};

}  // namespace warpfit
