#include "host/run/whitening.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <variant>

#include "host/backend/pixel_transform_formula.hpp"
#include "host/base/error.hpp"
#include "host/base/symmetric_eigen.hpp"

namespace warpfit {
namespace {

constexpr std::int64_t kMaxSamples = 5000;
constexpr std::int64_t kMaxProducts = std::int64_t{1} << 32;  // of two values of a patch: a few seconds
constexpr double kEps = 5e-4;

// The sum of p'p over all patches p of an image (channels, height, width).
class PatchProducts {
 public:
  PatchProducts(const Shape& image, std::int64_t kernel) : image_(image), kernel_(kernel) {
    patch_.resize(static_cast<std::size_t>(image.channels * kernel * kernel));
    sums_.resize(patch_.size() * patch_.size());
  }

  void add(std::span<const double> values) {
    for (std::int64_t y = 0; y + kernel_ <= image_.height; ++y) {
      for (std::int64_t x = 0; x + kernel_ <= image_.width; ++x) {
        copy_patch(values, y, x);
        for (std::size_t i = 0; i < patch_.size(); ++i) {  // the upper triangle
          double* row = sums_.data() + i * patch_.size();
          for (std::size_t j = i; j < patch_.size(); ++j) row[j] += patch_[i] * patch_[j];
        }
        ++count_;
      }
    }
  }

  /// The sums divided by the number of patches.
  [[nodiscard]] std::vector<double> means() const {
    const auto n = patch_.size();
    std::vector<double> means(sums_.size());
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = i; j < n; ++j)
        means[i * n + j] = means[j * n + i] = sums_[i * n + j] / static_cast<double>(count_);
    }
    return means;
  }

 private:
  void copy_patch(std::span<const double> values, std::int64_t y, std::int64_t x) {
    auto to = patch_.begin();
    for (std::int64_t channel = 0; channel < image_.channels; ++channel) {
      for (std::int64_t row = y; row < y + kernel_; ++row) {
        const auto first = (channel * image_.height + row) * image_.width + x;
        to = std::copy_n(values.begin() + first, kernel_, to);
      }
    }
  }

  Shape image_;
  std::int64_t kernel_;
  std::int64_t count_ = 0;     // of patches
  std::vector<double> patch_;  // (channels, kernel, kernel)
  std::vector<double> sums_;
};

std::vector<double> patch_covariance(const Shape& image, std::int64_t kernel, const Subset& samples,
                                     const Normalization& normalization) {
  const auto patches = (image.height - kernel + 1) * (image.width - kernel + 1);
  const auto window = image.channels * kernel * kernel;
  const auto used = std::clamp<std::int64_t>(kMaxProducts / (patches * window * window), 1, kMaxSamples);
  PatchProducts products(image, kernel);
  const auto size = static_cast<std::size_t>(image.size());
  std::vector<std::uint8_t> bytes(size);
  std::vector<Label> label(1);
  std::vector<double> values(size);
  const auto channel_size = size / static_cast<std::size_t>(image.channels);
  for (std::int64_t sample = 0; sample < std::min(used, samples.size()); ++sample) {
    samples.read(sample, bytes, label);
    for (std::size_t i = 0; i < size; ++i)
      values[i] = double{value_of(normalization, bytes[i], static_cast<std::int64_t>(i / channel_size))};
    products.add(values);
  }
  return products.means();
}

}  // namespace

void whiten_first_layer(const NetworkPlan& plan, const Subset& samples, const Normalization& normalization,
                        std::span<float> parameters) {
  const auto& node = plan.nodes.front();
  const auto* const conv = std::get_if<Conv>(&node.layer);
  if (conv == nullptr || conv->init != ConvInit::kWhiten) return;
  if (node.in.height < conv->kernel || node.in.width < conv->kernel) {
    throw UsageError(fmt::format("{}: init=whiten needs samples of at least {} x {} pixels, but they are {}",
                                 text_of(*conv), conv->kernel, conv->kernel, text_of(node.in)));
  }
  const auto weight = plan.tensors[node.first_tensor].in(parameters);
  const auto filters = static_cast<std::size_t>(conv->out_channels) / 2;
  const auto size = weight.size() / (2 * filters);  // of a filter
  const auto eigen = symmetric_eigen(patch_covariance(node.in, conv->kernel, samples, normalization), size);
  for (std::size_t i = 0; i < filters; ++i) {
    const double deviation = std::sqrt(std::max(eigen.values[i], 0.0) + kEps);
    for (std::size_t j = 0; j < size; ++j) {
      const auto value = static_cast<float>(eigen.vectors[i * size + j] / deviation);
      weight[i * size + j] = value;
      weight[(filters + i) * size + j] = -value;
    }
  }
}

}  // namespace warpfit
