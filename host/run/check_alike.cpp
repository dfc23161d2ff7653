#include "host/run/check_alike.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "host/base/split.hpp"
#include "host/files/crc32.hpp"

namespace warpfit {
namespace {

// The lines of config.toml without those that may differ: files, whose contents are compared where they
// matter, and the device.
std::string options_for_all_ranks(const std::string& config) {
  constexpr std::array<std::string_view, 10> kOwn{
      "data",        "train-images", "train-labels", "test-images", "test-labels",
      "class-names", "init-from",    "save",         "device",      "threads"};
  std::string shared;
  for (const auto line : split(config, '\n')) {
    const auto key = line.substr(0, line.find(' '));
    if (std::ranges::find(kOwn, key) == kOwn.end()) shared += fmt::format("{}\n", line);
  }
  return shared;
}

// Differs for checkpoints of other runs, which ranks may find if they have no file system in common.
std::string description_of(const TrainingState& state) {
  auto crc = crc32_of(std::as_bytes(std::span(state.parameters)));
  for (const auto& moment : state.optimizer.moments) crc = crc32_of(std::as_bytes(std::span(moment)), crc);
  return fmt::format("step {}, CRC-32 {:08x}", state.step, crc);
}

}  // namespace

void check_alike(Ranks& ranks, const RunOptions& options, bool keeps, const TrainingFiles& files,
                 const std::optional<Checkpoint>& checkpoint) {
  if (ranks.is_alone()) return;
  const auto kept = keeps ? "run-dir is given\n" : "run-dir is not given\n";
  ranks.check_same("options", options_for_all_ranks(options.config) + kept);
  ranks.check_same("data", files.identity());
  ranks.check_same("networks", files.model().network.text());
  ranks.check_same("checkpoints", checkpoint ? description_of(checkpoint->state) : "none");
}

}  // namespace warpfit
