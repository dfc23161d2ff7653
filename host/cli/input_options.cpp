#include "host/cli/input_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string_view>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/base/split.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kInputGroup = "Data";
constexpr std::string_view kAugment = "--augment";
constexpr std::string_view kNormalize = "--normalize";
constexpr std::string_view kViews = "--tta";
constexpr std::int64_t kMaxPixels = 4096;

std::optional<std::int64_t> pixels_in(std::string_view text) {
  const auto pixels = parse_number<std::int64_t>(text);
  return pixels && *pixels >= 1 && *pixels <= kMaxPixels ? pixels : std::nullopt;
}

// Adds a transform such as "shift:2:reflect", split at the colons. Returns whether it is one.
bool add_transform(const std::vector<std::string_view>& parts, Augmentation& augmentation) {
  const auto& name = parts.front();
  const auto mode = parts.size() > 2 ? parts[2] : std::string_view();
  if (name == "flip" && augmentation.flip == FlipMode::kNever) {
    const bool alternates = parts.size() == 2 && parts[1] == "alternate";
    augmentation.flip = alternates ? FlipMode::kAlternate : FlipMode::kRandom;
    return parts.size() == 1 || alternates;
  }
  if (parts.size() < 2) return false;
  const auto pixels = pixels_in(parts[1]);
  if (name == "shift" && pixels && augmentation.shift == 0) {
    augmentation.shift = *pixels;
    augmentation.padding = mode == "reflect" ? ShiftPadding::kReflect : ShiftPadding::kZeros;
    return parts.size() == 2 || (parts.size() == 3 && mode == "reflect");
  }
  if (parts.size() > 2) return false;
  if (name == "cutout" && pixels && augmentation.cutout == 0) {
    augmentation.cutout = *pixels;
    return true;
  }
  const auto probability = parse_number<double>(parts[1]);
  if (name != "erase" || !probability || augmentation.erase_probability > 0) return false;
  augmentation.erase_probability = *probability;
  return *probability > 0 && *probability <= 1;
}

std::string text_of(const Augmentation& augmentation) {
  std::vector<std::string> parts;
  if (augmentation.shift > 0)
    parts.push_back(fmt::format("shift:{}{}", augmentation.shift,
                                augmentation.padding == ShiftPadding::kReflect ? ":reflect" : ""));
  if (augmentation.flip != FlipMode::kNever)
    parts.push_back(augmentation.flip == FlipMode::kAlternate ? "flip:alternate" : "flip");
  if (augmentation.erase_probability > 0)
    parts.push_back(fmt::format("erase:{}", augmentation.erase_probability));
  if (augmentation.cutout > 0) parts.push_back(fmt::format("cutout:{}", augmentation.cutout));
  return fmt::format("{}", fmt::join(parts, ","));
}

// Means, then as many standard deviations above 0. Errors: UsageError.
std::vector<float> numbers_in(std::string_view given, std::string_view expected) {
  std::vector<float> numbers;
  for (const auto part : split(given, ',')) {
    const auto value = parse_number<float>(part);
    if (!value || !std::isfinite(*value))
      throw UsageError(fmt::format("{} {}: expected {}", kNormalize, given, expected));
    numbers.push_back(*value + 0.0F);  // -0 becomes 0
  }
  const auto half = static_cast<std::ptrdiff_t>(numbers.size() / 2);
  if (numbers.size() % 2 == 1 ||
      std::any_of(numbers.begin() + half, numbers.end(), [](float deviation) { return deviation <= 0; }))
    throw UsageError(
        fmt::format("{} {}: expected {}, with standard deviations above 0", kNormalize, given, expected));
  return numbers;
}

}  // namespace

Option augment_option(Augmentation& augmentation) {
  const auto set = [&augmentation](std::string_view given) {
    augmentation = {};
    for (const auto part : split(given, ',')) {
      if (given.empty() || add_transform(split(part, ':'), augmentation)) continue;
      throw UsageError(
          fmt::format("{} {}: '{}' is not one of shift:PIXELS, shift:PIXELS:reflect, flip, flip:alternate, "
                      "erase:P with a "
                      "probability up to 1 and cutout:PIXELS, each at most once",
                      kAugment, given, part));
    }
  };
  return {.group = kInputGroup,
          .flag = kAugment,
          .value = "A,B,...",
          .help =
              "random changes of each training image in each epoch, the same on every device: shift it, flip "
              "it left to right, erase a rectangle as torchvision's RandomErasing, cut out a square",
          .range = "shift:PIXELS or shift:PIXELS:reflect, flip or flip:alternate, erase:P, cutout:PIXELS",
          .otherwise = "none",
          .get = [&augmentation] { return text_of(augmentation); },
          .set = set};
}

Option normalize_option(NormalizationOptions& normalization) {
  auto option = normalize_option(normalization.given);
  option.help =
      "subtract a mean from all values, byte / 255, and divide by a standard deviation, as torchvision's "
      "Normalize; data: the mean and the standard deviation of each channel of the training samples. The "
      "model keeps them";
  option.range = "MEAN,STD; for each of C channels MEAN,...,STD,...; or data";
  option.otherwise = "none";
  option.get = [&normalization, get = option.get] { return normalization.from_data ? "data" : get(); };
  option.set = [&normalization, set = option.set](std::string_view given) {
    normalization = {.from_data = given == "data"};
    if (!normalization.from_data) set(given);
  };
  return option;
}

Option normalize_option(std::vector<float>& normalization) {
  constexpr std::string_view kExpected =
      "a mean and a standard deviation as in 0.286,0.353, or all means, then all "
      "standard deviations";
  return {.group = kInputGroup,
          .flag = kNormalize,
          .value = "MEAN,STD",
          .help = "of a PyTorch state dict: the mean and the standard deviation of its Normalize transform",
          .range = "MEAN,STD, or for each of C channels MEAN,...,STD,...",
          .otherwise = "the model's",
          .get = [&normalization] { return fmt::format("{}", fmt::join(normalization, ",")); },
          .set =
              [&normalization, kExpected](std::string_view given) {
                normalization = given.empty() ? std::vector<float>() : numbers_in(given, kExpected);
              }};
}

Option test_views_option(TestViewOptions& views) {
  const auto set = [&views](std::string_view given) {
    views = {};
    for (const auto part : split(given, ',')) {
      const auto parts = split(part, ':');
      const auto pixels = parts.size() == 2 ? pixels_in(parts[1]) : std::optional<std::int64_t>(1);
      const bool flips = part == "flip" && !views.flip;
      const bool shifts = parts.front() == "shift" && parts.size() <= 2 && pixels && views.shift == 0;
      if (flips) views.flip = true;
      if (shifts) views.shift = *pixels;
      if (!flips && !shifts)
        throw UsageError(
            fmt::format("{} {}: '{}' is not one of flip, shift and shift:PIXELS, each at most once", kViews,
                        given, part));
    }
  };
  const auto get = [&views] {
    std::vector<std::string> parts;
    if (views.flip) parts.emplace_back("flip");
    if (views.shift > 0) parts.push_back(fmt::format("shift:{}", views.shift));
    return fmt::format("{}", fmt::join(parts, ","));
  };
  return {.group = kInputGroup,
          .flag = kViews,
          .value = "A,B",
          .help =
              "test-time augmentation: means of the outputs for each image and its mirror image (flip), or "
              "the image moved diagonally up-left and down-right by PIXELS (shift)",
          .range = "flip, shift:PIXELS",
          .otherwise = "each image once",
          .get = get,
          .set = set};
}

}  // namespace warpfit
