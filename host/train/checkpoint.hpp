// The state of a run as a file: a model (host/model/model_file) with the optimizer's state as additional
// tensors and the rest of the state in its metadata. Its checksum detects any damage.
#pragma once

#include <string>

#include "host/model/model_file.hpp"
#include "host/report/metrics.hpp"
#include "host/train/training_state.hpp"

namespace warpfit {

struct Checkpoint {
  ModelInfo info;
  TrainingState state;
  MetricsSizes metrics;   ///< sizes of the metrics files when it was saved
  std::string data;       ///< identifies the data set of the run
  std::string path = {};  ///< of the file that it was loaded from by RunFolder::newest()
};

/// Replaces the file at `location`. Errors: IoError.
void save_checkpoint(const FileLocation& location, const Checkpoint& checkpoint);

/// Errors: ModelError if the file is damaged, truncated or not a checkpoint; IoError.
Checkpoint load_checkpoint(const FileLocation& location);

}  // namespace warpfit
