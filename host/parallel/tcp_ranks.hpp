// Ranks that communicate over TCP, for launchers without MPI. All are connected to rank 0, which adds and
// distributes. Meant for short messages and as a fallback: rank 0's network limits its speed.
#pragma once

#include <memory>

#include "host/parallel/communicator.hpp"
#include "host/parallel/rendezvous.hpp"

namespace warpfit {

/// Returns when all ranks have joined. The order kFastest adds in the order of the ranks.
/// Errors: CommunicationError as for listen_on(), accept_ranks() and join_ranks().
std::unique_ptr<Communicator> make_tcp_rank(const TcpOptions& options);

/// Rank 0 with a socket that listens already.
std::unique_ptr<Communicator> make_tcp_rank(const TcpOptions& options, Socket listener);

}  // namespace warpfit
