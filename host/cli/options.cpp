#include "host/cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/cli/optimizer_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/cli/schedule_options.hpp"

namespace warpfit {
namespace {

// "3" or "2-4".
Option profile_option() {
  constexpr std::string_view kFlag = "--profile-epochs";
  const auto set = [kFlag](TrainCommand& command, std::string_view given) {
    const auto dash = std::min(given.find('-'), given.size());
    const auto first = parse_number<std::int64_t>(given.substr(0, dash));
    const auto last = dash == given.size() ? first : parse_number<std::int64_t>(given.substr(dash + 1));
    if (!first || !last || *first < 1 || *last < *first) {
      throw UsageError(fmt::format("{} {}: expected epochs as in 2 or 2-3", kFlag, given));
    }
    command.training.first_profiled = *first;
    command.training.last_profiled = *last;
  };
  return {"Output", kFlag,
          "A-B",    "epochs that a profiler captures which waits to be told (tools/profile)",
          "",       [](const TrainCommand&) { return std::string(); },
          set};
}

Option threads_option() {
  constexpr int kMost = 1024;
  auto option = number<int>(
      {"Device", "--threads", "N", "CPU threads"}, 1, kMost, [](auto& c) -> auto& { return c.threads; });
  option.get = [](const TrainCommand& c) {
    return c.threads == 0 ? "all usable cores" : std::to_string(c.threads);
  };
  return option;
}

std::vector<Option> make_options() {
  constexpr std::int64_t kMany = 1'000'000'000;
  constexpr std::string_view kData = "Data";
  constexpr std::string_view kTraining = "Training";
  std::vector<Option> rows;
  rows.push_back(text(
      {kData, "--data", "DIR", "folder with the four IDX files, gzip or not, named as MNIST's"}, "",
      [](auto& c) -> auto& { return c.data; }));
  rows.push_back(text(
      {kData, "--train-images", "FILE", "training samples, in place of DIR/train-images-idx3-ubyte"}, "",
      [](auto& c) -> auto& { return c.files.train_images; }));
  rows.push_back(text(
      {kData, "--train-labels", "FILE", "training labels, in place of DIR/train-labels-idx1-ubyte"}, "",
      [](auto& c) -> auto& { return c.files.train_labels; }));
  rows.push_back(text(
      {kData, "--test-images", "FILE", "test samples, in place of DIR/t10k-images-idx3-ubyte"}, "",
      [](auto& c) -> auto& { return c.files.test_images; }));
  rows.push_back(text(
      {kData, "--test-labels", "FILE", "test labels, in place of DIR/t10k-labels-idx1-ubyte"}, "",
      [](auto& c) -> auto& { return c.files.test_labels; }));

  rows.push_back(text(
      {kTraining, "--network", "WIDTHS", "inputs, hidden layers and classes, joined by '-'"},
      "2 or more widths", [](auto& c) -> auto& { return c.network; }));
  rows.back().get = [](const TrainCommand& c) {
    return c.network.empty() ? "512-512 between the data's sizes" : c.network;
  };
  rows.push_back(number<std::int64_t>(
      {kTraining, "--epochs", "N", "passes over the training set"}, 1, kMany,
      [](auto& c) -> auto& { return c.training.epochs; }));
  rows.push_back(number<std::int64_t>(
      {kTraining, "--batch-size", "N", "samples a step"}, 1, kMany,
      [](auto& c) -> auto& { return c.training.batch_size; }));
  rows.push_back(on_off(
      {kTraining, "--shuffle", "", "visit the samples in PyTorch's shuffled order for the seed"},
      [](auto& c) -> auto& { return c.training.shuffle; }));
  rows.push_back(number<std::uint64_t>(
      {kTraining, "--seed", "N", "of all random numbers, as torch.manual_seed"}, 0,
      std::numeric_limits<std::uint64_t>::max(), [](auto& c) -> auto& { return c.training.seed; }));

  rows.push_back(choice<bool>(
      {kTraining, "--update", "HOW", "plain SGD within the weight gradients' products, or after them"},
      {{"folded", true}, {"separate", false}}, [](auto& c) -> auto& { return c.training.fold_update; }));

  rows.push_back(choice<LossKind>(
      {kTraining, "--loss", "NAME",
       "what is made small; nll ends the network in LogSoftmax, mse is against one-hot"},
      {{"cross-entropy", LossKind::kCrossEntropy}, {"nll", LossKind::kNll}, {"mse", LossKind::kMse}},
      [](auto& c) -> auto& { return c.training.loss.kind; }));
  rows.push_back(number<float>(
      {kTraining, "--label-smoothing", "X", "share of each label that all classes divide, of cross-entropy"},
      0, 1, [](auto& c) -> auto& { return c.training.loss.label_smoothing; }));

  rows.push_back(number<float>(
      {kTraining, "--dropout", "X", "share of each hidden layer's outputs that a step leaves out"}, 0, 0.99F,
      [](auto& c) -> auto& { return c.training.dropout; }));

  for (auto& option : optimizer_options()) rows.push_back(std::move(option));
  for (auto& option : schedule_options()) rows.push_back(std::move(option));

  rows.push_back(text(
      {"Device", "--device", "NAME", "where to train; auto takes a GPU if there is one"},
      "auto, cpu, cuda or cuda:N", [](auto& c) -> auto& { return c.device; }));
  rows.push_back(threads_option());
  rows.push_back(choice<Precision>(
      {"Device", "--precision", "TYPE", "of products on a GPU; sums are fp32"},
      {{"fp32", Precision::kFp32}, {"tf32", Precision::kTf32}, {"bf16", Precision::kBf16}},
      [](auto& c) -> auto& { return c.precision; }));
  rows.push_back(choice<Residency>(
      {"Device", "--residency", "HOW", "send the data in each epoch, or keep it there"},
      {{"auto", Residency::kAuto}, {"stream", Residency::kStream}, {"resident", Residency::kResident}},
      [](auto& c) -> auto& { return c.training.residency; }));

  rows.push_back(number<std::int64_t>(
      {"Output", "--log-every", "N", "batches from one printed loss to the next"}, 1, kMany,
      [](auto& c) -> auto& { return c.training.log_every; }));
  rows.push_back(profile_option());
  rows.push_back(on_off(
      {"Output", "--quiet", "", "only warnings and errors on standard error"},
      [](auto& c) -> auto& { return c.quiet; }));
  return rows;
}

}  // namespace

std::span<const Option> train_options() {
  static const std::vector<Option> options = make_options();
  return options;
}

}  // namespace warpfit
