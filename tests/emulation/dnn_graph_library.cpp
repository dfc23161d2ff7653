// Replaces cuda/runtime/dnn_graph_library.cpp: provides the functions of dnn_graph_api.cpp.
#include "cuda/runtime/dnn_graph_library.hpp"

namespace warpfit {

DnnGraphLibrary load_dnn_graph_library(const char*) {
  return {cudnnGetVersion,
          cudnnGetErrorString,
          cudnnGetLastErrorString,
          cudnnCreate,
          cudnnDestroy,
          cudnnSetStream,
          cudnnBackendCreateDescriptor,
          cudnnBackendDestroyDescriptor,
          cudnnBackendSetAttribute,
          cudnnBackendGetAttribute,
          cudnnBackendFinalize,
          cudnnBackendExecute};
}

}  // namespace warpfit
