// Ranks that are threads of one process, for tests and for the emulation.
#pragma once

#include <functional>

#include "host/parallel/communicator.hpp"

namespace warpfit {

/// Calls work(communicator) for each rank, each in a thread of its own, and returns when all have ended. If
/// one throws an exception or calls end_others(), the other ranks' calls throw CommunicationError; the first
/// exception is rethrown. Errors: CommunicationError if a rank called end_others().
void run_ranks(int ranks, const std::function<void(Communicator&)>& work);

}  // namespace warpfit
