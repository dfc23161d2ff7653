// A run's state as a file: a model like any other (host/model/model_file), with the optimizer's state
// in it and the rest of the state in its metadata. Its checksum finds every damaged bit.
#pragma once

#include <string>

#include "host/model/model_file.hpp"
#include "host/report/metrics.hpp"
#include "host/train/training_state.hpp"

namespace warpfit {

struct Checkpoint {
  ModelInfo info;
  TrainingState state;
  MetricsSizes metrics;  ///< of the run's files when it was saved
  std::string data;      ///< what the run was trained on
};

/// Replaces the file at `location`. Errors: IoError.
void save_checkpoint(const FileLocation& location, const Checkpoint& checkpoint);

/// Errors: ModelError where it is damaged, cut, or no checkpoint; IoError.
Checkpoint load_checkpoint(const FileLocation& location);

}  // namespace warpfit
