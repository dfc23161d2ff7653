// For the emulated operation benchmark: uses the cuDNN functions of dnn_api.cpp instead of loading cuDNN.
#include "tests/cuda/dnn_library.hpp"

namespace warpfit {

DnnLibrary load_dnn_library(const char*) { return test::test_dnn_library(); }

}  // namespace warpfit
