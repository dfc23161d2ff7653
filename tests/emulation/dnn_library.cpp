// Replaces tests/cuda/dnn_library.cpp: provides the functions of dnn_api.cpp.
#include "tests/cuda/dnn_library.hpp"

namespace warpfit::test {

DnnLibrary test_dnn_library() {
  return {cudnnGetVersion,
          cudnnGetErrorString,
          cudnnCreate,
          cudnnDestroy,
          cudnnSetStream,
          cudnnCreateTensorDescriptor,
          cudnnSetTensor4dDescriptor,
          cudnnDestroyTensorDescriptor,
          cudnnCreateActivationDescriptor,
          cudnnSetActivationDescriptor,
          cudnnDestroyActivationDescriptor,
          cudnnActivationForward,
          cudnnActivationBackward,
          cudnnSoftmaxForward,
          cudnnSoftmaxBackward};
}

}  // namespace warpfit::test
