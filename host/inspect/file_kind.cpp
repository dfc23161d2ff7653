#include "host/inspect/file_kind.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "host/base/error.hpp"
#include "host/files/file.hpp"

namespace warpfit {
namespace {

using namespace std::string_view_literals;

struct Foreign {
  std::string_view start, name;
};

constexpr Foreign kForeign[] = {
    {"PK\x03\x04"sv, "a ZIP archive, as .npz and PyTorch's .pt are"},
    {"\x80\x02"sv, "a Python pickle"},
    {"\x89HDF"sv, "an HDF5 file, as Keras writes them"},
    {"GGUF"sv, "a GGUF file"},
};

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

  constexpr std::string_view kExpected = "expected IDX (plain or gzip), safetensors or ONNX";
  for (const auto& [foreign, name] : kForeign) {
    if (start.starts_with(foreign)) throw ModelError(fmt::format("{}: is {}; {}", path, name, kExpected));
  }
  throw DataError(
      bytes.empty()
          ? fmt::format("{}: is empty; {}", path, kExpected)
          : fmt::format(
                "{}: unknown bytes {:02x} at byte 0; {}", path,
                fmt::join(bytes.begin(), bytes.begin() + std::min<std::ptrdiff_t>(4, std::ssize(bytes)), " "),
                kExpected));
}

}  // namespace warpfit
