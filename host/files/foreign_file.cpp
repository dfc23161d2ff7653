#include "host/files/foreign_file.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "host/files/file.hpp"

namespace warpfit {
namespace {

using namespace std::string_view_literals;

// A file format, and advice for a user who has such a file.
struct Format {
  std::string_view name;
  std::string_view as_data;   // advice if images or labels are expected
  std::string_view as_model;  // advice if a model is expected
  bool is_model = false;
  std::string_view name_as_data = name;
};

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  Format format;
};

constexpr std::string_view kNameTheData = "name the files with the images and labels";
constexpr std::string_view kNameTheModel = "name the file that has the weights";
constexpr std::string_view kDownload = "download the file again";
constexpr std::string_view kFromImages = "tools/make_idx from-images converts folders of images to IDX";
constexpr std::string_view kFromPickle =
    "convert it with: python3 -c \"import sys, torch; from safetensors.torch import save_file; "
    "save_file(torch.load(sys.argv[1], map_location='cpu', weights_only=True), sys.argv[2])\" "
    "FILE model.safetensors";
constexpr std::string_view kFromNpz =
    "convert it with: python3 -c \"import sys, numpy; from safetensors.numpy import save_file; "
    "save_file(dict(numpy.load(sys.argv[1])), sys.argv[2])\" FILE model.safetensors";
constexpr std::string_view kFromIndex =
    "merge them with: python3 -c \"import json, os, sys; from safetensors.torch import load_file, save_file; "
    "folder = os.path.dirname(sys.argv[1]); index = json.load(open(sys.argv[1])); "
    "save_file({k: v for f in set(index['weight_map'].values()) "
    "for k, v in load_file(os.path.join(folder, f)).items()}, sys.argv[2])\" FILE merged.safetensors";

constexpr Format both(std::string_view name, std::string_view advice) { return {name, advice, advice}; }
constexpr Format data(std::string_view name, std::string_view advice) {
  return {name, advice, kNameTheModel};
}

constexpr Format kPickle{"a checkpoint of PyTorch (a pickle)",
                         "load it in Python and save its images and labels as NumPy arrays, which "
                         "tools/make_idx from-npy converts to IDX",
                         kFromPickle, true, "a Python pickle"};
constexpr Format kZip = both("a zip archive", "unpack it with unzip");
constexpr Format kNpz{"an npz file of NumPy arrays", "tools/make_idx from-npz converts data sets to IDX",
                      kFromNpz};
constexpr Format kZlib = both("a zlib stream", "decompress it, for instance with zlib-flate -uncompress");
constexpr Format kBzip2 = both("a bzip2 file", "decompress it with bunzip2");
constexpr Format kHtml =
    both("an HTML page", "it may be the error page of a download server; download the file again");
constexpr Format kText =
    data("a text file", "tools/make_idx from-csv converts tables of labels and pixels to IDX");
constexpr Format kJson = data("a JSON file", "name the file that has the data itself");
constexpr Format kModelIndex{"the JSON index of a model in several files", kNameTheData, kFromIndex, true};
constexpr Format kOnnx{"an ONNX file", kNameTheData, "save the weights as safetensors instead", true};
constexpr Format kSafetensors{"a safetensors file (a model)", kNameTheData, kNameTheModel, true};
constexpr Format kIdx = data("an IDX file (images or labels)", kNameTheData);
constexpr Format kLittleEndianIdx = data("an IDX file with a little-endian header",
                                         "all numbers of an IDX file are big-endian; write it again");

constexpr Signature kSignatures[] = {
    {0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46"sv, kPickle},  // torch.save before PyTorch 1.6
    {0, "\x80\x02"sv, kPickle},
    {0, "\x80\x03"sv, kPickle},
    {0, "\x80\x04"sv, kPickle},
    {0, "\x80\x05"sv, kPickle},
    {0, "PK\x03\x04"sv, kZip},
    {0, "PK\x05\x06"sv, kZip},
    {0,
     "\x1F\x8B"sv,
     {"gzip data", "decompress it with gunzip",
      "if it has images or labels, it is no model; otherwise decompress it with gunzip"}},
    {0, "\xFD\x37zXZ\0"sv, both("an xz file", "decompress it with unxz")},
    {0, "\x28\xB5\x2F\xFD"sv, both("a Zstandard file", "decompress it with unzstd")},
    {0, "7z\xBC\xAF\x27\x1C"sv, both("a 7-Zip archive", "unpack it with 7z x")},
    {0, "Rar!\x1A\x07"sv, both("a RAR archive", "unpack it with unrar x")},
    {257, "ustar"sv, both("a tar archive", "unpack it with tar -xf")},
    {0, "version https://git-lfs"sv,
     both("a Git LFS pointer, which stands for the file itself", "fetch the file with git lfs pull")},
    {0, "\x93NUMPY"sv, data("a NumPy array", "tools/make_idx from-npy converts arrays to IDX")},
    {0, "\x89PNG\r\n\x1A\n"sv, data("a PNG image", kFromImages)},
    {0, "\xFF\xD8\xFF"sv, data("a JPEG image", kFromImages)},
    {0, "GIF8"sv,
     data("a GIF image", "tools/make_idx from-images converts folders of PNG or JPEG images to IDX")},
    {0,
     "\x89HDF\r\n\x1A\n"sv,
     {"an HDF5 file, as Keras writes them",
      "save its arrays as NumPy arrays with Python and h5py; tools/make_idx from-npy converts those to IDX",
      "convert its weights with Python and h5py", true}},
    {0, "GGUF"sv, {"a GGUF file", kNameTheData, "its network is not one that warpfit trains", true}},
    {0, "PAR1"sv, data("a Parquet file", "convert it with Python, for instance to NumPy arrays")},
    {0, "%PDF"sv, both("a PDF document", kDownload)},
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

bool is_all_text(std::string_view start) {
  return std::ranges::all_of(start, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isprint(byte) != 0 || std::isspace(byte) != 0;
  });
}

bool is_text(std::string_view start) {
  constexpr std::size_t kFewestBytes = 8;  // a shorter text is not conclusive
  return start.size() >= kFewestBytes && is_all_text(start);
}

// The two header bytes are not enough: the text "x^2" also starts with them.
bool is_zlib(std::string_view start) {
  constexpr std::array kHeaders{"\x78\x01"sv, "\x78\x5E"sv, "\x78\x9C"sv, "\x78\xDA"sv};
  return std::ranges::any_of(kHeaders, [start](auto header) { return start.starts_with(header); }) &&
         !is_all_text(start);
}

// "BZh", the block size as a digit, and the magic number of a block or of the end of an empty file.
bool is_bzip2(std::string_view start) {
  return start.size() > 6 && start.starts_with("BZh") && start[3] >= '1' && start[3] <= '9' &&
         (start.substr(4).starts_with("1AY") || start.substr(4).starts_with("\x17rE"));
}

// A zip archive that contains this file name near its beginning: torch.save writes NAME/data.pkl first, NumPy
// writes NAME.npy.
bool is_zip_of(std::string_view start, std::string_view name) {
  return start.starts_with("PK\x03\x04") && start.find(name) != start.npos;
}

// An IDX header whose first four bytes were written as a little-endian number: rank, type, 0, 0.
bool is_little_endian_idx(std::span<const std::uint8_t> start) {
  return start.size() >= 4 && start[0] >= 1 && start[0] <= 4 && start[1] >= 0x08 && start[1] <= 0x0E &&
         start[2] == 0 && start[3] == 0;
}

bool is_idx(std::span<const std::uint8_t> start) {
  return start.size() >= 4 && start[0] == 0 && start[1] == 0 && start[2] >= 0x08 && start[2] <= 0x0E &&
         start[2] != 0x0A && start[3] >= 1 && start[3] <= 4;
}

std::optional<Format> format_of(std::span<const std::uint8_t> start, FileUse use) {
  const auto text = text_of(start);
  if (use == FileUse::kModel && is_idx(start)) return kIdx;
  if (use == FileUse::kData && is_safetensors(start)) return kSafetensors;
  if (is_zip_of(text, "/data.pkl")) return kPickle;
  if (is_zip_of(text, ".npy")) return kNpz;
  for (const auto& [offset, bytes, format] : kSignatures) {
    if (start.size() > offset && text.substr(offset).starts_with(bytes)) return format;
  }
  if (is_zlib(text)) return kZlib;
  if (is_bzip2(text)) return kBzip2;
  if (is_little_endian_idx(start)) return kLittleEndianIdx;
  if (is_onnx(start)) return kOnnx;
  if (is_html(text)) return kHtml;
  if (text.starts_with('{') && text.find("\"weight_map\"") != text.npos) return kModelIndex;
  if (text.starts_with('{') && is_text(text)) return kJson;
  if (is_text(text)) return kText;
  return std::nullopt;
}

// Quotes the text as one word of a shell command line.
std::string shell_quoted(std::string_view text) {
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || "%+,-./:=@_"sv.find(c) != std::string::npos;
  });
  if (is_plain) return std::string(text);
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

bool is_onnx(std::span<const std::uint8_t> start) {
  // Producer name and version, domain, version, comment, graph, opset, metadata.
  constexpr std::array<std::uint8_t, 8> kNext{0x12, 0x1A, 0x22, 0x28, 0x32, 0x3A, 0x42, 0x72};
  return start.size() > 1 && start[0] == 0x08 && start[1] > 0 && start[1] < 0x80 &&
         (start.size() == 2 || std::ranges::find(kNext, start[2]) != kNext.end());
}

bool is_safetensors(std::span<const std::uint8_t> start) {
  return text_of(start).substr(std::min<std::size_t>(4, start.size())).starts_with("\0\0\0\0{"sv);
}

std::optional<ForeignFile> recognize_foreign(std::span<const std::uint8_t> start, FileUse use) {
  const auto found = format_of(start, use);
  if (!found) return std::nullopt;
  const bool as_model = use == FileUse::kModel || (use == FileUse::kEither && found->is_model);
  return ForeignFile{use == FileUse::kData ? found->name_as_data : found->name,
                     as_model ? found->as_model : found->as_data, found->is_model};
}

std::optional<ForeignFile> recognize_foreign(const File& file, FileUse use) {
  std::array<std::uint8_t, kForeignBytes> start{};
  const auto size = std::min<std::uint64_t>(file.size(), start.size());
  const auto bytes = std::span(start).first(size);
  file.read(0, bytes);
  return recognize_foreign(bytes, use);
}

std::string describe_foreign(const std::string& path, const ForeignFile& found, std::string_view expected) {
  constexpr auto kPath = " FILE "sv;
  std::string advice(found.advice);
  if (const auto at = advice.find(kPath); at != advice.npos)
    advice.replace(at + 1, kPath.size() - 2, shell_quoted(path));
  return fmt::format("{}: is {}, expected {}; {}", path, found.name, expected, advice);
}

}  // namespace warpfit
