#include "host/run/input.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/pixel_statistics.hpp"

namespace warpfit {
namespace {

void check_channels(std::int64_t channels) {
  if (channels <= Normalization::kMaxChannels) return;
  throw UsageError(fmt::format("--normalize: the samples have {} channels, expected at most {}", channels,
                               Normalization::kMaxChannels));
}

Normalization measured(const Shape& sample, const Subset& samples) {
  constexpr std::int64_t kPieceBytes = 1 << 20;
  const auto image = image_of(sample);
  check_channels(image.channels);
  Normalization normalization{.channels = image.channels};
  std::vector<PixelSums> sums(static_cast<std::size_t>(image.channels));
  const auto channel_size = static_cast<std::size_t>(image.pixels());
  const auto rows = std::clamp<std::int64_t>(kPieceBytes / image.size(), 1, samples.size());
  std::vector<std::uint8_t> pixels;
  std::vector<Label> labels;
  for (std::int64_t first = 0; first < samples.size(); first += rows) {
    const auto count = static_cast<std::size_t>(std::min(rows, samples.size() - first));
    pixels.resize(count * static_cast<std::size_t>(image.size()));
    labels.resize(count);
    samples.read(first, pixels, labels);
    for (std::size_t part = 0; part < count * sums.size(); ++part)
      sums[part % sums.size()].add(std::span(pixels).subspan(part * channel_size, channel_size));
  }
  for (std::size_t channel = 0; channel < sums.size(); ++channel) {
    const auto [mean, deviation] = sums[channel].statistics();
    if (deviation == 0)
      throw UsageError(fmt::format(
          "--normalize data: all pixels of channel {} of the training samples are equal", channel));
    normalization.means[channel] = static_cast<float>(mean);
    normalization.deviations[channel] = static_cast<float>(deviation);
  }
  return normalization;
}

void check_is_image(std::string_view flag, const Shape& sample) {
  if (!sample.is_vector()) return;
  throw UsageError(
      fmt::format("{}: the samples are vectors of {} values, expected images", flag, sample.channels));
}

void check_extent(std::string_view what, const Shape& sample, std::int64_t pixels) {
  if (pixels < std::min(sample.height, sample.width) || pixels == 0) return;
  throw UsageError(
      fmt::format("{}: expected fewer pixels than the height and the width of the samples, which are {}",
                  what, text_of(sample)));
}

// RandomErasing.get_params in torchvision/transforms/transforms.py: height = sqrt(area * ratio), width =
// sqrt(area / ratio), both smaller than the image.
void add_erase_extents(Augmentation& augmentation, const Shape& sample) {
  constexpr int kSteps = 16;
  static_assert(kSteps * kSteps == Augmentation::kMaxExtents);
  constexpr double kMinArea = 0.02, kMaxArea = 0.33, kMinRatio = 0.3, kMaxRatio = 3.3;
  augmentation.extents = 0;
  for (int i = 0; i < kSteps * kSteps; ++i) {
    const auto middle = [](int step) { return (step + 0.5) / kSteps; };
    const double share = kMinArea + middle(i / kSteps) * (kMaxArea - kMinArea);
    const double area = share * static_cast<double>(sample.height * sample.width);
    const double ratio =
        std::exp(std::log(kMinRatio) + middle(i % kSteps) * (std::log(kMaxRatio) - std::log(kMinRatio)));
    const auto height = std::llround(std::sqrt(area * ratio));
    const auto width = std::llround(std::sqrt(area / ratio));
    if (height < 1 || width < 1 || height >= sample.height || width >= sample.width) continue;
    augmentation.erase_extents[static_cast<std::size_t>(augmentation.extents++)] = {
        static_cast<std::int32_t>(height), static_cast<std::int32_t>(width)};
  }
  if (augmentation.extents == 0)
    throw UsageError(fmt::format("--augment erase: no rectangle fits into samples of {}", text_of(sample)));
}

}  // namespace

Normalization normalization_of(const std::vector<float>& given, const Shape& sample) {
  if (given.empty()) return {};
  const auto channels = image_of(sample).channels;
  check_channels(channels);
  if (given.size() != 2 && std::ssize(given) != 2 * channels) {
    throw UsageError(channels == 1
                         ? fmt::format("--normalize: {} numbers, expected 2", given.size())
                         : fmt::format("--normalize: {} numbers, expected 2 or, for {} channels, {}",
                                       given.size(), channels, 2 * channels));
  }
  Normalization normalization{.channels = channels};
  const auto half = given.size() / 2;
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(channels); ++channel) {
    normalization.means[channel] = given[channel % half];
    normalization.deviations[channel] = given[half + channel % half];
  }
  return normalization;
}

void complete_state_dict(const Dataset& samples, const std::vector<float>& given, const std::string& path,
                         Model& model) {
  if (model.is_own) {
    if (given.empty()) return;
    throw UsageError(
        fmt::format("--normalize: {} is a model of warpfit, which states how samples are normalized", path));
  }
  if (plan_of(model.info).inputs() == samples.sample_size())
    model.info.sample_shape.assign(samples.sample_shape().begin(), samples.sample_shape().end());
  model.info.normalization = normalization_of(given, plan_of(model.info).sample);
}

Normalization normalization_of(const NormalizationOptions& options, const Shape& sample,
                               const Subset& training) {
  return options.from_data ? measured(sample, training) : normalization_of(options.given, sample);
}

Augmentation fitted(Augmentation augmentation, const Shape& sample) {
  if (augmentation.is_off()) return augmentation;
  check_is_image("--augment", sample);
  check_extent(fmt::format("--augment shift:{}", augmentation.shift), sample, augmentation.shift);
  check_extent(fmt::format("--augment cutout:{}", augmentation.cutout), sample, augmentation.cutout);
  if (augmentation.erase_probability > 0) add_erase_extents(augmentation, sample);
  return augmentation;
}

std::vector<TestView> test_views(const TestViewOptions& options, const Normalization& normalization,
                                 const Shape& sample) {
  if (options.flip || options.shift > 0) check_is_image("--tta", sample);
  check_extent(fmt::format("--tta shift:{}", options.shift), sample, options.shift);
  std::vector<TestView> views;
  for (const auto shift : {std::int64_t{0}, -options.shift, options.shift}) {
    if (shift == 0 && !views.empty()) continue;
    const float share = options.shift == 0 ? 1.0F : shift == 0 ? 0.5F : 0.25F;
    for (const bool flips : {false, true}) {
      if (flips && !options.flip) continue;
      PixelTransform input{.image = image_of(sample), .normalization = normalization};
      input.view = {.flips = flips, .padding = ShiftPadding::kReflect, .down = shift, .right = shift};
      views.push_back({input, options.flip ? share / 2 : share});
    }
  }
  return views;
}

}  // namespace warpfit
