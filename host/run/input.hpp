// The options of what is done with samples before they reach the network, resolved for a data set.
#pragma once

#include <cstdint>
#include <vector>

#include "host/model/model_file.hpp"
#include "host/stream/subset.hpp"
#include "host/train/step.hpp"

namespace warpfit {

/// The normalization of samples; by default there is none.
struct NormalizationOptions {
  std::vector<float> given =
      {};                  ///< mean and standard deviation of all channels, or all means, then all deviations
  bool from_data = false;  ///< those of the training samples
};

/// Test-time augmentation: the outputs are means over several views of each sample.
struct TestViewOptions {
  bool flip = false;  ///< also the mirrored image, with equal share
  std::int64_t shift =
      0;  ///< also moved up and left, and down and right, by so many pixels, with half a share
};

/// Errors: UsageError if the numbers do not fit the channels, or if a channel of the data is constant.
Normalization normalization_of(const NormalizationOptions& options, const Shape& sample,
                               const Subset& training);
Normalization normalization_of(const std::vector<float>& given, const Shape& sample);

/// Completes the description of a PyTorch state dict by what it does not state: the shape of the samples, if
/// they have as many values as the network has inputs, and their normalization, if `given` is not empty.
/// Errors: UsageError, also if `given` is not empty and the model is warpfit's, which states its own.
void complete_state_dict(const Dataset& samples, const std::vector<float>& given, const std::string& path,
                         Model& model);

/// The augmentation with the rectangles that it erases: 16 areas by 16 aspect ratios, spread evenly over the
/// ranges of torchvision's RandomErasing (2 to 33 % of the image, ratios from 0.3 to 3.3, log-uniform),
/// without those that do not fit. Errors: UsageError if the samples are not images, or too small.
Augmentation fitted(Augmentation augmentation, const Shape& sample);

/// The views of each sample, of which the first one is the sample itself. Errors: UsageError likewise.
std::vector<TestView> test_views(const TestViewOptions& options, const Normalization& normalization,
                                 const Shape& sample);

}  // namespace warpfit
