#include "host/inspect/file_kind.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/files/file.hpp"
#include "host/files/foreign_file.hpp"

namespace warpfit {

using namespace std::string_view_literals;

FileKind file_kind(const std::string& path) {
  const File file(path);
  constexpr std::uint64_t kLongestStart = 9;
  std::vector<std::uint8_t> bytes(std::min(file.size(), kLongestStart));
  file.read(0, bytes);
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());

  if (is_safetensors(bytes)) return FileKind::kSafetensors;  // as an IDX file, it would have no samples
  if (start.starts_with("\0\0"sv) || start.starts_with("\x1F\x8B"sv)) return FileKind::kIdx;
  if (is_onnx(bytes)) return FileKind::kOnnx;

  constexpr std::string_view kExpected = "IDX (plain or gzip), safetensors or ONNX";
  if (const auto found = recognize_foreign(file, FileUse::kEither)) {
    const auto text = describe_foreign(path, *found, kExpected);
    if (found->is_model) throw ModelError(text);
    throw DataError(text);
  }
  throw DataError(
      bytes.empty()
          ? fmt::format("{}: is empty, expected {}", path, kExpected)
          : fmt::format(
                "{}: unknown bytes {:02x} at byte 0, expected {}", path,
                fmt::join(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(4, std::ssize(bytes)), " "),
                kExpected));
}

}  // namespace warpfit
