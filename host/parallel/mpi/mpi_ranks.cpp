// libwarpfit_mpi.so: the processes that an MPI launcher has started. Only functions of MPI's C interface.
#include <fmt/core.h>
#include <mpi.h>

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <exception>
#include <functional>
#include <string_view>
#include <thread>
#include <vector>

#include "host/parallel/communicator.hpp"
#include "host/parallel/mpi_library.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kMaxCount = std::size_t{1} << 30;  // MPI's counts are of type int
constexpr std::size_t kChunk = std::size_t{1} << 18;     // floats

void check(int error, const char* what) {
  if (error == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(error, text.data(), &length);
  throw CommunicationError(
      fmt::format("{}: {}", what, std::string_view(text.data(), static_cast<std::size_t>(length))));
}

// Calls work(part) for parts of at most `longest` elements, in order.
template <class T, class Work>
void in_parts(std::span<T> values, std::size_t longest, const Work& work) {
  for (; !values.empty(); values = values.subspan(std::min(values.size(), longest))) {
    work(values.first(std::min(values.size(), longest)));
  }
}

int count_of(std::size_t size) { return static_cast<int>(size); }

// Waits for the operation and leaves the core to others after a short time: MPI's own functions would occupy
// it, while this rank's other threads compute, or other ranks if there are more ranks than cores.
void finish(MPI_Request request, const char* what) {
  constexpr int kYields = 200;
  constexpr std::chrono::microseconds kPause{20};
  for (int tests = 0;; ++tests) {
    int is_done = 0;
    check(MPI_Test(&request, &is_done, MPI_STATUS_IGNORE), what);
    if (is_done != 0) return;
    if (tests < kYields) {
      std::this_thread::yield();
    } else {
      std::this_thread::sleep_for(kPause);
    }
  }
}

class MpiRank final : public Communicator {
 public:
  MpiRank() {
    int is_initialized = 0, provided = 0;
    MPI_Initialized(&is_initialized);
    if (is_initialized != 0) throw InternalError("MPI is initialized twice");
    check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI_Comm_size");
    if (provided >= MPI_THREAD_SERIALIZED) return;
    MPI_Finalize();
    throw CommunicationError("MPI does not support calls from several threads (MPI_THREAD_SERIALIZED)");
  }
  ~MpiRank() override {
    if (std::uncaught_exceptions() <= exceptions_) MPI_Finalize();
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] std::string description() const override {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    MPI_Get_library_version(text.data(), &length);
    std::string_view version(text.data(), static_cast<std::size_t>(length));
    version = version.substr(0, version.find_first_of(",\n"));  // "Open MPI v4.1.4, package: ..."
    return fmt::format("MPI ({})", version);
  }

  void sum(std::span<float> values, SumOrder order) override {
    if (received_.size() < std::min(values.size(), kChunk)) received_.resize(std::min(values.size(), kChunk));
    if (order == SumOrder::kTree)
      return in_parts(values, kChunk, [this](auto part) { sum_in_tree(part, received_); });
    in_parts(values, kChunk * static_cast<std::size_t>(size_),
             [this](auto part) { sum_in_ring(part, received_); });
  }
  void broadcast(std::span<std::byte> data, int root) override {
    in_parts(data, kMaxCount, [root](auto part) {
      check(MPI_Bcast(part.data(), count_of(part.size()), MPI_BYTE, root, MPI_COMM_WORLD), "MPI_Bcast");
    });
  }
  [[nodiscard]] std::vector<std::string> gather(const std::string& message) override {
    const auto ranks = static_cast<std::size_t>(size_);
    const int own_size = count_of(std::min(message.size(), kMaxCount));
    std::vector<int> sizes(ranks), offsets(ranks);
    check(MPI_Allgather(&own_size, 1, MPI_INT, sizes.data(), 1, MPI_INT, MPI_COMM_WORLD), "MPI_Allgather");
    std::size_t total = 0;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      offsets[rank] = count_of(total);
      total += static_cast<std::size_t>(sizes[rank]);
      if (total > kMaxCount) throw InternalError("the messages to all ranks are too long");
    }
    std::string all(total, '\0');
    check(MPI_Allgatherv(message.data(), own_size, MPI_BYTE, all.data(), sizes.data(), offsets.data(),
                         MPI_BYTE, MPI_COMM_WORLD),
          "MPI_Allgatherv");
    std::vector<std::string> messages;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      messages.push_back(
          all.substr(static_cast<std::size_t>(offsets[rank]), static_cast<std::size_t>(sizes[rank])));
    }
    return messages;
  }
  void end_others(ExitCode code) noexcept override { MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code)); }

 private:
  // Not MPI_Allreduce: it occupies a core while it waits, and MPI_Iallreduce of Open MPI 4.1 corrupts memory.
  // Each rank adds one part of the values, which passes through all ranks first, then passes the sums round.
  void sum_in_ring(std::span<float> values, std::span<float> other) const {
    const auto ranks = static_cast<std::size_t>(size_);
    const auto part = [&](int of) {
      const auto i = static_cast<std::size_t>((of + 2 * size_) % size_);
      const auto begin = values.size() * i / ranks;
      return values.subspan(begin, values.size() * (i + 1) / ranks - begin);
    };
    const int next = (rank_ + 1) % size_;
    const int previous = (rank_ + size_ - 1) % size_;
    for (int step = 0; step + 1 < size_; ++step) {
      const auto own = part(rank_ - step - 1);
      const auto received = other.first(own.size());
      exchange(part(rank_ - step), next, received, previous);
      std::ranges::transform(own, received, own.begin(), std::plus());
    }
    for (int step = 0; step + 1 < size_; ++step)
      exchange(part(rank_ + 1 - step), next, part(rank_ - step), previous);
  }

  static void exchange(std::span<const float> send, int to, std::span<float> receive, int from) {
    MPI_Request received{}, sent{};
    check(MPI_Irecv(receive.data(), count_of(receive.size()), MPI_FLOAT, from, 0, MPI_COMM_WORLD, &received),
          "MPI_Irecv");
    check(MPI_Isend(send.data(), count_of(send.size()), MPI_FLOAT, to, 0, MPI_COMM_WORLD, &sent),
          "MPI_Isend");
    finish(received, "MPI_Irecv");
    finish(sent, "MPI_Isend");
  }

  // With a power of two ranks, by recursive doubling: both ranks of each pair add the same two numbers, and
  // an addition gives the same bits in either order. Otherwise rank 0 gets the sum and broadcasts it.
  void sum_in_tree(std::span<float> values, std::span<float> other) const {
    other = other.first(values.size());
    const auto add = [&] { std::ranges::transform(values, other, values.begin(), std::plus()); };
    const int count = count_of(values.size());
    if (std::has_single_bit(static_cast<unsigned>(size_))) {
      for (int distance = 1; distance < size_; distance *= 2) {
        const int peer = rank_ ^ distance;
        exchange(values, peer, other, peer);
        add();
      }
      return;
    }
    for (int distance = 1; distance < size_; distance *= 2) {
      if (rank_ % (2 * distance) != 0) {
        check(MPI_Send(values.data(), count, MPI_FLOAT, rank_ - distance, 0, MPI_COMM_WORLD), "MPI_Send");
        break;
      }
      if (rank_ + distance >= size_) continue;
      check(MPI_Recv(other.data(), count, MPI_FLOAT, rank_ + distance, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE),
            "MPI_Recv");
      add();
    }
    check(MPI_Bcast(values.data(), count, MPI_FLOAT, 0, MPI_COMM_WORLD), "MPI_Bcast");
  }

  int rank_ = 0, size_ = 1;
  std::vector<float> received_;  // a part of another rank's values
  int exceptions_ = std::uncaught_exceptions();
};

}  // namespace
}  // namespace warpfit

extern "C" __attribute__((visibility("default"))) warpfit::Communicator* warpfit_make_mpi_ranks() {
  return new warpfit::MpiRank();  // the caller owns it
}
