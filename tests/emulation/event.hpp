// Events: the last point in a stream, or in a capture, that each was recorded at.
#pragma once

#include <memory>
#include <vector>

#include "tests/emulation/graph.hpp"
#include "tests/emulation/stream.hpp"

namespace warpfit::emulation {

struct Event {
  unsigned flags = 0;
  std::shared_ptr<Marker> marker;    ///< null before the first record
  std::shared_ptr<Capture> capture;  ///< set if the last record was captured
  std::vector<int> nodes;            ///< there
};

}  // namespace warpfit::emulation
