#include "host/cli/network_file.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"
#include "host/base/shown.hpp"
#include "host/cli/layer_tables.hpp"

namespace warpfit {

std::string network_text(std::string_view given) {
  std::string path(given);
  if (!given.ends_with(".toml")) return path;
  const auto table = parse_toml(read_toml_text(path), path);
  for (const auto& [key, node] : table) {
    if (key != kLayerKey) {
      refuse_toml(path, node.source().begin,
                  fmt::format("unexpected key {}, expected only tables [[layer]]", shown(key.str())));
    }
  }
  const auto* const layers = table.get(kLayerKey);
  if (layers == nullptr) throw UsageError(fmt::format("{}: no tables [[layer]], expected one or more", path));
  return text_of_layers(*layers, path);
}

}  // namespace warpfit
