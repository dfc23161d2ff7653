// The data of a run and the network that fits it.
#pragma once

#include <algorithm>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/run/run_options.hpp"
#include "host/train/training_data.hpp"

namespace warpfit {

/// The requested network, or the default one. Errors: UsageError if it does not fit the samples.
NetworkSpec fitting_network(const std::string& asked, const Dataset& training_set);

/// The training set and the test set, and the network that fits them.
class TrainingFiles {
 public:
  /// Errors: UsageError, DataError or IoError if the data, the network and the options do not fit together.
  explicit TrainingFiles(const RunOptions& options);

  /// The data for the trainer; it refers to this object.
  [[nodiscard]] TrainingData data(const RunOptions& options) const;
  /// The requested class weights of the loss; empty if all are 1. Balanced weights are samples / (classes *
  /// samples of the class), as in scikit-learn. Errors: UsageError if they do not fit the network or a class
  /// has no samples.
  [[nodiscard]] std::vector<float> class_weights(const ClassWeightOptions& options,
                                                 const Subset& training) const;
  [[nodiscard]] const ModelInfo& model() const { return model_; }
  /// Of a run that goes on: those that it began with.
  void set_class_names(std::vector<std::string> names) { model_.class_names = std::move(names); }
  /// The plan of the network, in which parameters are frozen as requested.
  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  /// "60000 training and 10000 test samples of 28x28 from DIR: train-images-idx3-ubyte, ..."
  [[nodiscard]] std::string summary() const;
  /// A text that identifies the data set.
  [[nodiscard]] std::string identity() const;

 private:
  TrainingFiles(const RunOptions& options, const DatasetPaths& paths);
  TrainingFiles(const RunOptions& options, const DatasetPaths& paths, std::future<Dataset> test_set);

  DatasetPaths paths_;
  Dataset training_set_;
  Dataset test_set_;
  ModelInfo model_;
  NetworkPlan plan_;
};

}  // namespace warpfit
