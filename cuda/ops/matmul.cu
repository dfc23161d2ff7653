// Each product is c(i, j) = the sum over t of a(i, t) b(j, t) for two operands as they are stored in memory,
// followed by an operation on each sum. Bias gradients are computed as an additional column of the weight
// gradients, for an input of ones.
#include "cuda/device/kernel.cuh"
#include "cuda/device/tile_product.cuh"
#include "cuda/ops/matmul.hpp"
#include "cuda/runtime/launch.hpp"

namespace warpfit::cuda {
namespace {

struct Forward {
  const float* b;
  float* y;
  std::int64_t cols;
  bool relu;

  // A NaN stays a NaN, as in relu.cu.
  __device__ void operator()(int row, int col, float sum) const {
    const float value = sum + b[col];
    y[row * cols + col] = relu && value < 0.0F ? 0.0F : value;
  }
};

struct InputGradient {
  const float* x;  // null if nothing is masked
  float* dx;
  std::int64_t cols;

  __device__ void operator()(int row, int col, float sum) const {
    const std::int64_t at = row * cols + col;
    dx[at] = x == nullptr || x[at] > 0.0F ? sum : 0.0F;
  }
};

struct WeightGradient {
  const float* rate;  // null to compute the gradient itself
  float* w;
  float* b;
  std::int64_t cols;

  __device__ void operator()(int row, int col, float sum) const {
    float* to = col == cols ? b + row : w + row * cols + col;
    *to = rate == nullptr ? sum : *to - *rate * sum;
  }
};

template <int kTile, bool kAlongA, bool kAlongB, class Finish>
__global__ void __launch_bounds__(Tile<kTile>::kThreads, 2)
    matmul_kernel(Operand<kAlongA> a, Operand<kAlongB> b, int terms, Finish finish) {
  tile_product<kTile>(a, b, terms, finish);
}

template <int kTile, bool kAlongA, bool kAlongB, class Finish>
void launch_tiles(dim3 grid, const Operand<kAlongA>& a, const Operand<kAlongB>& b, int terms,
                  const Finish& finish, cudaStream_t stream) {
  launch(matmul_kernel<kTile, kAlongA, kAlongB, Finish>, {grid, Tile<kTile>::kThreads}, stream, a, b, terms,
         finish);
}

// Selects the largest tiles with which most multiprocessors have one. The number of multiprocessors is fixed,
// because the order of sums depends on the tile and all devices must give the same bits.
template <bool kAlongA, bool kAlongB, class Finish>
void multiply(const Operand<kAlongA>& a, const Operand<kAlongB>& b, std::int64_t terms, const Finish& finish,
              cudaStream_t stream) {
  constexpr unsigned kEnough = 128;
  const auto grid = [&](int tile) {
    const auto tiles = [&](int rows) { return static_cast<unsigned>((rows + tile - 1) / tile); };
    return dim3(tiles(b.rows + (b.ones ? 1 : 0)), tiles(a.rows));
  };
  const auto enough = [&](int tile) { return grid(tile).x * grid(tile).y >= kEnough; };
  const int count = static_cast<int>(terms);
  if (enough(64)) {
    launch_tiles<64>(grid(64), a, b, count, finish, stream);
  } else if (enough(32)) {
    launch_tiles<32>(grid(32), a, b, count, finish, stream);
  } else {
    launch_tiles<16>(grid(16), a, b, count, finish, stream);
  }
}

// A matrix whose rows are those of the operand, and one whose columns are.
Operand<true> rows_of(ConstMatrix m) { return {m.data, m.cols, static_cast<int>(m.rows)}; }
Operand<false> columns_of(ConstMatrix m) { return {m.data, m.cols, static_cast<int>(m.cols)}; }

void weight_gradient(ConstMatrix x, ConstMatrix dy, const float* rate, Matrix w, Vector b,
                     cudaStream_t stream) {
  auto inputs = columns_of(x);
  inputs.ones = true;
  multiply(columns_of(dy), inputs, x.rows, WeightGradient{rate, w.data, b.data(), w.cols}, stream);
}

}  // namespace

void matmul_forward(ConstMatrix x, ConstMatrix w, ConstVector b, ActivationKind activation, Matrix y,
                    cudaStream_t stream) {
  multiply(rows_of(x), rows_of(w), x.cols,
           Forward{b.data(), y.data, y.cols, activation == ActivationKind::kRelu}, stream);
}

void matmul_backward_input(ConstMatrix dy, ConstMatrix w, ConstMatrix x, ActivationKind activation, Matrix dx,
                           cudaStream_t stream) {
  const float* mask = activation == ActivationKind::kRelu ? x.data : nullptr;
  multiply(rows_of(dy), columns_of(w), dy.cols, InputGradient{mask, dx.data, dx.cols}, stream);
}

void matmul_backward_weights(ConstMatrix x, ConstMatrix dy, Matrix dw, Vector db, cudaStream_t stream) {
  weight_gradient(x, dy, nullptr, dw, db, stream);
}

void matmul_backward_sgd(ConstMatrix x, ConstMatrix dy, const float* rate, Matrix w, Vector b,
                         cudaStream_t stream) {
  weight_gradient(x, dy, rate, w, b, stream);
}

}  // namespace warpfit::cuda
