// Where each layer's parameters lie in the one flat buffer that holds them all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/model/network_spec.hpp"

namespace warpfit {

/// A linear layer in the flat buffer: offsets in floats.
struct LinearLayout {
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
  std::size_t weight = 0;  ///< of (outputs, inputs), row by row
  std::size_t bias = 0;    ///< of (outputs)

  [[nodiscard]] std::size_t weight_size() const { return static_cast<std::size_t>(inputs * outputs); }
  [[nodiscard]] std::size_t bias_size() const { return static_cast<std::size_t>(outputs); }
};

/// Weight, bias, weight, bias, ..., each beginning at a multiple of 128 bytes for vector and bulk accesses.
/// The gaps between are 0 and stay so.
class ParameterLayout {
 public:
  explicit ParameterLayout(const NetworkSpec& spec);

  [[nodiscard]] const std::vector<LinearLayout>& layers() const { return layers_; }
  /// In floats, gaps included.
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  std::vector<LinearLayout> layers_;
  std::size_t size_ = 0;
};

}  // namespace warpfit
