#include "cuda/device/kernel.cuh"
#include "cuda/position.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit {
namespace {

// Passed by value: the launch copies it, so no host memory has to outlive the call.
__global__ void set_position_kernel(Position* position, Position value) { *position = value; }

}  // namespace

void set_position(Position* position, const Position& value, cudaStream_t stream) {
  launch(set_position_kernel, {1, 1}, stream, position, value);
}

}  // namespace warpfit
