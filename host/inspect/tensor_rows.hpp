// The table of tensors that describes a file of weights.
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
  /// Fills `out` with a tensor's bytes from `offset` on.
  using Read = std::function<void(std::uint64_t offset, std::span<std::byte> out)>;
  /// Where the bytes of a tensor are to be had.
  struct Data {
    std::uint64_t size = 0;
    Read read;
  };

  TensorRows();

  /// `type` is what the format calls it. Range and mean are of finite fp32 and fp64.
  void add(std::string_view name, std::string_view type, std::optional<DType> dtype,
           std::span<const std::int64_t> shape, const std::optional<Data>& data);

  /// The table, and a line of totals.
  void print(const TextSink& print) const;

 private:
  TextTable table_;
  std::uint64_t tensors_ = 0, bytes_ = 0;
};

}  // namespace warpfit
