// Explains segmentation faults that the emulation causes on purpose.
#pragma once

namespace warpfit::emulation {

/// From now on a fault in the calling thread, or in a CUDA thread that it runs, is explained on stderr before
/// the program is killed. Does nothing under a sanitizer, which prints its own report.
void watch_faults();

}  // namespace warpfit::emulation
