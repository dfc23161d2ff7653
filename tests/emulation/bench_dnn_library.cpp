// For the emulated operation benchmark: cuDNN's functions are those of dnn_api.cpp, and nothing is loaded.
#include "tests/cuda/dnn_library.hpp"

namespace warpfit {

DnnLibrary load_dnn_library(const char*) { return test::test_dnn_library(); }

}  // namespace warpfit
