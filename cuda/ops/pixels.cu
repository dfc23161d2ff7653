// x[n][k] = float(pixels[sample(n)][k]) / 255, where sample(n) is order[first + n], or first + n without an
// order. The division is exactly rounded. Each thread converts four pixels if rows begin at a multiple of
// four.
#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/device/vector.cuh"
#include "cuda/ops/pixels.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

__device__ std::int64_t sample_of(const Position& position, std::int64_t row) {
  const std::int64_t visit = position.sample + row;
  return position.samples.order == nullptr ? visit : position.samples.order[visit];
}

__device__ float to_float(unsigned char pixel) { return static_cast<float>(pixel) / 255.0F; }

// Makes the batch at `here`, which was just loaded, the current one.
__device__ void step_to(Position& position, const Position& here, std::int64_t rows) {
  position.sample = here.sample + rows;
  position.loaded = here.loaded + 1;
  position.step = here.first_step + here.loaded;
  if (here.rates == nullptr) return;
  position.rate = here.rates[here.loaded];
  position.negative_rate = -position.rate;
}

// The x threads process a row, the y blocks different rows.
__global__ void __launch_bounds__(kThreads)
    load_batch_kernel(Position* position, float* x, Label* labels, std::int64_t rows, std::int64_t cols) {
  const Position here = *position;
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const bool in_fours =
      cols % kVector == 0 && reinterpret_cast<std::uintptr_t>(here.samples.pixels) % kVector == 0;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const std::int64_t sample = sample_of(here, row);
    const std::uint8_t* pixels = here.samples.pixels + sample * cols;
    float* values = x + row * cols;
    if (in_fours && reinterpret_cast<std::uintptr_t>(x) % sizeof(float4) == 0) {
      for (std::int64_t i = first; i < cols / kVector; i += stride) {
        const uchar4 four = load_four(pixels, i);
        store_four(values, i,
                   make_float4(to_float(four.x), to_float(four.y), to_float(four.z), to_float(four.w)));
      }
    } else {
      for (std::int64_t i = first; i < cols; i += stride) values[i] = to_float(pixels[i]);
    }
    if (first == 0) labels[row] = here.samples.labels[sample];
  }
  // Executed by the last block, when every block has read its copy of the position.
  if (is_last_block(&position->arrived) && threadIdx.x == 0) step_to(*position, here, rows);
}

}  // namespace

void load_batch(Position* position, Matrix x, Labels labels, cudaStream_t stream) {
  launch_over(load_batch_kernel, x.rows, (x.cols + kVector - 1) / kVector, kThreads, stream, position, x.data,
              labels.data(), x.rows, x.cols);
}

}  // namespace warpfit::cuda
