#include "host/cli/inspect_command.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "host/base/error.hpp"
#include "host/cli/common_options.hpp"
#include "host/cli/option_rows.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/file_kind.hpp"
#include "host/model/model_info.hpp"
#include "host/report/console.hpp"
#include "host/report/network_table.hpp"

namespace warpfit {
namespace {

// Buffers standard output in blocks, since a file may have many lines.
class Output {
 public:
  void add(std::string_view text) {
    constexpr std::size_t kBlock = 1 << 16;
    held_ += text;
    if (held_.size() >= kBlock) flush();
  }
  void flush() {
    print(held_);
    held_.clear();
  }

 private:
  std::string held_;
};

// Of a model of warpfit; nothing of other files.
void describe_network(const std::string& path, const TextSink& print) {
  const SafetensorsFile file(path);
  if (!is_own_model(file)) return;
  print(fmt::format("\n{}", network_table(plan_of(read_model_info(file)))));
}

void describe(const InspectCommand& command, const TextSink& print) {
  const auto kind = file_kind(command.path);
  if (kind != FileKind::kIdx && (!command.labels.empty() || command.layout.is_transposed)) {
    throw UsageError(fmt::format("{}: {} is no IDX file of images",
                                 command.layout.is_transposed ? "--transpose" : "--labels", command.path));
  }
  switch (kind) {
    case FileKind::kIdx:
      return describe_idx(command.path, {command.images, command.labels, command.layout}, print);
    case FileKind::kSafetensors:
      describe_safetensors(command.path, print);
      return describe_network(command.path, print);
    case FileKind::kOnnx:
      return describe_onnx(command.path, print);
  }
}

}  // namespace

Options options_of(InspectCommand& command) {
  constexpr std::int64_t kMaxImages = 1000;
  Options rows;
  rows.push_back(text({"Input", "FILE", "", "IDX, plain or gzip; safetensors; ONNX"}, "", command.path));
  rows.push_back(number<std::int64_t>({"Output", "--images", "N", "number of images to draw of an IDX file"},
                                      0, kMaxImages, command.images));
  rows.push_back(
      text({"Output", "--labels", "FILE", "IDX file of the images' labels, to show with the images"}, "",
           command.labels));
  std::ranges::move(layout_options(command.layout), std::back_inserter(rows));
  return rows;
}

void run(const InspectCommand& command) {
  Output output;
  describe(command, [&output](std::string_view text) { output.add(text); });
  output.flush();
}

}  // namespace warpfit
