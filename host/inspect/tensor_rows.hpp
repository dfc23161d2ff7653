// The table of tensors in the description of a weights file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/tensor.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/text_table.hpp"

namespace warpfit {

class TensorRows {
 public:
  /// Fills `out` with a tensor's bytes, starting at `offset`.
  using Read = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;
  /// How to read the bytes of a tensor.
  struct Data {
    std::uint64_t size = 0;
    Read read;
  };

  TensorRows();

  /// `type` is the format's name of the type. Range and mean are those of the finite floating-point numbers.
  void add(std::string_view name, std::string_view type, std::optional<DType> dtype,
           std::span<const std::int64_t> shape, const std::optional<Data>& data);

  /// Prints the table and a line with totals.
  void print(const TextSink& print) const;

 private:
  TextTable table_;
  std::uint64_t tensors_ = 0, bytes_ = 0;
};

}  // namespace warpfit
