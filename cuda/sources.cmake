# The CUDA backend's sources but for library.cpp, for the library and for the tests, which compile them against an
# emulated runtime.
set(warpfit_cuda_sources
  batch_norm_op.cpp
  branches.cpp
  conv_op.cpp
  cuda_backend.cpp
  fused/fused_run.cu
  fused/fused_step.cpp
  fused/match_mlp.cpp
  fused/plan.cpp
  layer_ops.cpp
  muon_op.cpp
  ops/activation.cu
  ops/add.cu
  ops/averaging.cu
  ops/batch_norm.cu
  ops/bias_gradient.cu
  ops/dropout.cu
  ops/elementwise_loss.cu
  ops/gradient_clipping.cu
  ops/gradient_sum.cu
  ops/matmul.cu
  ops/muon.cu
  ops/optimizer.cu
  ops/pixels.cu
  ops/pool.cu
  ops/relu.cu
  ops/sgd.cu
  ops/softmax_cross_entropy.cu
  ops/transpose.cu
  position.cu
  products.cpp
  rank_sums.cpp
  recorded_step.cpp
  runtime/barrier_timeout.cpp
  runtime/blas.cpp
  runtime/check.cpp
  runtime/device.cpp
  runtime/dynamic_library.cpp
  runtime/graph.cpp
  runtime/kernel_code.cu
  runtime/memory.cpp
  runtime/parts.cpp
  runtime/profiler.cpp
  runtime/stream.cpp
  staging_slot.cpp)
# Loads cuBLAS; the emulation has its own.
set(warpfit_blas_library_source ${CMAKE_CURRENT_LIST_DIR}/runtime/blas_library.cpp)
# cuDNN: convolutions; a second opinion in the tests and a rival in the benchmark. Only where its header is: elsewhere
# convolutions fail.
find_path(WARPFIT_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS} DOC "Where cudnn.h is")
set(warpfit_dnn_sources "")
set(warpfit_dnn_graph_library_source "")  # loads cuDNN; the emulation has its own
set(warpfit_dnn_include "")
if(WARPFIT_CUDNN_INCLUDE)
  set(warpfit_dnn_include ${WARPFIT_CUDNN_INCLUDE})
  set(warpfit_dnn_sources runtime/dnn.cpp runtime/dnn_library.cpp)
  list(TRANSFORM warpfit_dnn_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
  set(warpfit_dnn_graph_library_source ${CMAKE_CURRENT_LIST_DIR}/runtime/dnn_graph_library.cpp)
  list(APPEND warpfit_cuda_sources runtime/dnn_descriptor.cpp runtime/dnn_engines.cpp runtime/dnn_graph.cpp)
else()
  list(APPEND warpfit_cuda_sources runtime/dnn_graph_absent.cpp)
endif()
# NCCL: sums over several GPUs. Elsewhere training on several GPUs fails.
find_path(WARPFIT_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS} DOC "Where nccl.h is")
set(warpfit_nccl_library_source "")  # loads NCCL; the emulation has its own
set(warpfit_nccl_include "")
if(WARPFIT_NCCL_INCLUDE)
  set(warpfit_nccl_include ${WARPFIT_NCCL_INCLUDE})
  set(warpfit_nccl_library_source ${CMAKE_CURRENT_LIST_DIR}/runtime/nccl_library.cpp)
  list(APPEND warpfit_cuda_sources runtime/nccl.cpp)
else()
  list(APPEND warpfit_cuda_sources runtime/nccl_absent.cpp)
endif()
list(TRANSFORM warpfit_cuda_sources PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
# The benchmark of single operations, below tools/bench.
set(warpfit_ops_bench_sources cuda_ops_bench.cpp graph_timer.cpp gemm_bench.cpp)
