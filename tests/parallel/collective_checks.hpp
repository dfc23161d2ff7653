// Checks of the functions of a Communicator, the same for all kinds of ranks.
#pragma once

#include "host/parallel/communicator.hpp"

namespace warpfit::test {

/// Collective. Sums in both orders, broadcasts from each rank and gathers messages, and compares the results
/// with plain loops. Throws std::runtime_error at the first difference.
void check_collectives(Communicator& ranks);

}  // namespace warpfit::test
