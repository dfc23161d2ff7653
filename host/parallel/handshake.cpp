#include "host/parallel/handshake.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace warpfit {
namespace {

constexpr std::array<char, 8> kMagic{'w', 'a', 'r', 'p', 'f', 'i', 't', '\0'};
constexpr std::uint32_t kProtocol = 1;
constexpr std::uint32_t kReplyMagic = 0x77667231;
constexpr std::size_t kMaxReplyText = 1024;

// The magic and the protocol are the same in all protocols.
struct HelloHeader {
  std::array<char, 8> magic = kMagic;
  std::uint32_t protocol = kProtocol;
  Channel channel = Channel::kData;
  std::int32_t rank = 0, size = 0;
  std::uint64_t process = 0;
  std::uint32_t version_length = 0, token_length = 0;
};
static_assert(sizeof(HelloHeader) == 40);  // without padding

template <class Header>
std::vector<std::byte> join(const Header& header, const std::string& text) {
  std::vector<std::byte> bytes(sizeof header + text.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(std::as_bytes(std::span(text)), bytes.begin() + sizeof header);
  return bytes;
}

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

std::vector<std::byte> encode(const Hello& hello) {
  HelloHeader header;
  header.channel = hello.channel;
  header.rank = hello.rank;
  header.size = hello.size;
  header.process = hello.process;
  header.version_length = static_cast<std::uint32_t>(hello.version.size());
  header.token_length = static_cast<std::uint32_t>(hello.token.size());
  return join(header, hello.version + hello.token);
}

ReceivedHello decode_hello(std::span<const std::byte> bytes) {
  using enum ReceivedHello::State;
  HelloHeader header;
  std::ranges::copy(bytes.first(std::min(bytes.size(), sizeof header)),
                    std::as_writable_bytes(std::span(&header, 1)).begin());
  if (header.magic != kMagic) return {kForeign, {}};
  constexpr auto kThroughProtocol = sizeof header.magic + sizeof header.protocol;
  if (bytes.size() >= kThroughProtocol && header.protocol != kProtocol) return {kOtherProtocol, {}};
  if (bytes.size() < sizeof header) return {kIncomplete, {}};
  if (std::max(header.version_length, header.token_length) > kMaxHelloText ||
      (header.channel != Channel::kData && header.channel != Channel::kControl)) {
    return {kForeign, {}};
  }
  const auto texts = bytes.subspan(sizeof header);
  const std::size_t length = header.version_length + header.token_length;
  if (texts.size() < length) return {kIncomplete, {}};
  if (texts.size() > length) return {kForeign, {}};
  return {kComplete,
          {.channel = header.channel,
           .rank = header.rank,
           .size = header.size,
           .process = header.process,
           .version = text_of(texts.first(header.version_length)),
           .token = text_of(texts.subspan(header.version_length))}};
}

std::string refusal(const Hello& hello, const Hello& own) {
  if (hello.token != own.token) {
    return "the process belongs to another job (the job tokens differ): set MASTER_PORT to another port for "
           "each job";
  }
  if (hello.version != own.version) {
    return fmt::format("the process is warpfit {}, but rank 0 is warpfit {}", hello.version, own.version);
  }
  if (hello.size != own.size) {
    return fmt::format("the process expects {} ranks, but rank 0 expects {}", hello.size, own.size);
  }
  if (hello.rank < 1 || hello.rank >= own.size) {
    return fmt::format("the rank of the process is {}, but ranks other than rank 0 are from 1 to {}",
                       hello.rank, own.size - 1);
  }
  return "";
}

std::vector<std::byte> encode_reply(std::string refusal) {
  refusal.resize(std::min(refusal.size(), kMaxReplyText));
  return join(ReplyHeader{kReplyMagic, static_cast<std::uint32_t>(refusal.size())}, refusal);
}

std::optional<std::size_t> reply_length(const ReplyHeader& header) {
  if (header.magic != kReplyMagic || header.length > kMaxReplyText) return std::nullopt;
  return header.length;
}

}  // namespace warpfit
