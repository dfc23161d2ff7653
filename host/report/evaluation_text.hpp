// What an evaluation found, as text for people and as JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/report/confusion.hpp"

namespace warpfit {

struct EvaluationFindings {
  double loss = 0;              ///< mean over the batches of their mean loss
  std::int64_t batch_size = 0;  ///< samples in each, save the last
  const Confusion& confusion;
  std::span<const std::string> class_names = {};  ///< of all classes, or empty
};

/// Accuracy and loss as training prints them, a table of the classes and the confusion matrix.
std::string evaluation_text(const EvaluationFindings& findings);

/// One object on one line; numbers read back to the same bits.
std::string evaluation_json(const EvaluationFindings& findings);

}  // namespace warpfit
