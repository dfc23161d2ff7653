// The backends that every test of an operation runs on.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit::test {

/// The names of the backends of this build, for INSTANTIATE_TEST_SUITE_P.
std::vector<std::string> backend_names();

std::unique_ptr<Backend> make_test_backend(const std::string& name);

/// Runs `operations` as the step of one batch, with a learning rate where they need one.
void run_once(Backend& backend, const std::function<void()>& operations, const BatchRun& run);

/// A BatchRun of one batch of `rows` rows with this learning rate and no samples.
BatchRun one_batch(std::int64_t rows, float rate = 0);

/// A fixture for TEST_P over backend_names().
class OnEachBackend : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Backend> backend_ = make_test_backend(GetParam());
};

}  // namespace warpfit::test
