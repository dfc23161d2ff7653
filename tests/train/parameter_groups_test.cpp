// Parameters in groups: --no-decay.
#include "host/train/parameter_groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "host/model/initializer.hpp"
#include "host/stream/dataset_files.hpp"
#include "host/train/trainer.hpp"
#include "tests/support/backends.hpp"
#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

const NetworkPlan& plan() {
  static const auto plan = plan_network({{Linear{12}, Activation{}, Linear{11, false}, Linear{10}}, 784});
  return plan;
}

TrainOptions options(float weight_decay, bool no_decay_of_biases) {
  return {.epochs = 1,
          .batch_size = 300,
          .learning_rate = 0.1,
          .optimizer = Adam{.weight_decay = weight_decay, .decoupled = true},
          .no_decay = {.biases = no_decay_of_biases}};
}

class GroupsOfParameters : public OnEachBackend {
 protected:
  // The parameters after one epoch of a single batch: groups that differ in weight decay then have the same
  // gradients.
  std::vector<float> train(const TrainOptions& options) {
    const auto paths = find_dataset(sample_folder().string(), {});
    const Dataset training_set(paths.train_images, paths.train_labels);
    const Dataset test_set(paths.test_images, paths.test_labels);
    TorchGenerator generator(0);
    Network network(*backend_, plan(), initial_parameters(plan(), generator));
    Report report;
    Trainer trainer(*backend_, network, {training_set, std::nullopt, test_set}, options, generator, report);
    EXPECT_EQ(trainer.run(), StopReason::kCompleted);
    return trainer.parameters();
  }
};

TEST_P(GroupsOfParameters, LeaveBiasesWithoutDecay) {
  const auto decayed = train(options(0.5F, false));
  const auto whole = train(options(0, false));
  auto expected = decayed;
  for (const auto& tensor : plan().tensors) {
    if (!tensor.name.ends_with("bias")) continue;
    const auto from = tensor.in(std::span(whole));
    std::ranges::copy(from, tensor.in(std::span(expected)).begin());
  }
  EXPECT_NE(decayed, expected);
  EXPECT_EQ(train(options(0.5F, true)), expected);
}

// With Muon, biases are updated as without it, from the same gradients; weights are not.
TEST_P(GroupsOfParameters, OfMuonAndPlainSgdAreUpdatedEachByItsOwn) {
  auto options = test::options(0, false);
  options.optimizer = Sgd{};
  const auto by_sgd = train(options);
  options.muon = Muon{};
  const auto both = train(options);
  for (const auto& tensor : plan().tensors) {
    const auto mine = tensor.in(std::span(both));
    EXPECT_EQ(std::ranges::equal(mine, tensor.in(std::span(by_sgd))), tensor.name.ends_with("bias"))
        << tensor.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Backends, GroupsOfParameters, testing::ValuesIn(backend_names()), backend_name);

ParameterGroups groups_of(const NetworkPlan& network, const TrainOptions& options) {
  return parameter_groups(network, options);
}

TEST(ParameterGroupsOfANetwork, AreOneWhereNothingIsDecayed) {
  EXPECT_EQ(groups_of(plan(), options(0, true)).groups.size(), 1U);
  EXPECT_EQ(groups_of(plan(), options(0.5F, false)).groups.size(), 1U);
  EXPECT_EQ(groups_of(plan(), options(0.5F, true)).groups.size(), 2U);
  const auto without_biases = plan_network({{Linear{10, false}}, 784});
  const auto one = groups_of(without_biases, options(0.5F, true));
  ASSERT_EQ(one.groups.size(), 1U);
  EXPECT_TRUE(one.groups.front().ranges.empty());
}

TEST(ParameterGroupsOfANetwork, LeaveNormalizationWithoutDecay) {
  const auto network = plan_network({{Linear{12}, BatchNorm{}, Linear{10}}, 784});
  const auto undecayed = [&](NoDecay no_decay) {
    auto options = test::options(0.5F, false);
    options.no_decay = no_decay;
    std::vector<std::string> names;
    const auto groups = groups_of(network, options).groups;
    if (groups.size() < 2) return names;
    for (const auto& [first, size] : groups.back().ranges) {
      const auto of =
          std::ranges::find(network.tensors, static_cast<std::size_t>(first), &PlannedTensor::offset);
      names.push_back(of->name);
    }
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(undecayed({}), Names());
  EXPECT_EQ(undecayed({.norms = true}), (Names{"1.weight", "1.bias"}));
  EXPECT_EQ(undecayed({.biases = true}), (Names{"0.bias", "1.bias", "2.bias"}));
  EXPECT_EQ(undecayed({.biases = true, .norms = true}), (Names{"0.bias", "1.weight", "1.bias", "2.bias"}));
}

// Weights and biases of the network 784-12-11-10, whose second layer has no bias.
TEST(ParameterGroupsOfANetwork, LeaveMatricesToMuon) {
  auto options = test::options(0.5F, false);
  options.muon = Muon{};
  const auto groups = groups_of(plan(), options);
  ASSERT_TRUE(groups.muon);
  std::vector<std::array<std::int64_t, 3>> matrices;
  for (const auto& matrix : groups.muon->matrices)
    matrices.push_back({matrix.first, matrix.rows, matrix.cols});
  const auto offset = [](std::size_t tensor) {
    return static_cast<std::int64_t>(plan().tensors[tensor].offset);
  };
  EXPECT_EQ(matrices, (std::vector<std::array<std::int64_t, 3>>{
                          {0, 12, 784}, {offset(2), 11, 12}, {offset(3), 10, 11}}));
  ASSERT_EQ(groups.groups.size(), 1U);
  std::vector<std::array<std::int64_t, 2>> ranges;
  for (const auto& [first, size] : groups.groups.front().ranges) ranges.push_back({first, size});
  EXPECT_EQ(ranges, (std::vector<std::array<std::int64_t, 2>>{{offset(1), 12}, {offset(4), 10}}));
  const auto without_biases = groups_of(plan_network({{Linear{10, false}}, 784}), options);
  EXPECT_TRUE(without_biases.groups.empty());
}

}  // namespace
}  // namespace warpfit::test
