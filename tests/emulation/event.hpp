// Events: the point in a stream, or in a capture, where each was last recorded.
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
  std::vector<int> nodes;            ///< of the capture
};

}  // namespace warpfit::emulation
