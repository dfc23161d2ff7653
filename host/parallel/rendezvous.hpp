// How TCP ranks meet: rank 0 listens, and the others connect to it. Rank 0 ignores programs that are not
// warpfit, and tells processes that it refuses why.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "host/base/error.hpp"
#include "host/parallel/socket.hpp"

namespace warpfit {

struct TcpOptions {
  int rank = 0;
  int size = 1;
  std::string address;  ///< of rank 0
  int port = 0;
  std::string token;    ///< the same for all ranks of a job
  std::string version;  ///< of the program; all ranks must have the same
  std::chrono::milliseconds join_timeout = std::chrono::seconds(60);
  /// How long a process that has connected may take to say who it is.
  std::chrono::milliseconds hello_timeout = std::chrono::seconds(5);
  /// Called at most once, in a thread of the communicator, when another rank has ended with an error. It may
  /// end the process with `code`; otherwise, all collectives throw CommunicationError from then on.
  std::function<void(const std::string& message, ExitCode code)> on_ended;
};

/// The connections between rank 0 and another rank.
struct Peer {
  Socket data, control;
};

/// For rank 0: waits until all others have joined. Returns their connections by rank; those of rank 0 are
/// closed. Errors: CommunicationError at the deadline, with the ranks that have not joined.
std::vector<Peer> accept_ranks(const Socket& listener, const TcpOptions& options);

/// For the other ranks: joins rank 0 and waits until all have joined.
/// Errors: CommunicationError if rank 0 cannot be reached or refuses this process, or at the deadline.
Peer join_ranks(const TcpOptions& options);

}  // namespace warpfit
