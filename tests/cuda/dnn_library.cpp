#include "tests/cuda/dnn_library.hpp"

namespace warpfit::test {

DnnLibrary test_dnn_library() { return load_dnn_library(); }

}  // namespace warpfit::test
