// The messages with which TCP ranks meet: what rank 0 receives from a process that connects, and what a
// process receives as the answer.
#include <algorithm>
#include <cstring>

#include "host/parallel/handshake.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/fuzz/try_read.hpp"

namespace warpfit::fuzz {
namespace {

using State = ReceivedHello::State;

const Hello kOwn{.size = 3, .version = "1.2.3", .token = "token"};
constexpr std::size_t kMaxReply = sizeof(ReplyHeader) + 1024;

// What has been decided after some bytes must stay so when more arrive.
void check_prefixes(std::span<const std::byte> bytes, State whole) {
  for (std::size_t size = 0; size < std::min<std::size_t>(bytes.size(), 64); ++size) {
    const auto state = decode_hello(bytes.first(size)).state;
    if (state == State::kIncomplete) continue;
    if (state == State::kComplete) {
      require(whole == State::kForeign, "a complete message is not followed by bytes");
    } else {
      require(state == whole, "a rejected message stays rejected");
    }
  }
}

void check_reply(std::span<const std::byte> bytes) {
  ReplyHeader header;
  if (bytes.size() < sizeof header) return;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (const auto length = reply_length(header)) require(*length <= kMaxReply, "an answer is short");
}

}  // namespace

void read(Input input) {
  const auto bytes = std::as_bytes(input);
  const auto [state, hello] = decode_hello(bytes);
  check_prefixes(bytes, state);
  check_reply(bytes);
  if (state != State::kComplete) throw CommunicationError("not a greeting of a rank");
  require(std::ranges::equal(encode(hello), bytes), "a greeting is what its values encode to");
  for (const auto& token : {kOwn.token, hello.token}) {
    auto own = kOwn;
    own.token = token;
    const auto reason = refusal(hello, own);
    const auto reply = encode_reply(reason);
    require(reply.size() <= kMaxReply, "an answer is short");
    ReplyHeader header;
    std::memcpy(&header, reply.data(), sizeof header);
    require(reply_length(header) == reply.size() - sizeof header, "an answer states its length");
    if (!reason.empty()) continue;
    require(hello.rank > 0 && hello.rank < own.size && hello.size == own.size,
            "the number of an accepted rank is between 1 and size - 1");
  }
}

std::vector<Bytes> seeds() {
  std::vector<Bytes> seeds;
  for (const auto& hello : {Hello{Channel::kData, 1, 3, 7, "1.2.3", "token"},
                            Hello{Channel::kControl, 2, 3, 1ULL << 40, "1.2.3", "token"},
                            Hello{Channel::kData, 9, 4, 1, "0.1", ""},
                            Hello{Channel::kControl, 1, 3, 1, std::string(kMaxHelloText, 'v'), "other"}}) {
    const auto bytes = encode(hello);
    const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
    seeds.emplace_back(first, first + bytes.size());
  }
  return seeds;
}

std::vector<std::string> words() {
  using namespace std::string_literals;
  return {"warpfit\0"s, "\1\0\0\0"s, "\0\0\0\0"s, "1rfw"s, "1.2.3"s, "token"s};
}

}  // namespace warpfit::fuzz
