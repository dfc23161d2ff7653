#include "host/stream/gzip.hpp"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "host/base/error.hpp"

namespace warpfit {

struct GzipReader::State {
  z_stream stream{};
  std::vector<std::uint8_t> input = std::vector<std::uint8_t>(1 << 16);
  std::uint64_t next_byte = 0;  // offset in the file, after the contents of `input`
  bool ended = false;           // the last member has been decoded

  State() {
    constexpr int kGzipOnly = MAX_WBITS + 16;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK)
      throw OutOfMemory("starting gzip decompression: out of memory");
  }
  ~State() { inflateEnd(&stream); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  [[nodiscard]] std::uint64_t position() const { return next_byte - stream.avail_in; }
};

GzipReader::GzipReader(const File& file) : file_(file), state_(std::make_unique<State>()) {}
GzipReader::~GzipReader() = default;

bool GzipReader::refill() {
  auto& s = *state_;
  if (s.stream.avail_in > 0) return true;
  const auto count = std::min<std::uint64_t>(s.input.size(), file_.size() - s.next_byte);
  if (count == 0) return false;
  file_.read(s.next_byte, {s.input.data(), static_cast<std::size_t>(count)});
  s.next_byte += count;
  s.stream.next_in = s.input.data();
  s.stream.avail_in = static_cast<uInt>(count);
  return true;
}

// Members may follow each other (RFC 1952, 2.2); any other data after a member is an error.
void GzipReader::finish_member() {
  auto& s = *state_;
  if (!refill()) {
    s.ended = true;
    return;
  }
  constexpr std::uint8_t kMagic = 0x1F;
  if (*s.stream.next_in != kMagic) {
    throw DataError(
        fmt::format("{}: {} bytes follow the gzip data, from byte {} on; expected the end of the file",
                    file_.path(), file_.size() - s.position(), s.position()));
  }
  inflateReset(&s.stream);
}

std::size_t GzipReader::read(std::span<std::uint8_t> out) {
  auto& s = *state_;
  std::size_t done = 0;
  while (done < out.size() && !s.ended) {
    if (!refill()) {
      throw DataError(
          fmt::format("{}: the gzip data is truncated at byte {}; expected its checksum after the data",
                      file_.path(), file_.size()));
    }
    const auto room = std::min<std::size_t>(out.size() - done, std::numeric_limits<uInt>::max());
    s.stream.next_out = out.data() + done;
    s.stream.avail_out = static_cast<uInt>(room);
    const int status = inflate(&s.stream, Z_NO_FLUSH);
    done += room - s.stream.avail_out;
    if (status == Z_STREAM_END) {
      finish_member();
    } else if (status == Z_MEM_ERROR) {
      throw OutOfMemory(fmt::format("{}: decompressing gzip data: out of memory", file_.path()));
    } else if (status != Z_OK && status != Z_BUF_ERROR) {
      throw DataError(fmt::format("{}: the gzip data is damaged at byte {}: {}", file_.path(), s.position(),
                                  s.stream.msg != nullptr ? s.stream.msg : "no reason given"));
    }
  }
  return done;
}

}  // namespace warpfit
