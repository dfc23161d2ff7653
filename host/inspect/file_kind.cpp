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
namespace {

using namespace std::string_view_literals;

}  // namespace

FileKind file_kind(const std::string& path) {
  const File file(path);
  constexpr std::uint64_t kLongestStart = 9;
  std::vector<std::uint8_t> bytes(std::min(file.size(), kLongestStart));
  file.read(0, bytes);
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());

  // The length of a JSON text, of less than 4 GB, and the text: an IDX file would have no samples there.
  if (start.size() == kLongestStart && start.ends_with("\0\0\0\0{"sv)) return FileKind::kSafetensors;
  if (start.starts_with("\0\0"sv) || start.starts_with("\x1F\x8B"sv)) return FileKind::kIdx;
  // All writers begin with the IR version, a small number.
  if (start.size() > 1 && start[0] == '\x08' && bytes[1] > 0 && bytes[1] < 0x80) return FileKind::kOnnx;

  constexpr std::string_view kExpected = "IDX (plain or gzip), safetensors or ONNX";
  if (const auto found = recognize_foreign(file)) {
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
