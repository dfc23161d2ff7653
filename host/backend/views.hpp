// Views of memory that a backend owns. They are cheap to copy and free nothing; the host must not dereference
// their pointers if the backend is a GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace warpfit {

/// A row-major matrix without gaps between its rows.
template <class T>
struct MatrixView {
  T* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t cols = 0;

  [[nodiscard]] std::int64_t size() const { return rows * cols; }
  [[nodiscard]] bool empty() const { return data == nullptr; }
  [[nodiscard]] std::span<T> values() const { return {data, static_cast<std::size_t>(size())}; }

  /// Conversion to a read-only view, as from span<T> to span<const T>.
  template <class U>
  requires(!std::is_const_v<T> && std::is_same_v<U, const T>) operator MatrixView<U>()
      const {  // NOLINT(google-explicit-constructor)
    return {data, rows, cols};
  }
};

using Matrix = MatrixView<float>;
using ConstMatrix = MatrixView<const float>;
using Vector = std::span<float>;
using ConstVector = std::span<const float>;
/// The class of a sample.
using Label = std::uint16_t;
using Labels = std::span<Label>;
using ConstLabels = std::span<const Label>;

/// `count` samples in the backend's memory: pixels (count, sample_size) as bytes, and one label each. With an
/// order, `count` is the number of samples that it visits.
struct SampleView {
  const std::uint8_t* pixels = nullptr;
  const Label* labels = nullptr;
  std::int64_t count = 0;
  std::int64_t sample_size = 0;
  const std::uint32_t* order =
      nullptr;  ///< index of each visited sample (count); if null, samples are visited in storage order
  const std::uint32_t* numbers =
      nullptr;  ///< number of each stored sample (count) in its data set; if null: first_number, and so on
  std::int64_t first_number = 0;
};

}  // namespace warpfit
