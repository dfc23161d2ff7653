#include "host/cli/inspect_command.hpp"

#include "host/cli/option_rows.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/file_kind.hpp"
#include "host/report/console.hpp"

namespace warpfit {

Options options_of(InspectCommand& command) {
  constexpr std::int64_t kMostImages = 1000;
  Options rows;
  rows.push_back(text({"Input", "FILE", "", "IDX, plain or gzip; safetensors; ONNX"}, "", command.path));
  rows.push_back(number<std::int64_t>({"Output", "--images", "N", "images drawn of an IDX file"}, 0,
                                      kMostImages, command.images));
  return rows;
}

void run(const InspectCommand& command) {
  switch (file_kind(command.path)) {
    case FileKind::kIdx:
      return print(describe_idx(command.path, command.images));
    case FileKind::kSafetensors:
      return print(describe_safetensors(command.path));
    case FileKind::kOnnx:
      return print(describe_onnx(command.path));
  }
}

}  // namespace warpfit
