// How images are stored in a file, and the change to row-major images with their channels first.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit {

/// Of samples with three dimensions: (channels, height, width) or (height, width, channels). kAuto: last if
/// only the last dimension can be a number of channels, which is 1, 3 or 4.
enum class ChannelOrder : std::uint8_t { kAuto, kFirst, kLast };

struct SampleLayout {
  bool is_transposed = false;  ///< column by column, as the images of EMNIST
  ChannelOrder channels = ChannelOrder::kAuto;
};

/// What is done with each sample after it is read.
class SampleOrientation {
 public:
  /// `dimensions`: all of the file's. Errors: UsageError if transposed samples have another number of
  /// dimensions than two.
  SampleOrientation(std::span<const std::int64_t> dimensions, const SampleLayout& layout,
                    std::string_view path);

  /// Of a sample after apply(): {28, 28}, {3, 32, 32}.
  [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
  /// Changes samples in place.
  void apply(std::span<std::uint8_t> pixels) const;
  /// "", " transposed" or " channels last"
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::vector<std::int64_t> shape_;
  std::size_t rows_ = 0,
              columns_ = 0;  // a sample is a matrix of this size that is transposed; 0 if it is not
  std::string_view text_;
};

}  // namespace warpfit
