// IDX files of unsigned bytes (http://yann.lecun.com/exdb/mnist): two zero bytes, the element type (0x08),
// the number of dimensions, each dimension as a big-endian 32-bit number, then the elements; plain or gzip by
// content.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "host/files/file.hpp"

namespace warpfit {

/// An IDX file whose header was checked against its length. Plain data is read when it is asked for; gzip
/// data is decoded and checked whole, when the file is opened or later.
class IdxFile {
 public:
  enum class Decode { kNow, kLater };

  /// `fewest`, `most`: how many dimensions it may have, the count of samples among them.
  /// Errors: IoError where it cannot be read, DataError naming file, field and byte where it is not such a
  /// file, OutOfMemory where it takes more memory than there is.
  IdxFile(const std::string& path, int fewest, int most, Decode when = Decode::kNow);
  IdxFile(IdxFile&&) noexcept;  ///< not while decode() is due
  ~IdxFile();

  /// Decodes gzip data if that was left for later: what the header says can be checked before memory is taken
  /// for the elements. Errors: those of the constructor.
  void decode();

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// All dimensions: {60000, 28, 28}. None is 0.
  [[nodiscard]] const std::vector<std::int64_t>& dimensions() const { return dimensions_; }
  [[nodiscard]] std::int64_t count() const { return dimensions_.front(); }
  /// Bytes of one sample, the product of the dimensions after the first.
  [[nodiscard]] std::int64_t sample_size() const { return sample_size_; }
  /// Offset of sample `index` in the (decoded) file.
  [[nodiscard]] std::int64_t byte_of(std::int64_t index) const { return header_size_ + index * sample_size_; }

  /// Fills `out` with the samples from `first` on. Errors: IoError.
  void read(std::int64_t first, std::span<std::uint8_t> out) const;
  /// Fills `out` (N, sample_size) with the samples that `indices` names. Errors: IoError.
  void gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> out) const;
  /// Call it after a stretch of reads that ended before sample `end`. Errors: IoError where the file was
  /// written to since it was opened, so that what was read may be neither the old data nor the new.
  void check_unchanged(std::int64_t end) const;

 private:
  void parse_header(std::span<const std::uint8_t> bytes, int fewest, int most);
  void check_plain_size() const;
  void check_gzip_size() const;

  File file_;
  std::vector<std::int64_t> dimensions_;
  std::int64_t sample_size_ = 1;
  std::int64_t header_size_ = 0;
  std::unique_ptr<class GzipReader> gzip_;   // after the header; of gzip data that is to be decoded
  std::unique_ptr<std::uint8_t[]> decoded_;  // the elements of a gzip file
};

}  // namespace warpfit
