// x[n][k] = the value of pixels[sample(n)][k], where sample(n) is order[first + n], or first + n without an
// order. Divisions are exactly rounded. If the values are only divided by 255, each thread converts four
// pixels at a time if rows begin at a multiple of four. Otherwise each thread computes the placement of its
// sample, and the byte of each of its values.
#include "cuda/device/kernel.cuh"
#include "cuda/device/reduce.cuh"
#include "cuda/device/vector.cuh"
#include "cuda/ops/pixels.hpp"
#include "cuda/runtime/launch.hpp"
#include "host/backend/pixel_transform_formula.hpp"

namespace warpfit::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kVector = 4;

__device__ float to_float(unsigned char pixel) { return static_cast<float>(pixel) / 255.0F; }

// Makes the batch that was just loaded the current one.
__device__ void step_on(Position& position, std::int64_t rows) {
  position.step = position.first_step + position.loaded;
  if (position.rates != nullptr) {
    position.rate = position.rates[position.loaded];
    position.negative_rate = -position.rate;
  }
  if (position.loss_divisors != nullptr) position.loss_divisor = position.loss_divisors[position.loaded];
  position.loaded += 1;
  position.sample += rows;
}

// The x threads process a row, the y blocks different rows.
__global__ void __launch_bounds__(kThreads)
    load_batch_kernel(Position* position, float* x, Label* labels, std::int64_t rows, std::int64_t cols) {
  const SampleView samples = position->samples;
  const std::int64_t first_visit = position->sample;
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  const bool in_fours =
      cols % kVector == 0 && reinterpret_cast<std::uintptr_t>(samples.pixels) % kVector == 0;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const std::int64_t sample = sample_index(samples, first_visit + row);
    const std::uint8_t* pixels = samples.pixels + sample * cols;
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
    if (first == 0) labels[row] = samples.labels[sample];
  }
  // Executed by the last block, when every block has read the position.
  if (is_last_block(&position->arrived) && threadIdx.x == 0) step_on(*position, rows);
}

// The values of the rows from visit `first` on.
__device__ void load_transformed(const PixelTransform& transform, const SampleView& samples,
                                 std::int64_t epoch, std::int64_t first_visit, float* x, std::int64_t rows,
                                 std::int64_t cols) {
  const std::int64_t first = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t stride = std::int64_t{gridDim.x} * kThreads;
  for (std::int64_t row = blockIdx.y; row < rows; row += gridDim.y) {
    const std::int64_t sample = sample_index(samples, first_visit + row);
    const std::uint8_t* pixels = samples.pixels + sample * cols;
    const Placement placement = placement_of(transform, epoch, sample_number(samples, sample));
    for (std::int64_t i = first; i < cols; i += stride)
      x[row * cols + i] = value_at(transform, placement, pixels, i);
  }
}

__global__ void __launch_bounds__(kThreads)
    load_transformed_kernel(PixelTransform transform, Position* position, float* x, Label* labels,
                            std::int64_t rows, std::int64_t cols) {
  const SampleView samples = position->samples;
  const std::int64_t first_visit = position->sample;
  load_transformed(transform, samples, position->epoch, first_visit, x, rows, cols);
  for (std::int64_t row = blockIdx.y; row < rows && blockIdx.x == 0 && threadIdx.x == 0; row += gridDim.y)
    labels[row] = samples.labels[sample_index(samples, first_visit + row)];
  // Executed by the last block, when every block has read the position.
  if (is_last_block(&position->arrived) && threadIdx.x == 0) step_on(*position, rows);
}

__global__ void __launch_bounds__(kThreads)
    load_again_kernel(PixelTransform transform, const Position* position, float* x, std::int64_t rows,
                      std::int64_t cols) {
  load_transformed(transform, position->samples, position->epoch, position->sample - rows, x, rows, cols);
}

}  // namespace

void load_batch(const PixelTransform& transform, Position* position, Matrix x, Labels labels,
                cudaStream_t stream) {
  const auto fours = (x.cols + kVector - 1) / kVector;
  if (transform.is_plain()) {
    launch_over(load_batch_kernel, x.rows, fours, kThreads, stream, position, x.data, labels.data(), x.rows,
                x.cols);
  } else {
    launch_over(load_transformed_kernel, x.rows, fours, kThreads, stream, transform, position, x.data,
                labels.data(), x.rows, x.cols);
  }
}

void load_again(const PixelTransform& transform, const Position* position, Matrix x, cudaStream_t stream) {
  launch_over(load_again_kernel, x.rows, (x.cols + kVector - 1) / kVector, kThreads, stream, transform,
              position, x.data, x.rows, x.cols);
}

}  // namespace warpfit::cuda
