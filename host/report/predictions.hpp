// Writes predictions to standard output as text, one row per sample.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace warpfit {

enum class PredictionFormat {
  kCsv,   ///< "index,class_1,probability_1,class_2,..."; with names "index,class_1,name_1,..."
  kJsonl  ///< {"index":0,"classes":[9,7],"probabilities":[0.98,0.01]}; with names also
          ///< "names":["Bag","Shirt"]
};

/// What is printed for a class. Probabilities have six decimals; the other scores are the shortest decimal of
/// the float that reads back to the same bits.
enum class Scores { kProbabilities, kLogits, kLogProbabilities };

class PredictionWriter {
 public:
  /// Prints the `top_k` best classes, at most the number of classes; of classes with equal scores, the lower
  /// one comes first. `names`: the names of all classes, which are printed as well, or empty; they must
  /// outlive this.
  PredictionWriter(PredictionFormat format, Scores scores, std::int64_t top_k,
                   std::span<const std::string> names = {});

  /// Adds the next sample, given its logits, which must be finite. Errors: IoError.
  void add(std::span<const float> logits);
  /// Writes the rows that are still buffered. Errors: IoError.
  void finish();

 private:
  void append_csv(std::span<const std::string> values);
  void append_json(std::span<const std::string> values);

  PredictionFormat format_;
  Scores scores_;
  std::size_t top_k_;
  std::span<const std::string> names_;
  std::int64_t index_ = 0;
  std::vector<std::int64_t> classes_;  // of the sample, best first
  std::string held_;
};

}  // namespace warpfit
