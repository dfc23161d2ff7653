#include "tests/support/golden.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/support/files.hpp"

namespace warpfit::test {
namespace {

std::filesystem::path folder() { return source_folder() / "tests/goldens"; }

}  // namespace

Golden read_golden(const std::string& name) {
  std::ifstream file(folder() / (name + ".json"));
  const auto json = nlohmann::json::parse(file);
  const auto& config = json.at("config");
  Golden golden{.name = name,
                .network = config.at("dims"),
                .seed = config.at("seed"),
                .batch_size = config.at("batch_size"),
                .learning_rate = config.at("lr"),
                .shuffle = config.at("shuffle"),
                .log_every = config.at("every"),
                .initial = {},
                .epochs = {}};
  golden.plain_sgd = config.at("loss") == "cross-entropy" && config.at("optimizer") == "sgd" &&
                     config.at("schedule") == "constant" && config.at("momentum") == 0.0 &&
                     config.at("weight_decay") == 0.0 && config.at("clip_grad_norm") == 0.0;
  for (const auto& tensor : json.at("initial")) {
    golden.initial.push_back({tensor.at("sha256"), tensor.at("first").front(), tensor.at("last")});
  }
  for (const auto& epoch : json.at("epochs")) {
    golden.epochs.push_back({epoch.at("train"), epoch.at("test_correct"), epoch.at("test_avg_loss")});
  }
  return golden;
}

std::vector<std::string> golden_names() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace warpfit::test
