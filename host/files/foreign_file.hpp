// Recognizes files of another format than expected by their first bytes: HTML pages, archives, arrays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace warpfit {

class File;

/// What a file was expected to be: images or labels (IDX), a model (safetensors), or any of these.
enum class FileUse : std::uint8_t { kData, kModel, kEither };

/// The format of a file, and advice for the user. Both texts are used within sentences.
struct ForeignFile {
  std::string_view name;    ///< "an HTML page"
  std::string_view advice;  ///< "download the file again"; FILE in it is replaced by the path
  bool is_model = false;    ///< model of another program, such as PyTorch
};

/// The number of bytes that recognize_foreign() examines.
constexpr std::size_t kForeignBytes = 512;

/// The format of a file with these first bytes, or nothing if it is not a known other format. IDX files are
/// foreign only if a model is expected, safetensors files only if data is expected.
std::optional<ForeignFile> recognize_foreign(std::span<const std::uint8_t> start, FileUse use);
/// Likewise for an open file. Errors: IoError.
std::optional<ForeignFile> recognize_foreign(const File& file, FileUse use);

/// "FILE: is an HTML page, expected an IDX file; download the file again"
std::string describe_foreign(const std::string& path, const ForeignFile& found, std::string_view expected);

/// Whether a file starts like an ONNX file: a protobuf message whose first field is the IR version, a number
/// below 128, followed by one of the other fields of a model.
bool is_onnx(std::span<const std::uint8_t> start);
/// Whether a file starts like a safetensors file: the length of a JSON text of less than 4 GB, then the text.
bool is_safetensors(std::span<const std::uint8_t> start);

}  // namespace warpfit
