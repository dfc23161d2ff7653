#include "host/files/foreign_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "host/files/file.hpp"

namespace warpfit {
namespace {

using namespace std::string_view_literals;

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  ForeignFile file;
};

constexpr std::string_view kFromPickle =
    "convert it with: python3 -c \"import torch; from safetensors.torch import save_file; "
    "save_file(torch.load('model.pt', weights_only=True), 'model.safetensors')\"";
constexpr ForeignFile kPickle{"a checkpoint of PyTorch (a pickle)", kFromPickle, true};
constexpr ForeignFile kZip{"a zip archive", "unpack it with unzip"};
constexpr ForeignFile kNpz{"an npz file of NumPy arrays",
                           "tools/make_idx from-npz converts data sets to IDX"};
constexpr ForeignFile kZlib{"a zlib stream", "decompress it, for instance with zlib-flate -uncompress"};
constexpr ForeignFile kHtml{"an HTML page",
                            "it may be the error page of a download server; download the file again"};
constexpr ForeignFile kText{"a text file",
                            "tools/make_idx from-csv converts tables of labels and pixels to IDX"};

constexpr ForeignFile kModelIndex{
    "the JSON index of a model in several files",
    "merge them in their folder with: python3 -c \"import json; from safetensors.torch import load_file, "
    "save_file; "
    "index = json.load(open('model.safetensors.index.json')); "
    "save_file({k: v for f in set(index['weight_map'].values()) for k, v in load_file(f).items()}, "
    "'merged.safetensors')\"",
    true};

constexpr Signature kSignatures[] = {
    {0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"sv, kPickle},  // torch.save before PyTorch 1.6
    {0, "\x80\x02"sv, kPickle},
    {0, "\x80\x03"sv, kPickle},
    {0, "\x80\x04"sv, kPickle},
    {0, "\x80\x05"sv, kPickle},
    {0, "PK\x03\x04"sv, kZip},
    {0, "PK\x05\x06"sv, kZip},
    {0, "\x1F\x8B"sv, {"gzip data", "decompress it with gunzip"}},
    {0, "\xFD\x37zXZ\0"sv, {"an xz file", "decompress it with unxz"}},
    {0, "BZh"sv, {"a bzip2 file", "decompress it with bunzip2"}},
    {0, "\x28\xB5\x2F\xFD"sv, {"a Zstandard file", "decompress it with unzstd"}},
    {0, "7z\xBC\xAF\x27\x1C"sv, {"a 7-Zip archive", "unpack it with 7z x"}},
    {0, "Rar!\x1A\x07"sv, {"a RAR archive", "unpack it with unrar x"}},
    {0, "\x78\x01"sv, kZlib},
    {0, "\x78\x5E"sv, kZlib},
    {0, "\x78\x9C"sv, kZlib},
    {0, "\x78\xDA"sv, kZlib},
    {257, "ustar"sv, {"a tar archive", "unpack it with tar -xf"}},
    {0,
     "version https://git-lfs"sv,
     {"a Git LFS pointer, which stands for the file itself", "fetch the file with git lfs pull"}},
    {0, "\x93NUMPY"sv, {"a NumPy array", "tools/make_idx from-npy converts arrays to IDX"}},
    {0,
     "\x89PNG\r\n\x1A\n"sv,
     {"a PNG image", "tools/make_idx from-images converts folders of images to IDX"}},
    {0, "\xFF\xD8\xFF"sv, {"a JPEG image", "tools/make_idx from-images converts folders of images to IDX"}},
    {0,
     "GIF8"sv,
     {"a GIF image", "tools/make_idx from-images converts folders of PNG or JPEG images to IDX"}},
    {0,
     "\x89HDF\r\n\x1A\n"sv,
     {"an HDF5 file, as Keras writes them", "convert its arrays or weights with Python and h5py", true}},
    {0, "GGUF"sv, {"a GGUF file", "its network is not one that warpfit trains", true}},
    {0, "PAR1"sv, {"a Parquet file", "convert it with Python, for instance to NumPy arrays"}},
    {0, "%PDF"sv, {"a PDF document", "download the file again"}},
};

std::string_view text_of(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool is_html(std::string_view start) {
  constexpr std::array kTags{"<!doctype"sv, "<html"sv, "<head"sv, "<body"sv, "<?xml"sv};
  if (start.starts_with("\xEF\xBB\xBF")) start.remove_prefix(3);  // a byte-order mark
  start.remove_prefix(std::min(start.find_first_not_of(" \t\r\n"), start.size()));
  return std::ranges::any_of(kTags, [&](std::string_view tag) {
    return std::ranges::equal(start.substr(0, tag.size()), tag, [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) == b;
    });
  });
}

bool is_text(std::string_view start) {
  constexpr std::size_t kFewestBytes = 8;  // fewer say little
  return start.size() >= kFewestBytes && std::ranges::all_of(start, [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte >= 0x80 || std::isprint(byte) != 0 || std::isspace(byte) != 0;
         });
}

// A zip archive whose first member has a name that ends so: torch.save writes NAME/data.pkl first, NumPy
// NAME.npy.
bool is_zip_of(std::string_view start, std::string_view name) {
  return start.starts_with("PK\x03\x04") && start.find(name) != start.npos;
}

// An IDX header whose four bytes were written as a little-endian number: rank, type, 0, 0.
bool is_little_endian_idx(std::span<const std::uint8_t> start) {
  return start.size() >= 4 && start[0] >= 1 && start[0] <= 4 && start[1] >= 0x08 && start[1] <= 0x0E &&
         start[2] == 0 && start[3] == 0;
}

// A protobuf message that begins with the IR version (field 1), a small number, and the producer's name, the
// opset or the graph (fields 2, 8, 7).
bool is_onnx(std::span<const std::uint8_t> start) {
  constexpr std::array<std::uint8_t, 3> kNext{0x12, 0x42, 0x3A};
  return start.size() >= 3 && start[0] == 0x08 && start[1] > 0 && start[1] < 0x20 &&
         std::ranges::find(kNext, start[2]) != kNext.end();
}

}  // namespace

std::optional<ForeignFile> recognize_foreign(std::span<const std::uint8_t> start) {
  const auto text = text_of(start);
  if (is_zip_of(text, "/data.pkl")) return kPickle;
  if (is_zip_of(text, ".npy")) return kNpz;
  for (const auto& [offset, bytes, file] : kSignatures) {
    if (start.size() > offset && text.substr(offset).starts_with(bytes)) return file;
  }
  if (is_little_endian_idx(start)) {
    return ForeignFile{"an IDX file with a little-endian header",
                       "all numbers of an IDX file are big-endian; write it again"};
  }
  if (is_onnx(start)) return ForeignFile{"an ONNX file", "save the weights as safetensors instead", true};
  if (is_html(text)) return kHtml;
  if (text.starts_with('{') && text.find("\"weight_map\"") != text.npos) return kModelIndex;
  if (text.starts_with('{') && is_text(text)) {
    return ForeignFile{"a JSON file", "name the file that has the data itself"};
  }
  if (is_text(text)) return kText;
  return std::nullopt;
}

std::optional<ForeignFile> recognize_foreign(const File& file) {
  std::array<std::uint8_t, kForeignBytes> start{};
  const auto size = std::min<std::uint64_t>(file.size(), start.size());
  const auto bytes = std::span(start).first(size);
  file.read(0, bytes);
  return recognize_foreign(bytes);
}

std::string describe_foreign(const std::string& path, const ForeignFile& found, std::string_view expected) {
  return fmt::format("{}: is {}, expected {}; {}", path, found.name, expected, found.advice);
}

}  // namespace warpfit
