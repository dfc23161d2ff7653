// What a run of training is made of, from what was asked for.
#pragma once

#include <algorithm>
#include <future>
#include <optional>

#include "host/cli/commands.hpp"
#include "host/model/model_file.hpp"

namespace warpfit {

/// The options of training, optimizer and schedule resolved. Errors: UsageError for combinations that make no
/// sense.
TrainOptions training_options_of(const TrainCommand& command);

/// The network that was asked for, or the default one. Errors: UsageError where it does not fit the samples.
NetworkSpec fitting_network(const std::string& asked, const Dataset& training_set);

/// Both sets of samples, and the network that fits them.
class TrainingFiles {
 public:
  /// Errors: UsageError, DataError, IoError where data, network and options do not fit.
  explicit TrainingFiles(const TrainCommand& command);

  /// As the trainer takes them; they refer to this.
  [[nodiscard]] TrainingData data(const TrainCommand& command) const;
  /// Of the loss, as asked for; empty for 1 each. Balanced ones are samples / (classes * samples of the
  /// class), as scikit-learn's. Errors: UsageError where they do not fit the network or a class has no
  /// samples.
  [[nodiscard]] std::vector<float> class_weights(const ClassWeightFlags& flags, const Subset& training) const;
  [[nodiscard]] const ModelInfo& model() const { return model_; }
  [[nodiscard]] const NetworkPlan& plan() const { return plan_; }
  /// Of the larger set.
  [[nodiscard]] std::int64_t most_samples() const { return std::max(training_set_.size(), test_set_.size()); }
  /// "60000 training and 10000 test samples of 28x28"
  [[nodiscard]] std::string summary() const;
  /// Tells the data from other data.
  [[nodiscard]] std::string identity() const;

 private:
  TrainingFiles(const TrainCommand& command, std::future<Dataset> test_set);

  Dataset training_set_;
  Dataset test_set_;
  ModelInfo model_;
  NetworkPlan plan_;
};

}  // namespace warpfit
