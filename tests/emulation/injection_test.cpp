// The error paths of a backend: no device, no driver, failed allocations, and an error from any call.
#include "tests/emulation/machine.hpp"
#include "tests/emulation/test_kernels.hpp"

namespace warpfit::emulation::test {
namespace {

class Injection : public OnMachine {
 protected:
  static void machine(const std::string& text) {
    Config config = parse_config(text);
    config.on_failure = Config::OnFailure::kThrow;
    configure(config);
  }
};

TEST_F(Injection, WithoutADriverTheCountStaysAsItWas) {
  for (const int error : {34, 35, 100}) {
    machine("device_error=" + std::to_string(error));
    int count = 77;
    EXPECT_EQ(cudaGetDeviceCount(&count), error);
    EXPECT_EQ(count, 77);
    EXPECT_EQ(cudaGetLastError(), error);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
    void* memory = nullptr;
    cudaStream_t stream = nullptr;
    cublasHandle_t blas = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, 4), error);
    EXPECT_EQ(cudaMallocHost(&memory, 4), error);
    EXPECT_EQ(cudaSetDevice(0), error);
    EXPECT_EQ(cudaStreamCreate(&stream), error);
    EXPECT_EQ(cublasCreate(&blas), CUBLAS_STATUS_NOT_INITIALIZED);
  }
}

TEST_F(Injection, WithoutADevice) {
  machine("devices=0");
  int count = 77;
  EXPECT_EQ(cudaGetDeviceCount(&count), cudaErrorNoDevice);
  EXPECT_EQ(count, 0);
  EXPECT_EQ(cudaSetDevice(0), cudaErrorNoDevice);
}

TEST_F(Injection, DevicesAreCountedFromZero) {
  machine("devices=2,memory=16M,multiprocessors=7");
  int count = 0;
  WARPFIT_CUDA(cudaGetDeviceCount(&count));
  EXPECT_EQ(count, 2);
  WARPFIT_CUDA(cudaSetDevice(1));
  EXPECT_EQ(cudaSetDevice(2), cudaErrorInvalidDevice);
  EXPECT_EQ(cudaSetDevice(-1), cudaErrorInvalidDevice);
  WARPFIT_CUDA(cudaGetDevice(&count));
  EXPECT_EQ(count, 1);
  WARPFIT_CUDA(cudaSetDevice(0));
  cudaDeviceProp properties{};
  WARPFIT_CUDA(cudaGetDeviceProperties(&properties, 0));
  EXPECT_EQ(properties.totalGlobalMem, 16u << 20);
  EXPECT_EQ(properties.multiProcessorCount, 7);
  int value = 0;
  WARPFIT_CUDA(cudaDeviceGetAttribute(&value, cudaDevAttrMultiProcessorCount, 0));
  EXPECT_EQ(value, 7);
  WARPFIT_CUDA(cudaRuntimeGetVersion(&value));
  EXPECT_EQ(value, CUDART_VERSION);
}

TEST_F(Injection, TheNthCallOfAFunctionFails) {
  machine("fail=cudaMalloc@2:2");
  void* first = nullptr;
  void* second = nullptr;
  WARPFIT_CUDA(cudaMalloc(&first, 4));
  EXPECT_EQ(cudaMalloc(&second, 4), cudaErrorMemoryAllocation);
  EXPECT_EQ(second, nullptr);
  EXPECT_EQ(cudaPeekAtLastError(), cudaErrorMemoryAllocation);
  EXPECT_EQ(cudaGetLastError(), cudaErrorMemoryAllocation);
  WARPFIT_CUDA(cudaMalloc(&second, 4));
  WARPFIT_CUDA(cudaFree(first));
  WARPFIT_CUDA(cudaFree(second));
}

TEST_F(Injection, TheNthCallOfAnyFails) {
  machine("fail=3:801");
  int value = 0;
  EXPECT_EQ(cudaGetDevice(&value), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&value), cudaSuccess);
  EXPECT_EQ(cudaGetDevice(&value), cudaErrorNotSupported);
  EXPECT_EQ(cudaGetDevice(&value), cudaSuccess);
}

TEST_F(Injection, AFaultOfTheDeviceStaysUntilAReset) {
  machine("fail=cudaStreamSynchronize@1:700");
  EXPECT_EQ(cudaStreamSynchronize(nullptr), cudaErrorIllegalAddress);
  void* memory = nullptr;
  EXPECT_EQ(cudaMalloc(&memory, 4), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  EXPECT_EQ(cudaGetLastError(), cudaErrorIllegalAddress);
  WARPFIT_CUDA(cudaDeviceReset());
  WARPFIT_CUDA(cudaMalloc(&memory, 4));
  WARPFIT_CUDA(cudaFree(memory));
  WARPFIT_CUDA(cudaStreamSynchronize(nullptr));
}

TEST_F(Injection, LaunchesFail) {
  machine("fail=cudaLaunchKernelEx@1:701");
  const DeviceArray<float> x(1, 1.0f);
  EXPECT_EQ(launch_scale(x.get(), 1, 2, nullptr), cudaErrorLaunchOutOfResources);
  EXPECT_EQ(x.value(), 1.0f);
}

TEST_F(Injection, MatrixProductsFail) {
  machine("fail=cublasSgemm_v2@1:13");
  const DeviceArray<float> y(1, 1.0f);
  const DeviceArray<float> z(1);
  cublasHandle_t blas = nullptr;
  ASSERT_EQ(cublasCreate(&blas), CUBLAS_STATUS_SUCCESS);
  const float one = 1;
  const auto multiply = [&] {
    return cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, y.get(), 1, y.get(), 1, &one, z.get(),
                       1);
  };
  EXPECT_EQ(multiply(), CUBLAS_STATUS_EXECUTION_FAILED);
  EXPECT_EQ(multiply(), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cublasDestroy(blas), CUBLAS_STATUS_SUCCESS);
}

TEST_F(Injection, ErrorsHaveNamesAndTexts) {
  EXPECT_STREQ(cudaGetErrorName(cudaErrorInsufficientDriver), "cudaErrorInsufficientDriver");
  EXPECT_STREQ(cudaGetErrorString(cudaErrorMemoryAllocation), "out of memory");
  EXPECT_STREQ(cudaGetErrorName(static_cast<cudaError_t>(12345)), "unrecognized error code");
  EXPECT_STREQ(cublasGetStatusString(CUBLAS_STATUS_SUCCESS), "the operation completed successfully");
}

TEST_F(Injection, LaunchesHaveLimits) {
  const DeviceArray<float> x(1, 1.0f);
  EXPECT_EQ(launch_shape(x.get(), {1}, {1024}), cudaSuccess);
  EXPECT_EQ(launch_shape(x.get(), {1}, {1025}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_shape(x.get(), {1}, {1, 1, 65}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_shape(x.get(), {1}, {0}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_shape(x.get(), {0}, {1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_shape(x.get(), {1, 65536}, {1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch_shape(x.get(), {1, 1, 65536}, {1}), cudaErrorInvalidConfiguration);
}

TEST_F(Injection, ACooperativeGridMustFitTheDevice) {
  machine("multiprocessors=2");  // enough for 32 blocks of 64 threads on each
  const DeviceArray<float> x(65);
  const DeviceArray<float> out(65);
  const DeviceArray<unsigned> counter(1, 0u);
  EXPECT_EQ(launch_grid_barrier(x.get(), out.get(), counter.get(), 65, Wait::kAtomicSleep, true, nullptr),
            cudaErrorCooperativeLaunchTooLarge);
  if (!kThreadSanitizer) {  // it cannot track 4096 threads at once
    EXPECT_EQ(launch_grid_barrier(x.get(), out.get(), counter.get(), 64, Wait::kAtomicSleep, true, nullptr),
              cudaSuccess);
    EXPECT_EQ(out.value(), 64.0f);
  }
}

class ConfigText : public testing::Test {};

TEST_F(ConfigText, SpellsEveryField) {
  const Config c = parse_config(
      "order=random,streams=lazy,failure=throw,seed=3,memory=64M,pinned=0,devices=4,device_error=35,"
      "multiprocessors=9,fail=cudaFree@5:46,trap=1");
  EXPECT_EQ(c.order, Config::Order::kRandom);
  EXPECT_EQ(c.streams, Config::Streams::kLazy);
  EXPECT_EQ(c.on_failure, Config::OnFailure::kThrow);
  EXPECT_EQ(c.seed, 3u);
  EXPECT_EQ(c.device_memory, 64u << 20);
  EXPECT_EQ(c.pinned_memory, 0u);
  EXPECT_EQ(c.devices, 4);
  EXPECT_EQ(c.device_error, 35);
  EXPECT_EQ(c.multiprocessors, 9);
  EXPECT_EQ(c.fail_function, "cudaFree");
  EXPECT_EQ(c.fail_at, 5);
  EXPECT_EQ(c.fail_error, 46);
  EXPECT_TRUE(c.trap_host_access);
  EXPECT_EQ(parse_config("").seed, Config().seed);
}

TEST_F(ConfigText, RefusesWhatItDoesNotKnow) {
  for (const char* text :
       {"order=sideways", "order", "seed=", "seed=3x", "memory=-1", "speed=1", "fail=3", "seed=1,,"}) {
    EXPECT_THROW(static_cast<void>(parse_config(text)), std::invalid_argument) << text;
  }
}

}  // namespace
}  // namespace warpfit::emulation::test
