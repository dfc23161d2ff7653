// The messages with which TCP ranks meet: each connection to rank 0 begins with a Hello, which rank 0 answers
// with a Reply. Both have limited sizes, because any program can connect to a port.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace warpfit {

/// Each rank has two connections to rank 0: one for collectives, and one for what must be noticed at any
/// time.
enum class Channel : std::uint32_t { kData, kControl };

struct Hello {
  Channel channel = Channel::kData;
  int rank = 0;
  int size = 0;
  std::uint64_t process = 0;  ///< distinguishes processes with the same rank
  std::string version;        ///< of the program, at most kMaxHelloText bytes
  std::string token;          ///< of the job, at most kMaxHelloText bytes
};

inline constexpr std::size_t kMaxHelloText = 256;

std::vector<std::byte> encode(const Hello& hello);

struct ReceivedHello {
  enum class State {
    kIncomplete,     ///< more bytes are needed
    kComplete,       ///< `hello` is set
    kForeign,        ///< not from warpfit
    kOtherProtocol,  ///< from a warpfit with another protocol
  };
  State state = State::kIncomplete;
  Hello hello;
};

/// Interprets the first bytes of a connection.
ReceivedHello decode_hello(std::span<const std::byte> bytes);

/// Why rank 0 cannot accept a process, or "". `own` is what rank 0 expects.
std::string refusal(const Hello& hello, const Hello& own);

/// The answer of rank 0: "" when all ranks have joined, or the reason why they cannot start.
std::vector<std::byte> encode_reply(std::string refusal);

struct ReplyHeader {
  std::uint32_t magic = 0;
  std::uint32_t length = 0;  ///< of the text that follows
};

/// The length of the reply's text, or nothing if the header is not from warpfit.
std::optional<std::size_t> reply_length(const ReplyHeader& header);

}  // namespace warpfit
