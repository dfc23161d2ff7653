#include "cuda/runtime/dnn_graph_library.hpp"

#include "cuda/runtime/dynamic_library.hpp"

namespace warpfit {

DnnGraphLibrary load_dnn_graph_library(const char* name) {
  const DynamicLibrary library(name, "cuDNN", "cuDNN 9");
  DnnGraphLibrary dnn{};
  library.find(dnn.get_version, "cudnnGetVersion");
  library.find(dnn.get_error_string, "cudnnGetErrorString");
  library.find(dnn.get_last_error_string, "cudnnGetLastErrorString");
  library.find(dnn.create, "cudnnCreate");
  library.find(dnn.destroy, "cudnnDestroy");
  library.find(dnn.set_stream, "cudnnSetStream");
  library.find(dnn.create_descriptor, "cudnnBackendCreateDescriptor");
  library.find(dnn.destroy_descriptor, "cudnnBackendDestroyDescriptor");
  library.find(dnn.set_attribute, "cudnnBackendSetAttribute");
  library.find(dnn.get_attribute, "cudnnBackendGetAttribute");
  library.find(dnn.finalize, "cudnnBackendFinalize");
  library.find(dnn.execute, "cudnnBackendExecute");
  return dnn;
}

}  // namespace warpfit
