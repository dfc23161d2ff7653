// The backends that every test of an operation runs on.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit::test {

/// The names of all backends, for INSTANTIATE_TEST_SUITE_P.
std::vector<std::string> backend_names();

/// The same for tests of matrix products: the CUDA backend appears twice, once with this project's own
/// kernels and once with cuBLAS, each used for all shapes.
std::vector<std::string> gemm_backend_names();

/// Runs `operations` as the step of one batch; `run` gives the learning rate if they need one.
void run_once(Backend& backend, const std::function<void()>& operations, const BatchRun& run);

/// A BatchRun of one batch of `rows` rows with this learning rate and without sample indices.
BatchRun one_batch(std::int64_t rows, float rate = 0);

/// Names each instance of a parameterized test after its backend.
inline std::string backend_name(const testing::TestParamInfo<std::string>& info) { return info.param; }

/// For SetUp(): creates the backend. If this machine does not support it, the test is skipped with the
/// reason, or fails if WARPFIT_REQUIRE_CUDA is set.
void require_backend(const std::string& name, std::unique_ptr<Backend>& backend);

/// A fixture for TEST_P over backend_names().
class OnEachBackend : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { require_backend(GetParam(), backend_); }

  std::unique_ptr<Backend> backend_;
};

}  // namespace warpfit::test
