// What a file is, by its first bytes: a name says what somebody meant it to be.
#pragma once

#include <cstdint>
#include <string>

namespace warpfit {

enum class FileKind : std::uint8_t { kIdx, kSafetensors, kOnnx };

/// What the file would be if it is sound, which whoever reads it must check. A gzip file passes for IDX.
/// Errors: IoError; ModelError for other programs' models; DataError for all else.
FileKind file_kind(const std::string& path);

}  // namespace warpfit
