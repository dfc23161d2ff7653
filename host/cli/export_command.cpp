#include "host/cli/export_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "host/base/error.hpp"
#include "host/cli/common_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/files/npz.hpp"
#include "host/files/onnx.hpp"
#include "host/model/model_file.hpp"
#include "host/model/onnx_network.hpp"
#include "host/report/log.hpp"
#include "host/run/inference.hpp"

namespace warpfit {
namespace {

void export_safetensors(const std::string& path, const Model& model) {
  save_model(path, model.info, model.parameters, model.state);
}

void export_npz(const std::string& path, const Model& model) {
  auto tensors = parameter_tensors(model.info, model.parameters);
  const auto state = state_tensors(model.info, model.state);
  tensors.insert(tensors.end(), state.tensors.begin(), state.tensors.end());
  write_npz(path, tensors);
  if (const auto numbers = normalization_text(metadata_of(model.info)); !numbers.empty())
    log_warning(
        fmt::format("{}: has no place for the normalization of the samples: --normalize {}", path, numbers));
}

void export_onnx(const std::string& path, const Model& model) {
  auto graph = onnx_graph_of(model);
  graph.producer_version = WARPFIT_VERSION;
  write_onnx(path, graph);
}

struct Format {
  std::string_view name;
  void (*write)(const std::string& path, const Model& model);
};

constexpr std::array<Format, 3> kFormats{
    {{"safetensors", export_safetensors}, {"onnx", export_onnx}, {"npz", export_npz}}};

const Format& format_of(const std::string& name) {
  const auto* const found = std::ranges::find(kFormats, name, &Format::name);
  if (found != kFormats.end()) return *found;
  const auto given = name.empty() ? std::string("no --to given") : fmt::format("--to {}", name);
  throw UsageError(fmt::format("{}: expected safetensors, onnx or npz", given));
}

}  // namespace

void run(const ExportCommand& command) {
  if (command.quiet) silence_info();
  const auto& format = format_of(command.to);
  if (command.output.empty()) throw UsageError("no --output given; name the file to write");
  auto model = load_model(command.model);
  log_notes(model);
  if (const auto found = not_finite(model); !found.empty()) {
    log_warning(fmt::format("{}: {}; it is exported as it is", command.model, found));
  }
  if (command.names) {
    check_names(*command.names);
    model.info.names = *command.names;
  }
  format.write(command.output, model);
  log_info(fmt::format("{}: {}, {} parameters, as {}", command.output, model.info.network.text(),
                       plan_of(model.info).parameters(), format.name));
}

Options options_of(ExportCommand& command) {
  constexpr std::string_view kOutput = "Output";
  Options rows{model_option(command.model)};
  rows.push_back(text({kOutput, "--to", "NAME", "output format"}, "safetensors, onnx or npz", command.to));
  rows.push_back(
      text({kOutput, "--output", "FILE", "file to write; an existing file is replaced"}, "", command.output));
  rows.push_back({.group = kOutput,
                  .flag = "--names",
                  .value = "NAME",
                  .help = "attribute of PyTorch's module that holds the layers; \"\" where they are its own",
                  .otherwise = "as in the model",
                  .may_be_empty = true,
                  .get = [&command] { return command.names.value_or(""); },
                  .set = [&command](std::string_view given) { command.names = std::string(given); }});
  rows.push_back(quiet_option(command.quiet));
  return rows;
}

}  // namespace warpfit
