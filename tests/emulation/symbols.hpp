// The names of kernels, for messages.
#pragma once

namespace warpfit::emulation {

/// The name of the function at `address`, including static ones; "?" if its file has no symbol table.
const char* kernel_name(const void* address);

}  // namespace warpfit::emulation
