#include "tests/support/backends.hpp"

#include <cstdlib>

#include "host/base/error.hpp"
#include "host/cli/device_options.hpp"
#include "host/run/make_backend.hpp"
#include "tests/support/checked_backend.hpp"

namespace warpfit::test {

namespace {

BackendOptions options_of(const std::string& name) {
  BackendOptions options;
  options.device = parse_device(name.substr(0, name.find('_')));
  if (name.ends_with("_own")) options.products = ProductKernels::kOwn;
  if (name.ends_with("_blas")) options.products = ProductKernels::kBlas;
  return options;
}

}  // namespace

std::vector<std::string> backend_names() { return {"cpu", "cuda"}; }
std::vector<std::string> gemm_backend_names() { return {"cpu", "cuda_own", "cuda_blas"}; }

void require_backend(const std::string& name, std::unique_ptr<Backend>& backend) {
  try {
    backend = std::make_unique<CheckedBackend>(make_backend(options_of(name)));
  } catch (const DeviceError& error) {
    if (std::getenv("WARPFIT_REQUIRE_CUDA") != nullptr) FAIL() << error.what();
    GTEST_SKIP() << error.what();
  }
}

void run_once(Backend& backend, const std::function<void()>& operations, const BatchRun& run) {
  backend.record(operations)->run(run);
}

BatchRun one_batch(std::int64_t rows, float rate) { return {{}, 0, 1, rows, rate}; }

}  // namespace warpfit::test
