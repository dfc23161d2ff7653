#include "host/cli/help.hpp"

#include <fmt/format.h>

#include <string_view>

#include "host/cli/options.hpp"

namespace warpfit {
namespace {

constexpr std::string_view kExitCodes =
    "Exit codes: 0 done; 1 internal error; 2 usage; 3 bad data; 4 bad model or checkpoint; 5 I/O;\n"
    "6 device; 7 out of memory; 8 diverged; 75 interrupted, checkpoint saved.\n";

std::string usage(const Option& option) {
  return option.value.empty() ? std::string(option.flag) : fmt::format("{} {}", option.flag, option.value);
}

}  // namespace

std::string version_text() { return "warpfit " WARPFIT_VERSION; }

std::string program_help() {
  return fmt::format(
      "{}: trains classifiers on IDX files, with PyTorch's numbers.\n\n"
      "Usage:\n"
      "  warpfit train --data DIR [OPTIONS]   train and test a network\n"
      "  warpfit train --help                 its options\n"
      "  warpfit --version | --help\n\n{}",
      version_text(), kExitCodes);
}

std::string train_help() {
  std::string text =
      "Trains a multilayer perceptron (Linear, ReLU, ..., Linear) with softmax cross-entropy, and "
      "tests it\n"
      "after each epoch. Prints what PyTorch's tutorial prints; all else goes to standard error.\n\n"
      "Usage: warpfit train --data DIR [OPTIONS]\n";
  std::string_view group;
  const TrainCommand defaults;
  for (const auto& option : train_options()) {
    if (option.group != group) {
      group = option.group;
      text += fmt::format("\n{}:\n", group);
    }
    text += fmt::format("  {:<20} {}", usage(option), option.help);
    if (!option.range.empty()) text += fmt::format("; {}", option.range);
    if (const auto value = option.get(defaults); !value.empty()) text += fmt::format(" [{}]", value);
    text += '\n';
  }
  return text + "  -h, --help           this text\n\n" + std::string(kExitCodes);
}

std::string train_options_markdown() {
  std::string text = "| flag | meaning | range | default |\n|---|---|---|---|\n";
  const TrainCommand defaults;
  for (const auto& option : train_options()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", usage(option), option.help, option.range,
                        option.get(defaults));
  }
  return text;
}

}  // namespace warpfit
