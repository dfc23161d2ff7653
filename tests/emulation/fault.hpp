// Explains a segmentation fault that the emulation knows the reason of.
#pragma once

namespace warpfit::emulation {

/// From now on a fault in the calling thread, or in a CUDA thread that it runs, is explained on stderr before
/// the program dies of it. Does nothing under a sanitizer, which has a report of its own.
void watch_faults();

}  // namespace warpfit::emulation
