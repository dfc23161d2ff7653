#include "host/inspect/tensor_rows.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

#include "host/base/printable.hpp"
#include "host/files/crc32.hpp"
#include "host/files/float_tensor.hpp"
#include "host/inspect/statistics.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kPiece = 1 << 20;
constexpr std::size_t kMaxName = 200;
constexpr std::size_t kMaxShape = 100;
constexpr auto kRight = TextTable::Align::kRight;

template <class T>
std::span<const T> as(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

bool has_statistics(std::optional<DType> dtype) { return dtype && is_floating_point(*dtype); }

// Doubles are not converted to float: they may be out of its range.
void add(Statistics& statistics, DType dtype, std::span<const std::byte> piece, std::vector<float>& floats) {
  if (dtype == DType::kF64) {
    statistics.add(as<double>(piece));
    return;
  }
  floats.resize(piece.size() / dtype_size(dtype));
  convert_to_float(dtype, piece, floats);
  statistics.add(std::span<const float>(floats));
}

struct Contents {
  Statistics statistics;
  std::uint32_t crc32 = 0;
};

Contents read_contents(std::optional<DType> dtype, const TensorRows::Data& data) {
  Contents contents;
  std::vector<float> floats;
  std::vector<std::byte> block(std::min<std::uint64_t>(kPiece, data.size));
  for (std::uint64_t offset = 0; offset < data.size; offset += kPiece) {
    const auto piece = std::span(block).first(std::min<std::uint64_t>(kPiece, data.size - offset));
    data.read(offset, piece);
    contents.crc32 = crc32_of(piece, contents.crc32);
    if (has_statistics(dtype)) add(contents.statistics, *dtype, piece, floats);
  }
  return contents;
}

}  // namespace

TensorRows::TensorRows()
    : table_({{"tensor"},
              {"type"},
              {"shape"},
              {"min", kRight},
              {"max", kRight},
              {"mean", kRight},
              {"NaN", kRight},
              {"inf", kRight},
              {"crc32"}}) {}

void TensorRows::add(std::string_view name, std::string_view type, std::optional<DType> dtype,
                     std::span<const std::int64_t> shape, const std::optional<Data>& data) {
  const auto extents = shape.empty() ? "scalar" : fmt::format("{}", fmt::join(shape, "x"));
  std::vector<std::string> row{printable(name, kMaxName), std::string(type), shorten(extents, kMaxShape)};
  ++tensors_;
  row.resize(9, "-");
  if (data) {
    const auto [statistics, crc32] = read_contents(dtype, *data);
    if (statistics.finite() > 0) {
      row[3] = fmt::format("{:.6g}", statistics.min());
      row[4] = fmt::format("{:.6g}", statistics.max());
      row[5] = fmt::format("{:.6g}", statistics.mean());
    }
    if (has_statistics(dtype)) {
      row[6] = std::to_string(statistics.nans());
      row[7] = std::to_string(statistics.infinities());
    }
    row[8] = fmt::format("{:08x}", crc32);
    bytes_ += data->size;
  }
  table_.add(std::move(row));
}

void TensorRows::print(const TextSink& print) const {
  table_.print(print);
  print(fmt::format("{} tensor{}, {} bytes\n", tensors_, tensors_ == 1 ? "" : "s", bytes_));
}

}  // namespace warpfit
