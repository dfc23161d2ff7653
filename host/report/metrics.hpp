// The metrics of a run in machine-readable form: the same rows as JSON Lines and as CSV.
//
// There is a row of kind "step" for each printed loss and a row of kind "epoch" for each epoch. Their fields,
// in this order:
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
// The last three are the time fields. Two runs of the same training on the same machine have identical rows
// except for these fields, and so does a run that was stopped and resumed.
//
// A number is written as the shortest decimal that reads back to the same bits: as float for the loss and
// gradient_norm of a step, and as double elsewhere. A number that is not finite is null in JSON and empty in
// CSV; a field without a value is omitted in JSON and empty in CSV. CSV follows RFC 4180 with lines that end
// in LF; its first line contains the names of the fields.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "host/report/metrics_file.hpp"
#include "host/report/report.hpp"

namespace warpfit {

/// The sizes of the two files.
struct MetricsSizes {
  std::uint64_t json = 0;  ///< bytes
  std::uint64_t csv = 0;   ///< bytes
};

constexpr std::string_view kMetricsJson = "metrics.jsonl";
constexpr std::string_view kMetricsCsv = "metrics.csv";

class MetricsReport final : public Report {
 public:
  /// Writes to metrics.jsonl and metrics.csv in the folder, which must stay open. Keeps the first `keep`
  /// bytes of each file, the sizes() stored in the checkpoint from which the run is resumed; a new run keeps
  /// none. Logs a warning if these rows are lost. Errors: IoError of MetricsFile.
  explicit MetricsReport(const Folder& folder, MetricsSizes keep = {});

  void run_started(const RunStart& run) override;  ///< Errors: ModelError if the device is not valid UTF-8.
  void loss(const LossReport& report) override;    ///< Errors: IoError.
  void epoch_ended(const EpochReport& report) override;  ///< Errors: IoError.
  void done() override { flush(); }                      ///< Errors: IoError.

  /// Sizes of the rows written so far. Call flush() before saving them in a checkpoint, so that a power
  /// failure cannot leave a file shorter than its saved size.
  [[nodiscard]] MetricsSizes sizes() const { return {json_.size(), csv_.size()}; }
  void flush() const;  ///< Errors: IoError.

 private:
  std::string device_;
  MetricsFile json_;
  MetricsFile csv_;
};

}  // namespace warpfit
