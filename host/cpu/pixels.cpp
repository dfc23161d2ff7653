#include "host/cpu/pixels.hpp"

#include <algorithm>

#include "host/backend/pixel_transform_formula.hpp"
#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// values[i] = the value of byte `from[i * stride]`, for a stride of 1 or -1.
inline void convert(const Normalization& normalization, std::int64_t channel, const std::uint8_t* from,
                    std::int64_t stride, float* values, std::int64_t count) {
  // A true division: multiplying by 1/255 rounds 126 of the 256 values differently.
  if (normalization.channels == 0) {
#pragma omp simd
    for (std::int64_t i = 0; i < count; ++i) values[i] = static_cast<float>(from[i * stride]) / 255.0F;
    return;
  }
  const float mean = normalization.means[static_cast<std::size_t>(channel)];
  const float deviation = normalization.deviations[static_cast<std::size_t>(channel)];
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i)
    values[i] = (static_cast<float>(from[i * stride]) / 255.0F - mean) / deviation;
}

// Each value is that of the byte at its place.
inline void load_in_place(const PixelTransform& transform, const std::uint8_t* pixels, std::span<float> x) {
  const auto& normalization = transform.normalization;
  if (normalization.channels == 0)
    return convert(normalization, 0, pixels, 1, x.data(), static_cast<std::int64_t>(x.size()));
  const auto size = transform.image.pixels();
  for (std::int64_t channel = 0; channel < transform.image.channels; ++channel)
    convert(normalization, channel, pixels + channel * size, 1, x.data() + channel * size, size);
}

// A row of a moved image: `from` is the row of the bytes, null for a row of black pixels.
inline void load_row(const PixelTransform& transform, const Placement& placement, std::int64_t channel,
                     const std::uint8_t* from, float* values) {
  const auto width = transform.image.width;
  const auto& normalization = transform.normalization;
  if (from == nullptr) return std::fill(values, values + width, value_of(normalization, 0, channel));
  // The columns that were in the image before it was moved are contiguous.
  const auto begin = std::max<std::int64_t>(0, placement.right);
  const auto end = std::min(width, width + placement.right);
  const auto byte_of = [&](std::int64_t column) { return placement.flips ? width - 1 - column : column; };
  convert(normalization, channel, from + byte_of(begin - placement.right), placement.flips ? -1 : 1,
          values + begin, end - begin);
  const auto pad = [&](std::int64_t first, std::int64_t last) {
    for (auto column = first; column < last; ++column) {
      const auto before = before_shift(placement.padding, column, placement.right, width);
      values[column] = value_of(normalization, before < 0 ? std::uint8_t{0} : from[byte_of(before)], channel);
    }
  };
  pad(0, begin);
  pad(end, width);
}

inline void load_moved(const PixelTransform& transform, const Placement& placement,
                       const std::uint8_t* pixels, float* values) {
  const auto& image = transform.image;
  for (std::int64_t channel = 0; channel < image.channels; ++channel) {
    for (std::int64_t row = 0; row < image.height; ++row) {
      const auto before = before_shift(placement.padding, row, placement.down, image.height);
      const auto* from = before < 0 ? nullptr : pixels + (channel * image.height + before) * image.width;
      load_row(transform, placement, channel, from, values + (channel * image.height + row) * image.width);
    }
  }
}

void erase(const Image& image, const Rectangle& rectangle, float* values) {
  const auto left = std::max<std::int64_t>(0, rectangle.left);
  const auto right = std::min(image.width, rectangle.right);
  for (std::int64_t channel = 0; channel < image.channels && left < right; ++channel) {
    for (auto row = std::max<std::int64_t>(0, rectangle.top); row < std::min(image.height, rectangle.bottom);
         ++row) {
      float* const start = values + (channel * image.height + row) * image.width;
      std::fill(start + left, start + right, 0.0F);
    }
  }
}

}  // namespace

void load_samples(ThreadPool& pool, const PixelTransform& transform, const BatchRun& run, Matrix x) {
  const auto min_rows = std::max<std::int64_t>(1, kMinElements / x.cols);
  pool.split(x.rows, min_rows, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t row = first; row < end; ++row) {
      const auto index = sample_index(run.samples, run.first + row);
      const auto* pixels = run.samples.pixels + index * x.cols;
      float* const values = x.data + row * x.cols;
      if (transform.moves_nothing()) {
        vectorized([&] { load_in_place(transform, pixels, {values, static_cast<std::size_t>(x.cols)}); });
        continue;
      }
      const auto placement = placement_of(transform, run.epoch, sample_number(run.samples, index));
      vectorized([&] { load_moved(transform, placement, pixels, values); });
      for (const auto& rectangle : placement.erased) erase(transform.image, rectangle, values);
    }
  });
}

}  // namespace warpfit::cpu
