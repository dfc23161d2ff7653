// TCP ranks that are threads of the test, connected over 127.0.0.1.
#pragma once

#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "host/parallel/tcp_ranks.hpp"

namespace warpfit::test {

/// Options of a rank at this port.
inline TcpOptions tcp_options(int rank, int size, int port) {
  return {.rank = rank,
          .size = size,
          .address = "127.0.0.1",
          .port = port,
          .token = "job 7",
          .version = "1.2.3",
          .join_timeout = std::chrono::seconds(10),
          .hello_timeout = std::chrono::seconds(10),
          .on_ended = {}};
}

/// The message of the error that work() throws; "" if it throws none.
template <class Work>
std::string error_of(const Work& work) {
  try {
    work();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

/// Starts a rank in a thread, which calls work(communicator); the result is the message of its error.
inline std::future<std::string> start_tcp_rank(
    const TcpOptions& options, std::function<void(Communicator&)> work = [](auto&) {}, Socket listener = {}) {
  return std::async(std::launch::async, [options, work, socket = std::move(listener)]() mutable {
    return error_of([&] {
      work(*(socket.is_open() ? make_tcp_rank(options, std::move(socket)) : make_tcp_rank(options)));
    });
  });
}

/// Runs work(communicator) on all ranks and returns the messages of their errors, by rank.
inline std::vector<std::string> run_tcp_ranks(
    int size, const std::function<void(Communicator&)>& work,
    const std::function<void(TcpOptions&)>& change = [](auto&) {}) {
  Socket listener = listen_on("127.0.0.1", 0);
  const int port = listener.port();
  std::vector<std::future<std::string>> ranks;
  for (int rank = 0; rank < size; ++rank) {
    auto options = tcp_options(rank, size, port);
    change(options);
    ranks.push_back(start_tcp_rank(options, work, rank == 0 ? std::move(listener) : Socket()));
  }
  std::vector<std::string> errors;
  for (auto& rank : ranks) errors.push_back(rank.get());
  return errors;
}

}  // namespace warpfit::test
