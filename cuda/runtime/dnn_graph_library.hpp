// The functions of cuDNN's graph API (its header calls it the backend API), loaded when a convolution first
// needs them.
#pragma once

#include <cudnn_graph.h>

namespace warpfit {

/// The functions that are called; each member is the function with the same name.
struct DnnGraphLibrary {
  decltype(&cudnnGetVersion) get_version;
  decltype(&cudnnGetErrorString) get_error_string;
  decltype(&cudnnGetLastErrorString) get_last_error_string;
  decltype(&cudnnCreate) create;
  decltype(&cudnnDestroy) destroy;
  decltype(&cudnnSetStream) set_stream;
  decltype(&cudnnBackendCreateDescriptor) create_descriptor;
  decltype(&cudnnBackendDestroyDescriptor) destroy_descriptor;
  decltype(&cudnnBackendSetAttribute) set_attribute;
  decltype(&cudnnBackendGetAttribute) get_attribute;
  decltype(&cudnnBackendFinalize) finalize;
  decltype(&cudnnBackendExecute) execute;
};

/// Loads the library, which stays loaded. Errors: DeviceError if it does not exist or is not cuDNN 9.
DnnGraphLibrary load_dnn_graph_library(const char* name = "libcudnn.so.9");

}  // namespace warpfit
