// Records a run in its folder: checkpoints, the best model and metrics.
#pragma once

#include <span>
#include <string>

#include "host/model/model_file.hpp"
#include "host/report/metrics.hpp"
#include "host/run/run_options.hpp"
#include "host/train/run_folder.hpp"
#include "host/train/trainer.hpp"

namespace warpfit {

/// The intervals of checkpoints, without functions.
TrainerHooks intervals_of(const CheckpointInterval& every);

class RunRecorder {
 public:
  /// `data` identifies the data set. The first `keep` bytes of the metrics files are kept. `folder` and
  /// `model` must outlive it. Errors: those of MetricsReport.
  RunRecorder(const RunFolder& folder, const ModelInfo& model, std::string data, const MetricsSizes& keep);
  RunRecorder(const RunRecorder&) = delete;
  RunRecorder& operator=(const RunRecorder&) = delete;
  ~RunRecorder() = default;

  [[nodiscard]] Report& metrics() { return metrics_; }
  /// Saves a checkpoint. Errors: IoError.
  void save(TrainingState state);
  /// Saves the best model so far. Errors: IoError.
  void save_best(std::span<const float> parameters, std::span<const float> state) const;

 private:
  const RunFolder& folder_;
  const ModelInfo& model_;
  std::string data_;
  MetricsReport metrics_;
};

}  // namespace warpfit
