#include "cuda/runtime/dnn_library.hpp"

#include "cuda/runtime/dynamic_library.hpp"

namespace warpfit {

DnnLibrary load_dnn_library(const char* name) {
  const DynamicLibrary library(name, "cuDNN", "cuDNN 9");
  DnnLibrary dnn{};
  library.find(dnn.get_version, "cudnnGetVersion");
  library.find(dnn.get_error_string, "cudnnGetErrorString");
  library.find(dnn.create, "cudnnCreate");
  library.find(dnn.destroy, "cudnnDestroy");
  library.find(dnn.set_stream, "cudnnSetStream");
  library.find(dnn.create_tensor_descriptor, "cudnnCreateTensorDescriptor");
  library.find(dnn.set_tensor4d_descriptor, "cudnnSetTensor4dDescriptor");
  library.find(dnn.destroy_tensor_descriptor, "cudnnDestroyTensorDescriptor");
  library.find(dnn.create_activation_descriptor, "cudnnCreateActivationDescriptor");
  library.find(dnn.set_activation_descriptor, "cudnnSetActivationDescriptor");
  library.find(dnn.destroy_activation_descriptor, "cudnnDestroyActivationDescriptor");
  library.find(dnn.activation_forward, "cudnnActivationForward");
  library.find(dnn.activation_backward, "cudnnActivationBackward");
  library.find(dnn.softmax_forward, "cudnnSoftmaxForward");
  library.find(dnn.softmax_backward, "cudnnSoftmaxBackward");
  return dnn;
}

}  // namespace warpfit
