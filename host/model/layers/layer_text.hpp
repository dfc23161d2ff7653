// Layers as text, written as in torch.nn: "linear(512)", "linear(512, bias=false)", "dropout(p=0.2)", "relu".
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "host/model/layers/layer.hpp"

namespace warpfit {

constexpr std::int64_t kMaxWidth = std::int64_t{1} << 24;  ///< maximum number of outputs or channels
constexpr int kMaxResidualDepth = 16;                      ///< maximum number of nested residual blocks
constexpr std::string_view kResidual = "residual";

/// The arguments between a layer's parentheses: first positional ones, in the order in which they are
/// requested, then name=value.
class LayerArguments {
 public:
  /// Errors: UsageError if `text` is not a list of arguments.
  explicit LayerArguments(std::string_view text);

  // The value of an argument, from `min` to `max`. Errors: UsageError naming the argument if it is missing
  // and has no default, or if its value is invalid.
  std::int64_t integer(std::string_view name, std::int64_t min, std::int64_t max,
                       std::optional<std::int64_t> otherwise = {});
  /// Nothing if the value is `word`.
  std::optional<std::int64_t> integer_or(std::string_view word, std::string_view name, std::int64_t min,
                                         std::int64_t max, std::int64_t otherwise);
  double number(std::string_view name, double min, double max, double otherwise);
  bool flag(std::string_view name, bool otherwise);
  /// The index of the argument's value in `words`; by default the first one.
  std::size_t word(std::string_view name, std::span<const std::string_view> words);

  /// Errors: UsageError naming the first argument that was not requested.
  void finish() const;

 private:
  std::optional<std::string_view> take(std::string_view name);

  std::vector<std::string_view> positional_;
  std::size_t next_ = 0;
  std::vector<std::pair<std::string_view, std::string_view>> named_;
};

/// Parses one layer that is not a residual block. Errors: UsageError.
Layer parse_layer(std::string_view text);
/// Parses layers separated by commas. Errors: UsageError naming the layer by number and text.
std::vector<Layer> parse_layers(std::string_view text);
/// The text for parse_layers().
std::string text_of(const std::vector<Layer>& layers);

}  // namespace warpfit
