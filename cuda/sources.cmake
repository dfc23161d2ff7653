# The CUDA backend's sources, for the library and for the tests, which compile them against an emulated runtime.
set(warpfit_cuda_sources
  cuda_backend.cpp
  library.cpp
  ops/bias_gradient.cu
  ops/pixels.cu
  ops/relu.cu
  ops/sgd.cu
  ops/softmax_cross_entropy.cu
  position.cu
  recorded_step.cpp
  runtime/blas.cpp
  runtime/check.cpp
  runtime/device.cpp
  runtime/graph.cpp
  runtime/memory.cpp
  runtime/profiler.cpp
  runtime/stream.cpp
  staging_slot.cpp)
list(TRANSFORM warpfit_cuda_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
