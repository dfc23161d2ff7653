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

/// What a file is, and what to do about it. Both complete a sentence.
struct ForeignFile {
  std::string_view name;    ///< "an HTML page"
  std::string_view advice;  ///< "download the file again"
  bool is_model = false;    ///< of another program, such as PyTorch
};

/// How many bytes of a file recognize_foreign() looks at.
constexpr std::size_t kForeignBytes = 512;

/// The kind of a file whose first bytes these are, or nothing if they are of no known other format.
std::optional<ForeignFile> recognize_foreign(std::span<const std::uint8_t> start);
/// Likewise of an opened file. Errors: IoError.
std::optional<ForeignFile> recognize_foreign(const File& file);

/// "FILE: is an HTML page, expected an IDX file; download the file again"
std::string describe_foreign(const std::string& path, const ForeignFile& found, std::string_view expected);

}  // namespace warpfit
