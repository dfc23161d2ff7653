// Predictions as text, a row a sample, on standard output.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace warpfit {

enum class PredictionFormat {
  kCsv,   ///< "index,class_1,probability_1,class_2,..." and rows of it; with names "index,class_1,name_1,..."
  kJsonl  ///< {"index":0,"classes":[9,7],"probabilities":[0.98,0.01]}; with names also
          ///< "names":["Bag","Shirt"]
};

/// What is shown of a class: six decimals of a probability; of the others the float's shortest decimal that
/// reads back to the same bits.
enum class Scores { kProbabilities, kLogits, kLogProbabilities };

class PredictionWriter {
 public:
  /// The `top_k` best of all classes are shown, at most as many as there are; of equals the lower class goes
  /// first. `names`: of all classes, which are shown as well, or empty; they must outlive this.
  PredictionWriter(PredictionFormat format, Scores scores, std::int64_t top_k,
                   std::span<const std::string> names = {});

  /// The next sample, by its logits, which are finite. Errors: IoError.
  void add(std::span<const float> logits);
  /// Writes what is still held back. Errors: IoError.
  void finish();

 private:
  void append_csv(std::span<const std::string> values);
  void append_json(std::span<const std::string> values);

  PredictionFormat format_;
  Scores scores_;
  std::size_t top_k_;
  std::span<const std::string> names_;
  std::int64_t index_ = 0;
  std::vector<std::int64_t> classes_;  // of the sample, the best first
  std::string held_;
};

}  // namespace warpfit
