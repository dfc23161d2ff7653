#include "cuda/muon_op.hpp"

#include <vector>

#include "cuda/ops/muon.hpp"
#include "cuda/runtime/blas.hpp"
#include "host/backend/buffer.hpp"
#include "host/backend/muon_formula.hpp"

namespace warpfit {
namespace {

class CudaMuonOp final : public MuonOp {
 public:
  CudaMuonOp(const OpContext& context, const Muon& muon, std::span<const MuonMatrix> matrices)
      : stream_(context.stream),
        rate_(&context.position->rate),
        blas_(context.stream,
              Precision::kBf16),  // no loss of precision: the operands are bf16 values
        muon_(muon),
        matrices_(matrices.begin(), matrices.end()),
        memory_(context.backend, MuonScratch::floats(matrices)),
        scratch_(memory_.data(), matrices),
        norm_(context.backend, std::vector<GradientNorm>(1)) {}

  void update(const MuonViews& views) override {
    views_ = views;
    for (const auto& matrix : matrices_) muon_step(muon_, matrix, scratch_, *this);
  }

  void begin(const MuonMatrix& matrix, Matrix u) {
    cuda::muon_begin(muon_, matrix, views_.gradients.data() + matrix.first,
                     views_.momentum.data() + matrix.first, u, stream_.get());
  }
  void normalize(Matrix u) { cuda::muon_normalize(muon_, u, norm_.data(), stream_.get()); }
  void multiply(ConstMatrix x, ConstMatrix y, Matrix z) { blas_.forward(x, y, z); }
  void multiply_plain(ConstMatrix x, ConstMatrix y, Matrix z) { blas_.backward_input(x, y, z); }
  void round(Matrix x) { cuda::muon_round(x, stream_.get()); }
  void add(float a, ConstMatrix x, float b, Matrix y) { cuda::muon_add(a, x, b, y, stream_.get()); }
  void end(const MuonMatrix& matrix, ConstMatrix u) {
    cuda::muon_end(muon_, matrix, u, rate_, views_.parameters.data() + matrix.first, stream_.get());
  }

 private:
  const Stream& stream_;
  const float* rate_;
  Blas blas_;
  Muon muon_;
  std::vector<MuonMatrix> matrices_;
  Buffer<float> memory_;
  MuonScratch scratch_;
  Buffer<GradientNorm> norm_;  // of u
  MuonViews views_;            // of the update
};

}  // namespace

std::unique_ptr<MuonOp> make_muon_op(const OpContext& context, const Muon& muon,
                                     std::span<const MuonMatrix> matrices) {
  return std::make_unique<CudaMuonOp>(context, muon, matrices);
}

}  // namespace warpfit
