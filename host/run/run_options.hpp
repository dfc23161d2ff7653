// What a run is assembled from, once the command line is resolved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/backend/backend_options.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/benchmark.hpp"
#include "host/train/train_options.hpp"

namespace warpfit {

/// The files of a data set: a folder, and files named one by one before those of the folder.
struct DataOptions {
  std::string folder;
  DatasetPaths files;
  bool transpose = false;  ///< images are stored column by column
};

/// The classes' weights in the loss; by default each weighs 1.
struct ClassWeightOptions {
  std::vector<float> given = {};
  bool balanced = false;  ///< each class of the training set has the same weight in all
};

/// The part of the training set that is not trained on.
struct ValidationOptions {
  double share = 0;
  bool shuffle = false;
};

struct CheckpointInterval {
  std::int64_t count = 1;
  bool in_epochs = true;  ///< or in steps
};

/// A run of training.
struct RunOptions {
  DataOptions data;
  std::string network;                      ///< "784-512-512-10" or a list of layers; empty for the default
  float dropout = 0;                        ///< after each hidden activation
  std::string names = "linear_relu_stack";  ///< attribute of PyTorch's module that holds the layers
  TrainOptions training{.engine = Engine::kAuto};
  ClassWeightOptions class_weights;  ///< resolved with the data, into the loss
  ValidationOptions validation;
  BackendOptions device;
  std::string
      class_names;  ///< file of the names of the classes; empty for classes.txt next to the labels, if any
  std::string init_from;  ///< model to begin with; empty for PyTorch's initial parameters
  std::string model;      ///< file for the model at the end; empty for none
  std::string folder;     ///< new folder that keeps the run; empty for none
  std::string config;     ///< these options as config.toml has them; needed with a folder
  CheckpointInterval checkpoint_every;
  bool replaces_config = false;  ///< of a run that is resumed with other options
  bool shows_progress = false;   ///< on standard error, if it is a terminal
};

/// A measurement of training's speed.
struct BenchmarkRunOptions {
  DataOptions data;
  std::string network;  ///< likewise
  BenchmarkOptions benchmark{.engine = Engine::kAuto};
  BackendOptions device;
};

}  // namespace warpfit
