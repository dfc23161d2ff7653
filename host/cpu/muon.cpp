#include "host/cpu/muon.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <vector>

#include "host/backend/muon_formula.hpp"
#include "host/cpu/gradient_clipping.hpp"
#include "host/cpu/simd.hpp"

namespace warpfit::cpu {
namespace {

// Calls loop(i) for all elements below `size`, vectorized.
template <class Loop>
void for_each(ThreadPool& pool, std::int64_t size, const Loop& loop) {
  pool.split(size, kMinElements, [&](std::int64_t first, std::int64_t end) {
    vectorized([=] {
#pragma omp simd
      for (std::int64_t i = first; i < end; ++i) loop(i);
    });
  });
}

class CpuMuonOp final : public MuonOp {
 public:
  CpuMuonOp(ThreadPool& pool, Products& products, const BatchRun& run, const Muon& muon,
            std::span<const MuonMatrix> matrices)
      : pool_(pool),
        products_(products),
        run_(run),
        muon_(muon),
        matrices_(matrices.begin(), matrices.end()),
        no_bias_(static_cast<std::size_t>(MuonScratch::max_rows(matrices))),
        memory_(MuonScratch::floats(matrices)),
        scratch_(memory_.data(), matrices) {
    for (auto& factor : narrow_)
      factor.resize(in_bf16_ ? static_cast<std::size_t>(MuonScratch::largest(matrices)) : 0);
  }

  void update(const MuonViews& views) override {
    views_ = views;
    for (const auto& matrix : matrices_) muon_step(muon_, matrix, scratch_, *this);
  }

  void begin(const MuonMatrix& matrix, Matrix u) {
    const float* g = views_.gradients.data() + matrix.first;
    float* m = views_.momentum.data() + matrix.first;
    const MuonIndex index(matrix);
    pool_.split(matrix.rows, min_rows(matrix.cols), [=, this](std::int64_t first, std::int64_t end) {
      for (std::int64_t row = first; row < end; ++row) {
        for (std::int64_t col = 0; col < matrix.cols; ++col) {
          const std::int64_t i = row * matrix.cols + col;
          u.data[index.of(row, col)] = muon_direction(muon_, g[i], m[i]);
        }
      }
    });
  }

  void normalize(Matrix u) {
    clip_gradient_norm(pool_, std::numeric_limits<float>::infinity(), u.values(), norm_);
    for_each(pool_, u.size(), [data = u.data, muon = muon_, norm = norm_.norm](std::int64_t i) {
      data[i] = muon_normalized(muon, data[i], norm);
    });
  }

  void multiply(ConstMatrix x, ConstMatrix y, Matrix z) {
    if (!in_bf16_) {
      products_.forward(x, y, no_bias_, ActivationKind::kNone, z);
    } else {
      const auto narrow_x = narrowed(x, narrow_[0]);
      products_.forward(narrow_x, x.data == y.data ? narrow_x : narrowed(y, narrow_[1]), z);
    }
  }
  void multiply_plain(ConstMatrix x, ConstMatrix y, Matrix z) {
    if (!in_bf16_) {
      products_.backward_input(x, y, {}, ActivationKind::kNone, z);
    } else {
      products_.backward_input(narrowed(x, narrow_[0]), narrowed(y, narrow_[1]), z);
    }
  }
  void round(Matrix x) {
    for_each(pool_, x.size(), [data = x.data](std::int64_t i) { data[i] = bf16_rounded(data[i]); });
  }
  void add(float a, ConstMatrix x, float b, Matrix y) {
    for_each(pool_, y.size(),
             [=, from = x.data, to = y.data](std::int64_t i) { to[i] = muon_sum(a, from[i], b, to[i]); });
  }

  void end(const MuonMatrix& matrix, ConstMatrix u) {
    float* w = views_.parameters.data() + matrix.first;
    const auto constants = step_constants_of(muon_, run_.rate, matrix);
    const MuonIndex index(matrix);
    pool_.split(matrix.rows, min_rows(matrix.cols), [=](std::int64_t first, std::int64_t end) {
      for (std::int64_t row = first; row < end; ++row) {
        for (std::int64_t col = 0; col < matrix.cols; ++col) {
          float& one = w[row * matrix.cols + col];
          one = muon_stepped(constants, one, u.data[index.of(row, col)]);
        }
      }
    });
  }

 private:
  // The conversion is exact, because the matrix contains bf16 values.
  ConstBf16Matrix narrowed(ConstMatrix matrix, std::vector<Bf16>& to) {
    for_each(pool_, matrix.size(), [from = matrix.data, data = to.data()](std::int64_t i) {
      data[i] = static_cast<Bf16>(std::bit_cast<std::uint32_t>(from[i]) >> 16);
    });
    return {to.data(), matrix.rows, matrix.cols};
  }

  static std::int64_t min_rows(std::int64_t cols) { return std::max<std::int64_t>(1, kMinElements / cols); }

  ThreadPool& pool_;
  Products& products_;
  const BatchRun& run_;
  Muon muon_;
  std::vector<MuonMatrix> matrices_;
  std::vector<float> no_bias_;  // zeros
  std::vector<float> memory_;
  MuonScratch scratch_;
  const bool in_bf16_ = Matmul::has_bf16();
  std::array<std::vector<Bf16>, 2> narrow_;  // operands of a product
  GradientNorm norm_;                        // of u
  MuonViews views_;                          // of the update
};

}  // namespace

std::unique_ptr<MuonOp> make_muon_op(ThreadPool& pool, Products& products, const BatchRun& run,
                                     const Muon& muon, std::span<const MuonMatrix> matrices) {
  return std::make_unique<CpuMuonOp>(pool, products, run, muon, matrices);
}

}  // namespace warpfit::cpu
