// IDX images as gzip: decoding, checksums, concatenated members. Accepted input must be what zlib itself
// decodes.
#include <zlib.h>

#include <algorithm>
#include <optional>

#include "host/inspect/describe.hpp"
#include "host/stream/dataset.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/fuzz/try_read.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace warpfit::fuzz {
namespace {

constexpr int kGzipOnly = MAX_WBITS + 16;

// Decodes all members. Empty if one of them is damaged or truncated, if other data follows, or if they decode
// to more than `max_size` bytes.
std::optional<Bytes> decode(Input input, std::size_t max_size) {
  Bytes decoded(max_size);
  z_stream stream{};
  stream.next_in = const_cast<std::uint8_t*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = decoded.data();
  stream.avail_out = static_cast<uInt>(decoded.size());
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) throw std::bad_alloc();
  std::size_t size = 0;
  int status = Z_BUF_ERROR;
  while (stream.avail_in > 0) {
    status = inflate(&stream, Z_FINISH);
    if (status != Z_STREAM_END) break;
    size = decoded.size() - stream.avail_out;
    inflateReset(&stream);
  }
  inflateEnd(&stream);
  if (status != Z_STREAM_END) return std::nullopt;
  decoded.resize(size);
  return decoded;
}

}  // namespace

void read(Input input) {
  static InputFile file;
  const auto& path = file.holding(input);
  try_read([&] { describe_idx(path, {.drawings = 2}, check_text); });
  const IdxFile images(path, 1, 4);
  Bytes elements(static_cast<std::size_t>(images.count() * images.sample_size()));
  images.read(0, elements);
  if (input[0] != 0x1F) return;
  std::vector<std::uint32_t> dimensions;
  for (const auto dimension : images.dimensions())
    dimensions.push_back(static_cast<std::uint32_t>(dimension));
  const auto expected = test::idx(dimensions, elements);
  require(decode(input, expected.size() + 1) == expected, "zlib decodes the same IDX file");
}

std::vector<Bytes> seeds() {
  using test::operator+;
  const auto images = test::idx({3, 4, 4}, Bytes(48, 7));
  const Bytes start(images.begin(), images.begin() + 10), rest(images.begin() + 10, images.end());
  return {test::gzip(images), test::gzip(start) + test::gzip(rest), test::gzip(test::idx({2}, {3, 4})),
          test::gzip(test::idx({20, 30, 30}, {}), 18000)};
}

std::vector<std::string> words() {
  using namespace std::string_literals;
  return {"\x1F\x8B\x08\0"s,   "\x1F\x8B\x08\x04"s, "\x1F\x8B\x08\x08"s, "\x1F\x8B\x08\x10"s,
          "\x1F\x8B\x08\x02"s, "\0\0\x08\x03"s,     "\0\0\x08\x01"s};
}

}  // namespace warpfit::fuzz

// Half of the mutations change the decoded content and encode it again, so that the checksum is correct and
// the IDX reader is reached.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (seed % 2 == 0) return LLVMFuzzerMutate(data, size, max_size);
  auto content = warpfit::fuzz::decode({data, size}, max_size);
  if (!content) return LLVMFuzzerMutate(data, size, max_size);
  const auto content_size = content->size();
  content->resize(max_size);
  content->resize(LLVMFuzzerMutate(content->data(), content_size, max_size));
  const auto encoded = warpfit::test::gzip(*content);
  if (encoded.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::ranges::copy(encoded, data);
  return encoded.size();
}
