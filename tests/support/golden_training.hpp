// A fixture for TEST_P over backends and PyTorch traces: repeats the training run of a trace.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <tuple>

#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"
#include "tests/support/golden.hpp"

namespace warpfit::test {

class GoldenTraining : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    require_backend(std::get<0>(GetParam()), backend_);
    if (backend_) require_fashion_mnist();
  }

  [[nodiscard]] static Golden golden() { return read_golden(std::get<1>(GetParam())); }

  void train(const Golden& golden, const TrainOptions& options, Report& report, TrainerHooks hooks = {}) {
    const auto paths = find_dataset(fashion_mnist_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    const auto spec = parse_network(golden.network);
    TorchGenerator generator(golden.seed);
    const auto plan = plan_network(spec);
    Network network(*backend_, plan, initial_parameters(plan, generator));
    Trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, report,
            std::move(hooks))
        .run();
  }

 private:
  std::unique_ptr<Backend> backend_;
};

inline std::string trace_name(const testing::TestParamInfo<std::tuple<std::string, std::string>>& info) {
  return std::get<0>(info.param) + "_" + std::get<1>(info.param);
}

}  // namespace warpfit::test
