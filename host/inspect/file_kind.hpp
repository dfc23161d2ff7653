// The format of a file, determined by its first bytes and not by its name.
#pragma once

#include <cstdint>
#include <string>

namespace warpfit {

enum class FileKind : std::uint8_t { kIdx, kSafetensors, kOnnx };

/// The format that the file claims to have; whoever reads it must check whether it is valid. Gzip files are
/// taken as IDX. Errors: IoError; ModelError for models of other programs; DataError for all other files.
FileKind file_kind(const std::string& path);

}  // namespace warpfit
