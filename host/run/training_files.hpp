// The data of a run, and the network that fits it.
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

/// The network that was asked for, or the default one. Errors: UsageError where it does not fit the samples.
NetworkSpec fitting_network(const std::string& asked, const Dataset& training_set);

/// Both sets of samples, and the network that fits them.
class TrainingFiles {
 public:
  /// Errors: UsageError, DataError, IoError where data, network and options do not fit.
  explicit TrainingFiles(const RunOptions& options);

  /// As the trainer takes them; they refer to this.
  [[nodiscard]] TrainingData data(const RunOptions& options) const;
  /// Of the loss, as asked for; empty for 1 each. Balanced ones are samples / (classes * samples of the
  /// class), as scikit-learn's. Errors: UsageError where they do not fit the network or a class has no
  /// samples.
  [[nodiscard]] std::vector<float> class_weights(const ClassWeightOptions& options,
                                                 const Subset& training) const;
  [[nodiscard]] const ModelInfo& model() const { return model_; }
  /// Of a run that goes on: those that it began with.
  void set_class_names(std::vector<std::string> names) { model_.class_names = std::move(names); }
  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  /// Of the larger set.
  [[nodiscard]] std::int64_t max_samples() const { return std::max(training_set_.size(), test_set_.size()); }
  /// "60000 training and 10000 test samples of 28x28 from DIR: train-images-idx3-ubyte, ..."
  [[nodiscard]] std::string summary() const;
  /// Tells the data from other data.
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
