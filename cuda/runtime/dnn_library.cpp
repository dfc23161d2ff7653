#include "cuda/runtime/dnn_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include "host/base/error.hpp"

namespace warpfit {

DnnLibrary load_dnn_library(const char* name) {
  void* library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw DeviceError(fmt::format("loading cuDNN: {}", dlerror()));
  const auto find = [&](auto& function, const char* symbol) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    if (function != nullptr) return;
    dlclose(library);
    throw DeviceError(fmt::format("loading cuDNN: {} has no {}; cuDNN 9 is needed", name, symbol));
  };
  DnnLibrary dnn{};
  find(dnn.get_version, "cudnnGetVersion");
  find(dnn.get_error_string, "cudnnGetErrorString");
  find(dnn.create, "cudnnCreate");
  find(dnn.destroy, "cudnnDestroy");
  find(dnn.set_stream, "cudnnSetStream");
  find(dnn.create_tensor_descriptor, "cudnnCreateTensorDescriptor");
  find(dnn.set_tensor4d_descriptor, "cudnnSetTensor4dDescriptor");
  find(dnn.destroy_tensor_descriptor, "cudnnDestroyTensorDescriptor");
  find(dnn.create_activation_descriptor, "cudnnCreateActivationDescriptor");
  find(dnn.set_activation_descriptor, "cudnnSetActivationDescriptor");
  find(dnn.destroy_activation_descriptor, "cudnnDestroyActivationDescriptor");
  find(dnn.activation_forward, "cudnnActivationForward");
  find(dnn.activation_backward, "cudnnActivationBackward");
  find(dnn.softmax_forward, "cudnnSoftmaxForward");
  find(dnn.softmax_backward, "cudnnSoftmaxBackward");
  return dnn;
}

}  // namespace warpfit
