// The functions of cuDNN, loaded when they are first needed: warpfit itself does not need cuDNN.
#pragma once

#include <cudnn.h>

namespace warpfit {

/// The functions that are called; each member is the function with the same name.
struct DnnLibrary {
  decltype(&cudnnGetVersion) get_version;
  decltype(&cudnnGetErrorString) get_error_string;
  decltype(&cudnnCreate) create;
  decltype(&cudnnDestroy) destroy;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnCreateTensorDescriptor) create_tensor_descriptor;
  decltype(&cudnnSetTensor4dDescriptor) set_tensor4d_descriptor;
  decltype(&cudnnDestroyTensorDescriptor) destroy_tensor_descriptor;
  decltype(&cudnnCreateActivationDescriptor) create_activation_descriptor;
  decltype(&cudnnSetActivationDescriptor) set_activation_descriptor;
  decltype(&cudnnDestroyActivationDescriptor) destroy_activation_descriptor;
  decltype(&cudnnActivationForward) activation_forward;
  decltype(&cudnnActivationBackward) activation_backward;
  decltype(&cudnnSoftmaxForward) softmax_forward;
  decltype(&cudnnSoftmaxBackward) softmax_backward;
};

/// Loads the library, which stays loaded. Errors: DeviceError if it does not exist or is not cuDNN 9.
DnnLibrary load_dnn_library(const char* name = "libcudnn.so.9");

}  // namespace warpfit
