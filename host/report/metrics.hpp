// The metrics of a run for programs to read: the same rows as JSON Lines and as CSV.
//
// A row of kind "step" stands for each loss that is printed, one of kind "epoch" for each epoch. Their
// fields, in this order:
//
//   kind, epoch, step    both   epoch and step (of the run) from 1
//   seen, loss           step   samples of the epoch before the batch; mean over the batch
//   learning_rate        both   of the batch; of the epoch's last batch
//   gradient_norm        step   2-norm before clipping, where it is measured
//   train_X              epoch  X: loss, correct, accuracy (0 to 1); each batch before its own update
//   validation_X         epoch  with a validation set
//   test_X               epoch
//   device               epoch  its description
//   seconds              both   of training in the epoch so far, by this process
//   evaluation_seconds   epoch
//   samples_per_second   both   of training, in those seconds
//
// The last three are the fields of time: two runs of the same training on one machine have the same rows
// apart from them, and so has a run that was stopped and resumed.
//
// A number is the shortest decimal that reads back to the same bits, as float for loss and gradient_norm of a
// step and as double elsewhere. One that is not finite is null in JSON and empty in CSV; a field without a
// value is left out of JSON and empty in CSV. CSV is RFC 4180's with lines that end in LF, headed by the
// fields' names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/report/metrics_file.hpp"
#include "host/report/report.hpp"

namespace warpfit {

/// One for each of the two files.
struct MetricsSizes {
  std::uint64_t json = 0;  ///< bytes
  std::uint64_t csv = 0;   ///< bytes
};

constexpr std::string_view kMetricsJson = "metrics.jsonl";
constexpr std::string_view kMetricsCsv = "metrics.csv";

class MetricsReport final : public Report {
 public:
  /// Writes to metrics.jsonl and metrics.csv in the folder, which must stay open. Keeps the first `keep`
  /// bytes of each file, as sizes() gave them to the checkpoint that is resumed, or none for a new run; a
  /// warning says if they are lost. Errors: IoError of MetricsFile.
  explicit MetricsReport(const Folder& folder, MetricsSizes keep = {});

  void run_started(const RunStart& run) override;        ///< Errors: ModelError if its device is no UTF-8.
  void loss(const LossReport& report) override;          ///< Errors: IoError.
  void epoch_ended(const EpochReport& report) override;  ///< Errors: IoError.
  void done() override { flush(); }                      ///< Errors: IoError.

  /// Of the rows so far; flush() before they are saved, so that no power cut makes a file shorter than that.
  [[nodiscard]] MetricsSizes sizes() const { return {json_.size(), csv_.size()}; }
  void flush() const;  ///< Errors: IoError.

 private:
  std::string device_;
  MetricsFile json_;
  MetricsFile csv_;
};

}  // namespace warpfit
