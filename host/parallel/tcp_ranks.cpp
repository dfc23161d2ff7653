#include "host/parallel/tcp_ranks.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "host/parallel/end_notices.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kChunk = std::size_t{256} << 10;          // bytes of each rank that rank 0 holds
constexpr std::uint64_t kMaxMessage = std::uint64_t{64} << 20;  // bytes

// Precedes the data of a collective, so that calls that do not match are an error instead of a deadlock.
struct Call {
  enum class Kind : std::uint64_t { kSum, kTreeSum, kBroadcast, kGather };
  Kind kind = Kind::kSum;
  std::uint64_t bytes = 0;
};

template <class T>
std::span<std::byte> bytes_of(T& object) {
  return std::as_writable_bytes(std::span(&object, 1));
}

// The first row becomes the sum of all.
void add(std::vector<std::vector<float>>& rows, std::size_t count, SumOrder order) {
  const auto add_to = [&](std::size_t to, std::size_t from) {
    const auto end = rows[to].begin() + static_cast<std::ptrdiff_t>(count);
    std::transform(rows[to].begin(), end, rows[from].begin(), rows[to].begin(), std::plus());
  };
  if (order == SumOrder::kFastest) {
    for (std::size_t rank = 1; rank < rows.size(); ++rank) add_to(0, rank);
    return;
  }
  for (std::size_t distance = 1; distance < rows.size(); distance *= 2) {
    for (std::size_t rank = 0; rank + distance < rows.size(); rank += 2 * distance) {
      add_to(rank, rank + distance);
    }
  }
}

class TcpRank final : public Communicator {
 public:
  TcpRank(const TcpOptions& options, std::vector<Peer> peers)
      : rank_(options.rank),
        size_(options.size),
        description_(fmt::format("TCP (rank 0 at {}:{})", options.address, options.port)),
        peers_(std::move(peers)),
        notices_(peers_, rank_, options.on_ended) {}

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string description() const override { return description_; }

  void sum(std::span<float> values, SumOrder order) override {
    const auto bytes = std::as_writable_bytes(values);
    const Call call{order == SumOrder::kTree ? Call::Kind::kTreeSum : Call::Kind::kSum, bytes.size()};
    if (rank_ == 0) return sum_of_all(values, order, call);
    send_call(0, call);
    if (!peers_[0].data.exchange(bytes)) fail(0);
  }

  void broadcast(std::span<std::byte> data, int root) override {
    const Call call{Call::Kind::kBroadcast, data.size()};
    if (rank_ != 0) {
      if (rank_ == root) return send_call(0, call), send(0, data);
      return receive_call(0, call), receive(0, data);
    }
    if (root != 0) receive_call(root, call);
    for_others(root, [&](int rank) { send_call(rank, call); });
    for (; !data.empty(); data = data.subspan(std::min(data.size(), kChunk))) {
      const auto chunk = data.first(std::min(data.size(), kChunk));
      if (root != 0) receive(root, chunk);
      for_others(root, [&](int rank) { send(rank, chunk); });
    }
  }

  [[nodiscard]] std::vector<std::string> gather(const std::string& message) override {
    if (message.size() > kMaxMessage) throw InternalError("a message to all ranks is too long");
    std::vector<std::string> messages(static_cast<std::size_t>(size_));
    messages[static_cast<std::size_t>(rank_)] = message;
    if (rank_ != 0) send_message(0, message);
    for_others(0, [&](int rank) { messages[static_cast<std::size_t>(rank)] = receive_message(rank); });
    for (auto& each : messages) {
      if (rank_ != 0) each = receive_message(0);
      for_others(0, [&](int rank) { send_message(rank, each); });
    }
    return messages;
  }

  void end_others(ExitCode code) noexcept override { notices_.end_others(code); }

 private:
  // On rank 0: calls work(rank) for all other ranks but `except`.
  template <class Work>
  void for_others(int except, const Work& work) {
    for (int rank = 1; rank_ == 0 && rank < size_; ++rank) {
      if (rank != except) work(rank);
    }
  }

  // In chunks, so that little memory is needed. The others send and receive at the same time: no rank waits
  // for one that waits for it.
  void sum_of_all(std::span<float> values, SumOrder order, const Call& call) {
    for_others(0, [&](int rank) { receive_call(rank, call); });
    const auto longest = std::min(values.size(), kChunk / sizeof(float));
    std::vector rows(static_cast<std::size_t>(size_), std::vector<float>(longest));
    for (; !values.empty(); values = values.subspan(std::min(values.size(), longest))) {
      const auto chunk = values.first(std::min(values.size(), longest));
      std::ranges::copy(chunk, rows[0].begin());
      for_others(0, [&](int rank) {
        receive(rank,
                std::as_writable_bytes(std::span(rows[static_cast<std::size_t>(rank)]).first(chunk.size())));
      });
      add(rows, chunk.size(), order);
      std::copy_n(rows[0].begin(), chunk.size(), chunk.begin());
      for_others(0, [&](int rank) { send(rank, std::as_bytes(chunk)); });
    }
  }

  Socket& data(int rank) { return peers_[static_cast<std::size_t>(rank)].data; }
  void send(int rank, std::span<const std::byte> bytes) {
    if (!data(rank).send(bytes)) fail(rank);
  }
  void receive(int rank, std::span<std::byte> bytes) {
    if (!data(rank).receive(bytes)) fail(rank);
  }
  void send_call(int rank, Call call) {
    if (!data(rank).send(bytes_of(call), {}, call.bytes > 0)) fail(rank);
  }
  void receive_call(int rank, const Call& expected) {
    Call call;
    receive(rank, bytes_of(call));
    if (call.kind != expected.kind || call.bytes != expected.bytes) mismatch(rank);
  }
  void send_message(int rank, const std::string& message) {
    send_call(rank, {Call::Kind::kGather, message.size()});
    send(rank, std::as_bytes(std::span(message)));
  }
  std::string receive_message(int rank) {
    Call call;
    receive(rank, bytes_of(call));
    if (call.kind != Call::Kind::kGather || call.bytes > kMaxMessage) mismatch(rank);
    std::string message(call.bytes, '\0');
    receive(rank, std::as_writable_bytes(std::span(message)));
    return message;
  }
  [[noreturn]] static void mismatch(int rank) {
    throw InternalError(fmt::format("rank {} calls another function of the communicator", rank));
  }
  [[noreturn]] void fail(int rank) { throw CommunicationError(notices_.why_failed(rank)); }

  int rank_, size_;
  std::string description_;
  std::vector<Peer> peers_;  // by rank: on rank 0 all others, elsewhere only rank 0
  EndNotices notices_;
};

}  // namespace

std::unique_ptr<Communicator> make_tcp_rank(const TcpOptions& options) {
  if (options.rank == 0) return make_tcp_rank(options, listen_on(options.address, options.port));
  std::vector<Peer> peers;
  peers.push_back(join_ranks(options));
  return std::make_unique<TcpRank>(options, std::move(peers));
}

std::unique_ptr<Communicator> make_tcp_rank(const TcpOptions& options, Socket listener) {
  return std::make_unique<TcpRank>(options, accept_ranks(listener, options));
}

}  // namespace warpfit
