// Names files that are of another format than expected, by their first bytes: HTML pages, archives, arrays.
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

/// What a file is, and what to do about it. Both complete a sentence.
struct ForeignFile {
  std::string_view name;    ///< "an HTML page"
  std::string_view advice;  ///< "download the file again"; FILE in it stands for the path
  bool is_model = false;    ///< of another program, such as PyTorch
};

/// How many bytes of a file recognize_foreign() looks at.
constexpr std::size_t kForeignBytes = 512;

/// The kind of a file whose first bytes these are, or nothing if they are of no known other format. IDX files
/// are foreign only where a model is expected, safetensors files only where data is.
std::optional<ForeignFile> recognize_foreign(std::span<const std::uint8_t> start, FileUse use);
/// Likewise of an opened file. Errors: IoError.
std::optional<ForeignFile> recognize_foreign(const File& file, FileUse use);

/// "FILE: is an HTML page, expected an IDX file; download the file again"
std::string describe_foreign(const std::string& path, const ForeignFile& found, std::string_view expected);

/// Whether a file begins as ONNX files do: a protobuf message whose first field is the IR version, a number
/// below 128, followed by one of the other fields of a model.
bool is_onnx(std::span<const std::uint8_t> start);
/// Whether a file begins as safetensors files do: the length of a JSON text of less than 4 GB, and the text.
bool is_safetensors(std::span<const std::uint8_t> start);

}  // namespace warpfit
