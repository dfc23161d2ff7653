// The results of an evaluation, as text and as JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "host/report/confusion.hpp"

namespace warpfit {

struct EvaluationFindings {
  double loss = 0;              ///< mean over the batches of their mean losses
  std::int64_t batch_size = 0;  ///< samples in each batch except the last
  const Confusion& confusion;
  std::span<const std::string> class_names = {};  ///< of all classes, or empty
};

/// Accuracy and loss in the format of training, a table of the classes, and the confusion matrix.
std::string evaluation_text(const EvaluationFindings& findings);

/// One JSON object on one line; its numbers read back to the same bits.
std::string evaluation_json(const EvaluationFindings& findings);

}  // namespace warpfit
