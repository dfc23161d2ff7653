#pragma once

#include "cuda/runtime/dnn_library.hpp"

namespace warpfit::test {

/// Returns cuDNN, or its replacement in the emulated tests. Errors: as load_dnn_library.
DnnLibrary test_dnn_library();

}  // namespace warpfit::test
