#include "host/cli/inspect_command.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"
#include "host/cli/option_rows.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/file_kind.hpp"
#include "host/report/console.hpp"

namespace warpfit {
namespace {

// Text on its way to standard output, in blocks: a file may have many lines.
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

void describe(const InspectCommand& command, const TextSink& print) {
  const auto kind = file_kind(command.path);
  if (kind != FileKind::kIdx && (!command.labels.empty() || command.transpose)) {
    throw UsageError(fmt::format("{}: {} is no IDX file of images",
                                 command.transpose ? "--transpose" : "--labels", command.path));
  }
  switch (kind) {
    case FileKind::kIdx:
      return describe_idx(command.path, {command.images, command.labels, command.transpose}, print);
    case FileKind::kSafetensors:
      return describe_safetensors(command.path, print);
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
  rows.push_back(
      on_off({"Output", "--transpose", "", "draw images with rows and columns swapped, as for EMNIST"},
             command.transpose));
  return rows;
}

void run(const InspectCommand& command) {
  Output output;
  describe(command, [&output](std::string_view text) { output.add(text); });
  output.flush();
}

}  // namespace warpfit
