#include "host/parallel/rendezvous.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <random>

#include "host/parallel/handshake.hpp"

namespace warpfit {
namespace {

using Clock = std::chrono::steady_clock;

// A connection whose hello is not complete yet.
struct Newcomer {
  Socket connection;
  Deadline deadline;
  std::vector<std::byte> received;
};

struct Seat {
  std::uint64_t process = 0;  // 0 if the seat is free
  Peer peer;
  [[nodiscard]] bool has_joined() const { return peer.data.is_open() && peer.control.is_open(); }
};

// Nobody waits for a process that does not read: the reply fits into the socket's buffer.
void reply(Socket& to, const std::string& refusal) { to.try_send(encode_reply(refusal)); }

class Reception {
 public:
  Reception(const Socket& listener, const TcpOptions& options)
      : listener_(listener), options_(options), seats_(static_cast<std::size_t>(options.size)) {}

  std::vector<Peer> run() {
    const auto deadline = Clock::now() + options_.join_timeout;
    while (!missing().empty()) {
      if (Clock::now() >= deadline) give_up();
      wait_until(deadline);
      while (has_room()) {
        Socket connection = accept_from(listener_);
        if (!connection.is_open()) break;
        newcomers_.push_back({std::move(connection), Clock::now() + options_.hello_timeout, {}});
      }
      std::erase_if(newcomers_, [&](Newcomer& newcomer) { return is_done(newcomer); });
      for (Seat& seat : seats_) free_if_left(seat);
    }
    std::vector<Peer> peers;
    for (Seat& seat : seats_) peers.push_back(std::move(seat.peer));
    for (Peer& peer : std::span(peers).subspan(1)) {
      reply(peer.data, "");
      reply(peer.control, "");
    }
    return peers;
  }

 private:
  // Others wait in the queue of the listening socket.
  [[nodiscard]] bool has_room() const { return newcomers_.size() < 2 * seats_.size() + 64; }

  [[nodiscard]] std::vector<std::size_t> missing() const {
    std::vector<std::size_t> ranks;
    for (std::size_t rank = 1; rank < seats_.size(); ++rank) {
      if (!seats_[rank].has_joined()) ranks.push_back(rank);
    }
    return ranks;
  }

  // Waits for any event. The events are not assigned to sockets: all of them are tried afterwards.
  void wait_until(Deadline deadline) const {
    std::vector<pollfd> events;
    const auto add = [&](const Socket& socket) {
      if (socket.is_open()) events.push_back({socket.descriptor(), POLLIN, 0});
    };
    if (has_room()) add(listener_);
    for (const Newcomer& newcomer : newcomers_) {
      add(newcomer.connection);
      deadline = std::min(deadline, newcomer.deadline);
    }
    for (const Seat& seat : seats_) {
      add(seat.peer.data);
      add(seat.peer.control);
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    poll(events.data(), events.size(), static_cast<int>(std::clamp<long>(left, 0, 60'000)));
  }

  // Reads what has arrived; true if the connection is no longer a newcomer's.
  bool is_done(Newcomer& newcomer) {
    using State = ReceivedHello::State;
    std::array<std::byte, 1024> block{};
    const auto count = newcomer.connection.try_receive(block);
    if (count < 0 || Clock::now() >= newcomer.deadline) return true;
    newcomer.received.insert(newcomer.received.end(), block.begin(), block.begin() + count);
    const auto [state, hello] = decode_hello(newcomer.received);
    if (state == State::kOtherProtocol) {
      refuse(newcomer.connection, "the process is another version of warpfit");
    } else if (state == State::kComplete) {
      seat(newcomer.connection, hello);
    }
    return state != State::kIncomplete;
  }

  void seat(Socket& connection, const Hello& hello) {
    const Hello own{.size = options_.size, .version = options_.version, .token = options_.token};
    if (const auto reason = refusal(hello, own); !reason.empty()) return refuse(connection, reason);
    Seat& seat = seats_[static_cast<std::size_t>(hello.rank)];
    free_if_left(seat);  // this may be its process, started again
    Socket& place = hello.channel == Channel::kData ? seat.peer.data : seat.peer.control;
    if (place.is_open() || (seat.process != 0 && seat.process != hello.process)) {
      return refuse(connection, fmt::format("another process has joined as rank {}", hello.rank));
    }
    seat.process = hello.process;
    place = std::move(connection);
  }

  void refuse(Socket& connection, const std::string& reason) {
    reply(connection, reason);
    last_refusal_ = fmt::format(". Last refusal: {}", reason);
  }

  // A process that has joined sends nothing until all have joined: what can be read is its end.
  static void free_if_left(Seat& seat) {
    std::array<std::byte, 1> byte{};
    const auto has_left = [&](Socket& socket) { return socket.is_open() && socket.try_receive(byte) != 0; };
    if (has_left(seat.peer.data) || has_left(seat.peer.control)) seat = {};
  }

  [[noreturn]] void give_up() {
    const auto absent = missing();
    const auto problem = fmt::format(
        "{} of {} ranks have not joined rank 0 at {}:{} within {} s (missing: {}){}", absent.size(),
        seats_.size(), options_.address, listener_.port(),
        static_cast<double>(options_.join_timeout.count()) / 1000, fmt::join(absent, ", "), last_refusal_);
    for (Seat& seat : seats_) {
      if (seat.has_joined()) reply(seat.peer.data, problem);
    }
    throw CommunicationError(problem);
  }

  const Socket& listener_;
  const TcpOptions& options_;
  std::vector<Seat> seats_;  // by rank; that of rank 0 stays free
  std::vector<Newcomer> newcomers_;
  std::string last_refusal_;
};

Socket connect_as(const Hello& hello, const TcpOptions& options, Deadline deadline) {
  Socket connection = connect_to(options.address, options.port, deadline);
  // If this fails, reading the reply does too.
  static_cast<void>(connection.send(encode(hello), deadline));
  return connection;
}

void read_reply(Socket& connection, const TcpOptions& options, Deadline deadline) {
  const auto rank0 = fmt::format("rank 0 at {}:{}", options.address, options.port);
  const auto receive = [&](std::span<std::byte> to) {
    if (connection.receive(to, deadline)) return;
    throw CommunicationError(Clock::now() < deadline
                                 ? rank0 + " closed the connection before all ranks had joined"
                                 : rank0 + " has accepted the connection, but does not answer");
  };
  ReplyHeader header;
  receive(std::as_writable_bytes(std::span(&header, 1)));
  const auto length = reply_length(header);
  if (!length) {
    throw CommunicationError(fmt::format("{}:{} belongs to another program: set MASTER_PORT to another port",
                                         options.address, options.port));
  }
  std::string refusal(*length, '\0');
  receive(std::as_writable_bytes(std::span(refusal)));
  if (!refusal.empty()) throw CommunicationError(fmt::format("cannot join {}: {}", rank0, refusal));
}

}  // namespace

std::vector<Peer> accept_ranks(const Socket& listener, const TcpOptions& options) {
  return Reception(listener, options).run();
}

Peer join_ranks(const TcpOptions& options) {
  const auto deadline = Clock::now() + options.join_timeout;
  Hello hello{.channel = Channel::kData,
              .rank = options.rank,
              .size = options.size,
              .process = (std::uint64_t{std::random_device()()} << 32) | std::random_device()() | 1,
              .version = options.version,
              .token = options.token};
  Peer rank0;
  rank0.data = connect_as(hello, options, deadline);
  hello.channel = Channel::kControl;
  rank0.control = connect_as(hello, options, deadline);
  // Rank 0, which may have started later, explains at its own deadline who is missing.
  const auto reply_deadline = Clock::now() + options.join_timeout + options.hello_timeout;
  read_reply(rank0.data, options, reply_deadline);
  read_reply(rank0.control, options, reply_deadline);
  return rank0;
}

}  // namespace warpfit
