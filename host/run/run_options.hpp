// The options of a run after the command line was resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/backend/backend_options.hpp"
#include "host/parallel/launch.hpp"
#include "host/run/input.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/stream/sample_layout.hpp"
#include "host/train/benchmark.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

/// The files of a data set: a folder, and individual files that take precedence over those of the folder.
struct DataOptions {
  std::string folder;
  DatasetPaths files;
  SampleLayout layout;
};

/// The weights of the classes in the loss; 1 by default.
struct ClassWeightOptions {
  std::vector<float> given = {};
  bool balanced = false;  ///< all classes of the training set have the same total weight
};

/// The part of the training set that is used for validation.
struct ValidationOptions {
  double share = 0;
  bool shuffle = false;
};

struct CheckpointInterval {
  std::int64_t count = 1;
  bool in_epochs = true;  ///< otherwise in steps
};

/// The options of a training run.
struct RunOptions {
  DataOptions data;
  std::string network;                      ///< "784-512-512-10" or a list of layers; empty for the default
  float dropout = 0;                        ///< after each hidden activation
  std::string names = "linear_relu_stack";  ///< attribute of the PyTorch module that contains the layers
  std::vector<std::string> freeze;          ///< patterns of the names of parameters that are not trained
  TrainOptions training{.engine = Engine::kAuto};
  NormalizationOptions normalization;  ///< resolved when the data is known
  ClassWeightOptions class_weights;    ///< resolved when the data is known, then part of the loss
  ValidationOptions validation;
  BackendOptions device;
  ParallelMode parallel = ParallelMode::kAuto;
  std::string class_names;  ///< file of class names; empty for classes.txt next to the labels, if any
  std::string init_from;    ///< model to start from; empty for PyTorch's initialization
  std::string model;        ///< file to save the final model in; empty for none
  std::string folder;       ///< new folder for the run; empty for none
  std::string config;       ///< these options in the format of config.toml; required with a folder
  CheckpointInterval checkpoint_every;
  bool replaces_config = false;  ///< if a run is resumed with other options
  bool shows_progress = false;   ///< on standard error, if it is a terminal
};

/// The options of a benchmark of training.
struct BenchmarkRunOptions {
  DataOptions data;
  std::string network;  ///< as in RunOptions
  BenchmarkOptions benchmark{.engine = Engine::kAuto};
  BackendOptions device;
};

}  // namespace warpfit
