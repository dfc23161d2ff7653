// IDX files (http://yann.lecun.com/exdb/mnist): two zero bytes, the element type, the number of dimensions,
// each dimension as a big-endian 32-bit number, then the elements, also big-endian. Gzip is recognized by
// content.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "host/files/file.hpp"

namespace warpfit {

/// The type of the elements, as in the third byte of the file.
enum class IdxType : std::uint8_t {
  kUint8 = 0x08,
  kInt8 = 0x09,
  kInt16 = 0x0B,
  kInt32 = 0x0C,
  kFloat32 = 0x0D,
  kFloat64 = 0x0E
};

/// "unsigned bytes"
std::string_view element_name(IdxType type);

/// Which types a file may have: pixels are unsigned bytes, labels any integers.
enum class IdxElements { kBytes, kIntegers, kAny };

/// An IDX file whose header has been checked against its length. Uncompressed data is read on request; gzip
/// data is decoded and checked completely, when the file is opened or later.
class IdxFile {
 public:
  enum class Decode { kNow, kLater };

  /// `min_rank`, `max_rank`: the allowed number of dimensions, including the number of samples. Errors:
  /// IoError if the file cannot be read; DataError, which names the file, field and byte, if it is not a
  /// valid IDX file of this kind; OutOfMemory if it needs more memory than is available.
  IdxFile(const std::string& path, int min_rank, int max_rank, IdxElements elements = IdxElements::kBytes,
          Decode when = Decode::kNow);
  IdxFile(IdxFile&&) noexcept;  ///< must not be used before a pending decode()
  ~IdxFile();

  /// Decodes gzip data if that was left for later (Decode::kLater), which allows to check the header before
  /// memory is allocated for the elements. Errors: those of the constructor.
  void decode();

  /// Errors: DataError with what to do, if the elements are of another type than pixels or labels may have.
  void check_elements(IdxElements elements) const;

  [[nodiscard]] const std::string& path() const { return file_.path(); }
  /// All dimensions: {60000, 28, 28}. Each is at least 1.
  [[nodiscard]] const std::vector<std::int64_t>& dimensions() const { return dimensions_; }
  [[nodiscard]] std::int64_t count() const { return dimensions_.front(); }
  [[nodiscard]] IdxType type() const { return type_; }
  /// Bytes of one sample: the product of the dimensions after the first, times the size of an element.
  [[nodiscard]] std::int64_t sample_size() const { return sample_size_; }
  /// Offset of sample `index` in the (decoded) file.
  [[nodiscard]] std::int64_t byte_of(std::int64_t index) const { return header_size_ + index * sample_size_; }

  /// Fills `out` with the samples from `first` on. Errors: IoError.
  void read(std::int64_t first, std::span<std::uint8_t> out) const;
  /// Fills `out` (N, sample_size) with the samples with these indices. Errors: IoError.
  void gather(std::span<const std::uint32_t> indices, std::span<std::uint8_t> out) const;
  /// Must be called after a series of reads that ended before sample `end`. Errors: IoError if the file was
  /// modified since it was opened, so that the data may be a mixture of old and new.
  void check_unchanged(std::int64_t end) const;

 private:
  void parse_header(std::span<const std::uint8_t> bytes, int min_rank, int max_rank, IdxElements elements);
  void parse_type(std::uint8_t type, IdxElements elements);
  void parse_dimensions(std::span<const std::uint8_t> bytes);
  void check_plain_size() const;
  void check_gzip_size() const;
  [[nodiscard]] std::string size_hint(std::uint64_t max_bytes) const;

  File file_;
  IdxType type_ = IdxType::kUint8;
  std::vector<std::int64_t> dimensions_;
  std::int64_t sample_size_ = 1;
  std::int64_t header_size_ = 0;
  std::unique_ptr<class GzipReader> gzip_;   // for gzip data to be decoded; positioned after the header
  std::unique_ptr<std::uint8_t[]> decoded_;  // the elements of a gzip file
};

}  // namespace warpfit
