// The first steps of networks that are lists of layers compared with PyTorch in double precision: as close as
// PyTorch's own runs in single precision, up to a factor of 3.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"
#include "tests/support/losses.hpp"
#include "tests/support/reference.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

double farthest(const Doubles& a, const Doubles& b, std::size_t count) {
  double distance = 0;
  for (std::size_t i = 0; i < count; ++i) distance = std::max(distance, std::abs(a.at(i) - b.at(i)));
  return distance;
}

class NetworkTrace : public testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  void SetUp() override {
    if (kThreadSanitizer && std::get<0>(GetParam()) != "cpu")
      GTEST_SKIP() << "takes minutes; FirstSteps and LayerGradients run these kernels";
    require_backend(std::get<0>(GetParam()), backend_);
    if (backend_) require_fashion_mnist();
    std::ifstream file(source_folder() / "tests/goldens/networks" / (std::get<1>(GetParam()) + ".json"));
    golden_ = nlohmann::json::parse(file);
  }

  // No farther than three times the distance of PyTorch's single precision from its double precision.
  void expect_close(const Doubles& values, const std::vector<std::string>& path, std::size_t count) const {
    const auto at = [&](nlohmann::json run) {
      for (const auto& key : path) run = run.at(key);
      return run.get<Doubles>();
    };
    const auto exact = at(golden_.at("float64"));
    double allowed = 0;
    for (const auto& run : golden_.at("float32"))
      allowed = std::max(allowed, farthest(at(run), exact, count));
    ASSERT_GT(allowed, 0);
    EXPECT_LE(farthest(values, exact, count), 3 * allowed) << path.back();
  }

  std::unique_ptr<Backend> backend_;
  nlohmann::json golden_;
};

TEST_P(NetworkTrace, IsAsCloseToDoublePrecisionAsPyTorch) {
  const bool is_slow = kThreadSanitizer || backend_->description().find("Emulated") != std::string::npos;
  const auto steps = is_slow ? 10U : golden_.at("float64").at("losses").size();
  const auto paths = find_dataset(fashion_mnist_folder().string(), {});
  const Dataset training_set(paths.train_images, paths.train_labels);
  const Dataset test_set(paths.test_images, paths.test_labels);
  const TrainOptions options{
      .epochs = 1, .batch_size = golden_.at("batch_size"), .learning_rate = golden_.at("lr"), .log_every = 1};
  const auto plan = plan_network(parse_network(golden_.at("text").get<std::string>()),
                                 shape_of(training_set.sample_shape()));
  TorchGenerator generator(golden_.at("seed").get<std::uint64_t>());
  Network network(*backend_, plan, initial_parameters(plan, generator));
  const auto samples = static_cast<std::int64_t>(steps) * options.batch_size;
  Losses losses;
  Trainer(*backend_, network, {{training_set, 0, samples}, std::nullopt, {test_set, 0, 100}}, options,
          generator, losses)
      .run();
  ASSERT_EQ(losses.values.size(), steps);
  expect_close({losses.values.begin(), losses.values.end()}, {"losses"}, steps);
  if (is_slow) return;
  const auto state = network.state().to_host();
  for (const auto& tensor : plan.state) {
    if (tensor.role == TensorRole::kCounter) continue;
    const auto values = tensor.in(std::span(state));
    expect_close({values.begin(), values.end()}, {"statistics", tensor.name}, values.size());
  }
}

std::vector<std::string> network_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(source_folder() / "tests/goldens/networks"))
    names.push_back(entry.path().stem().string());
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Backends, NetworkTrace,
                         testing::Combine(testing::ValuesIn(gemm_backend_names()),
                                          testing::ValuesIn(network_names())),
                         [](const auto& test) {
                           return std::get<0>(test.param) + "_" + std::get<1>(test.param);
                         });

}  // namespace
}  // namespace warpfit::test
