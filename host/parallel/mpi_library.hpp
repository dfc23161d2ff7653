// The ranks of MPI are a separate library that is loaded only in a process that an MPI launcher has started:
// the program must run on machines without MPI.
#pragma once

#include <memory>

#include "host/parallel/communicator.hpp"

namespace warpfit {

/// The function that libwarpfit_mpi.so exports as warpfit_make_mpi_ranks; the caller owns the result.
using MakeMpiRanks = Communicator*();

/// Initializes MPI, once per process. Its threads may call MPI one at a time (MPI_THREAD_SERIALIZED).
/// - end_others() is MPI_Abort, which also ends the calling process; with Open MPI this is true of mpirun
/// too.
/// - The destructor is MPI_Finalize, which waits for all ranks. While an exception is thrown, it does
/// nothing:
///   a process that ends without MPI_Finalize lets the launcher end the others.
/// Errors: CommunicationError if this build has no MPI or MPI fails.
std::unique_ptr<Communicator> make_mpi_ranks();

}  // namespace warpfit
