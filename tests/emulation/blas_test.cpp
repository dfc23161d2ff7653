// Matrix products compared with a loop in double precision; scalars in host and device memory; streams,
// graphs, misuse.
#include <bit>
#include <cmath>
#include <cstdint>
#include <random>

#include "tests/emulation/machine.hpp"
#include "tests/emulation/recording.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

using testing::HasSubstr;

class TestBlas {
 public:
  explicit TestBlas(cudaStream_t stream) {
    EXPECT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasSetStream(handle_, stream), CUBLAS_STATUS_SUCCESS);
  }
  ~TestBlas() { static_cast<void>(cublasDestroy(handle_)); }
  TestBlas(const TestBlas&) = delete;
  TestBlas& operator=(const TestBlas&) = delete;
  operator cublasHandle_t() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

/// A column-major matrix with `extra` rows of padding, which contain NaN.
struct HostMatrix {
  HostMatrix(int rows_, int columns_, int extra, std::mt19937& random)
      : rows(rows_), columns(columns_), leading(rows_ + extra) {
    std::uniform_real_distribution<float> uniform(-1, 1);
    values.assign(static_cast<std::size_t>(leading * columns), NAN);
    for (int c = 0; c < columns; ++c) {
      for (int r = 0; r < rows; ++r) at(r, c) = uniform(random);
    }
  }
  float& at(int r, int c) { return values[static_cast<std::size_t>(c * leading + r)]; }
  int rows, columns, leading;
  std::vector<float> values;
};

std::uint16_t bf16(float x) { return static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(x) >> 16); }
float from_bf16(std::uint16_t x) { return std::bit_cast<float>(static_cast<std::uint32_t>(x) << 16); }

class Blas : public InEachMode {
 protected:
  TestStream stream_;
  TestBlas blas_{stream_};
  std::mt19937 random_{7};
};

TEST_P(Blas, MultipliesEveryShapeAndTransposition) {
  for (const auto& [m, n, k] : {std::tuple{1, 1, 1}, {3, 5, 7}, {64, 10, 33}, {17, 128, 9}}) {
    for (int variant = 0; variant < 8; ++variant) {
      const bool turned_a = (variant & 1) != 0;
      const bool turned_b = (variant & 2) != 0;
      const int extra = (variant & 4) != 0 ? 3 : 0;
      HostMatrix a(turned_a ? k : m, turned_a ? m : k, extra, random_);
      HostMatrix b(turned_b ? n : k, turned_b ? k : n, extra, random_);
      HostMatrix c(m, n, extra, random_);
      const DeviceArray<float> device_a(a.values);
      const DeviceArray<float> device_b(b.values);
      const DeviceArray<float> device_c(c.values);
      float alpha = 1.5f;
      float beta = 0.5f;
      ASSERT_EQ(cublasSgemm(blas_, turned_a ? CUBLAS_OP_T : CUBLAS_OP_N, turned_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                            m, n, k, &alpha, device_a.get(), a.leading, device_b.get(), b.leading, &beta,
                            device_c.get(), c.leading),
                CUBLAS_STATUS_SUCCESS);
      alpha = beta = NAN;  // the call has already read them
      const auto got = device_c.values();
      for (int column = 0; column < n; ++column) {
        for (int row = 0; row < m; ++row) {
          double wanted = 0.5 * static_cast<double>(c.at(row, column));
          for (int i = 0; i < k; ++i) {
            wanted += 1.5 * static_cast<double>(turned_a ? a.at(i, row) : a.at(row, i)) *
                      static_cast<double>(turned_b ? b.at(column, i) : b.at(i, column));
          }
          ASSERT_NEAR(static_cast<double>(got[static_cast<std::size_t>(column * c.leading + row)]), wanted,
                      1e-5);
        }
        for (int pad = m; pad < c.leading; ++pad) {
          ASSERT_TRUE(std::isnan(got[static_cast<std::size_t>(column * c.leading + pad)]));
        }
      }
    }
  }
}

TEST_P(Blas, BetaOfZeroDoesNotReadC) {
  const DeviceArray<float> a(std::vector<float>{2.0f});
  const DeviceArray<float> c(1);  // NaN
  const float one = 1;
  const float zero = 0;
  ASSERT_EQ(
      cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.get(), 1, a.get(), 1, &zero, c.get(), 1),
      CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(c.value(), 4.0f);
  c.set({NAN});
  ASSERT_EQ(
      cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 0, &one, a.get(), 1, a.get(), 1, &zero, c.get(), 1),
      CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(c.value(), 0.0f);
}

TEST_P(Blas, DeviceScalarsAreReadWhenTheWorkRuns) {
  const DeviceArray<float> a(std::vector<float>{2.0f});
  const DeviceArray<float> c(1, 0.0f);
  const DeviceArray<float> alpha(1, 1.0f);
  const DeviceArray<float> zero(1, 0.0f);
  ASSERT_EQ(cublasSetPointerMode(blas_, CUBLAS_POINTER_MODE_DEVICE), CUBLAS_STATUS_SUCCESS);
  WARPFIT_CUDA(launch_scale(alpha.get(), 1, 3, stream_));
  const Recording graph(stream_, [&] {
    ASSERT_EQ(cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, alpha.get(), a.get(), 1, a.get(), 1,
                          zero.get(), c.get(), 1),
              CUBLAS_STATUS_SUCCESS);
  });
  EXPECT_EQ(graph.nodes(), 1u);
  WARPFIT_CUDA(graph.launch(stream_));
  EXPECT_EQ(c.value(), 12.0f);
  alpha.set({5.0f});  // changed between replays
  WARPFIT_CUDA(graph.launch(stream_));
  EXPECT_EQ(c.value(), 20.0f);
}

TEST_P(Blas, Bf16InputsAreSummedInFp32) {
  constexpr int kDepth = 300;
  std::vector<std::uint16_t> a(kDepth);
  std::vector<std::uint16_t> b(kDepth);
  std::uniform_real_distribution<float> uniform(-1, 1);
  double wanted = 0;
  for (std::size_t i = 0; i < kDepth; ++i) {
    a[i] = bf16(uniform(random_));
    b[i] = bf16(uniform(random_));
    wanted += static_cast<double>(from_bf16(a[i])) * static_cast<double>(from_bf16(b[i]));
  }
  const DeviceArray<std::uint16_t> device_a(a);
  const DeviceArray<std::uint16_t> device_b(b);
  const DeviceArray<float> wide(1);
  const DeviceArray<std::uint16_t> narrow(1);
  const float one = 1;
  const float zero = 0;
  const auto multiply = [&](void* c, cudaDataType type) {
    return cublasGemmEx(blas_, CUBLAS_OP_T, CUBLAS_OP_N, 1, 1, kDepth, &one, device_a.get(), CUDA_R_16BF,
                        kDepth, device_b.get(), CUDA_R_16BF, kDepth, &zero, c, type, 1, CUBLAS_COMPUTE_32F,
                        CUBLAS_GEMM_DEFAULT);
  };
  ASSERT_EQ(multiply(wide.get(), CUDA_R_32F), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(multiply(narrow.get(), CUDA_R_16BF), CUBLAS_STATUS_SUCCESS);
  EXPECT_NEAR(static_cast<double>(wide.value()), wanted, 1e-5);
  EXPECT_NEAR(static_cast<double>(from_bf16(narrow.value())), wanted, std::abs(wanted) / 256 + 1e-5);
}

TEST_P(Blas, Tf32RoundsItsInputsWhenAsked) {
  const DeviceArray<float> a(std::vector<float>{1.0f + 1.0f / 4096});  // 12 fraction bits; TF32 has 10
  const DeviceArray<float> b(std::vector<float>{1.0f});
  const DeviceArray<float> c(1);
  const float one = 1;
  const float zero = 0;
  const auto product = [&](cublasComputeType_t compute) {
    EXPECT_EQ(cublasGemmEx(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.get(), CUDA_R_32F, 1, b.get(),
                           CUDA_R_32F, 1, &zero, c.get(), CUDA_R_32F, 1, compute, CUBLAS_GEMM_DEFAULT),
              CUBLAS_STATUS_SUCCESS);
    return c.value();
  };
  EXPECT_EQ(product(CUBLAS_COMPUTE_32F), 1.0f + 1.0f / 4096);
  EXPECT_EQ(product(CUBLAS_COMPUTE_32F_FAST_TF32), 1.0f);
  ASSERT_EQ(cublasSetMathMode(blas_, CUBLAS_TF32_TENSOR_OP_MATH), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(CUBLAS_COMPUTE_32F), 1.0f);
  EXPECT_EQ(product(CUBLAS_COMPUTE_32F_PEDANTIC), 1.0f + 1.0f / 4096);
}

TEST_P(Blas, TheWorkspaceIsOverwritten) {
  const DeviceArray<float> workspace(100, 1.0f);
  const DeviceArray<float> a(1, 1.0f);
  const DeviceArray<float> c(1);
  const float one = 1;
  const float zero = 0;
  const auto multiply = [&] {
    ASSERT_EQ(cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a.get(), 1, a.get(), 1, &zero,
                          c.get(), 1),
              CUBLAS_STATUS_SUCCESS);
  };
  ASSERT_EQ(cublasSetWorkspace(blas_, workspace.get(), workspace.bytes()), CUBLAS_STATUS_SUCCESS);
  multiply();
  EXPECT_TRUE(std::isnan(workspace.value()));
  workspace.set(std::vector<float>(100, 1.0f));
  ASSERT_EQ(cublasSetStream(blas_, stream_), CUBLAS_STATUS_SUCCESS);  // resets the workspace
  multiply();
  EXPECT_EQ(workspace.value(), 1.0f);
  EXPECT_EQ(cublasSetWorkspace(blas_, workspace.get() + 1, 4), CUBLAS_STATUS_INVALID_VALUE);
}

INSTANTIATE_TEST_SUITE_P(Each, Blas, each_mode(), mode_name);

class BlasMisuse : public OnMachine {
 protected:
  cublasStatus_t multiply(const float* a, const float* b, float* c, int m, int n, int k, int leading) {
    return cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &one_, a, leading, b, leading, &zero_, c,
                       leading);
  }
  float one_ = 1;
  float zero_ = 0;
  TestStream stream_;
  TestBlas blas_{stream_};
  DeviceArray<float> a_{16, 1.0f};
  DeviceArray<float> b_{16, 1.0f};
  DeviceArray<float> c_{16, 1.0f};
};

TEST_F(BlasMisuse, WrongArgumentsAreRefused) {
  EXPECT_EQ(multiply(a_.get(), b_.get(), c_.get(), 4, 4, 4, 4), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(multiply(a_.get(), b_.get(), c_.get(), 4, 4, 4, 3), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(multiply(a_.get(), b_.get(), c_.get(), -1, 4, 4, 4), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(multiply(nullptr, nullptr, nullptr, 0, 4, 4, 4), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasSgemm(nullptr, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one_, a_.get(), 1, b_.get(), 1, &zero_,
                        c_.get(), 1),
            CUBLAS_STATUS_NOT_INITIALIZED);
  EXPECT_EQ(
      cublasGemmEx(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one_, a_.get(), CUDA_R_64F, 1, b_.get(),
                   CUDA_R_64F, 1, &zero_, c_.get(), CUDA_R_64F, 1, CUBLAS_COMPUTE_64F, CUBLAS_GEMM_DEFAULT),
      CUBLAS_STATUS_NOT_SUPPORTED);
}

TEST_F(BlasMisuse, MatricesLieInDeviceMemoryWhole) {
  std::vector<float> host(16);
  EXPECT_THAT(failure_of([&] { multiply(host.data(), b_.get(), c_.get(), 4, 4, 4, 4); }),
              HasSubstr("matrix product: A points in no memory of CUDA's"));
  EXPECT_THAT(failure_of([&] { multiply(a_.get(), b_.get() + 1, c_.get(), 4, 4, 4, 4); }),
              HasSubstr("B takes 64 bytes (4 x 4, leading dimension 4) and begins at byte 4 of 64 bytes"));
  EXPECT_THAT(failure_of([&] { multiply(a_.get(), b_.get(), c_.get(), 4, 4, 4, 5); }),
              HasSubstr("A takes 76 bytes"));
  EXPECT_THAT(failure_of([&] { multiply(a_.get(), b_.get(), b_.get(), 4, 4, 4, 4); }),
              HasSubstr("C overlaps B"));
}

TEST_F(BlasMisuse, ScalarsLieWhereThePointerModeSays) {
  EXPECT_THAT(failure_of([&] {
                cublasSgemm(blas_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, a_.get(), a_.get(), 1, b_.get(), 1,
                            &zero_, c_.get(), 1);
              }),
              HasSubstr("the handle's pointer mode is host"));
  ASSERT_EQ(cublasSetPointerMode(blas_, CUBLAS_POINTER_MODE_DEVICE), CUBLAS_STATUS_SUCCESS);
  EXPECT_THAT(failure_of([&] { multiply(a_.get(), b_.get(), c_.get(), 4, 4, 4, 4); }),
              HasSubstr("matrix product: alpha points in no memory of CUDA's"));
}

TEST_F(BlasMisuse, GoneHandlesAndWorkspaces) {
  cublasHandle_t handle = nullptr;
  ASSERT_EQ(cublasCreate(&handle), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cublasDestroy(handle), CUBLAS_STATUS_SUCCESS);
  EXPECT_THAT(failure_of([&] { cublasSetStream(handle, stream_); }),
              HasSubstr("a cuBLAS handle is used after it was destroyed"));
  std::vector<char> host(512);
  void* aligned = host.data();
  std::size_t space = host.size();
  EXPECT_THAT(failure_of([&] { cublasSetWorkspace(blas_, std::align(256, 1, aligned, space), 1); }),
              HasSubstr("cublasSetWorkspace: 1 bytes from in no memory"));
}

}  // namespace
}  // namespace warpfit::emulation::test
