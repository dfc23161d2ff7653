// One of several readers that an input goes through: one that refuses it leaves it to the others.
#pragma once

#include "host/base/error.hpp"

namespace warpfit::fuzz {

/// Calls `read`. Errors that malformed input may cause end it; InternalError does not stay here.
template <class Read>
void try_read(Read read) {
  try {
    read();
  } catch (const Error& error) {
    if (error.code() == ExitCode::kInternal) throw;
  }
}

}  // namespace warpfit::fuzz
