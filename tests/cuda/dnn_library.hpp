#pragma once

#include "cuda/runtime/dnn_library.hpp"

namespace warpfit::test {

/// cuDNN, or in the emulated tests what stands for it. Errors: as load_dnn_library.
DnnLibrary test_dnn_library();

}  // namespace warpfit::test
