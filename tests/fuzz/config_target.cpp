// TOML configurations of runs. An accepted configuration is written again, and the result must set the same
// options.
#include <fmt/core.h>

#include "host/cli/commands.hpp"
#include "host/cli/config.hpp"
#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {
namespace {

std::string text_of(TrainCommand& command) { return config_text(options_of(command)); }

}  // namespace

void read(Input input) {
  static InputFile file;
  TrainCommand command;
  apply_config_file(file.holding(input), options_of(command));
  const auto text = text_of(command);
  TrainCommand again;
  apply_config(text, "config.toml", options_of(again));
  require(text_of(again) == text, "a configuration that was read and written reads back the same");
}

std::vector<Bytes> seeds() {
  TrainCommand command;
  command.run.data.folder = "data/\"fashion\\mnist";
  command.run.network = "784-16-10";
  command.run.training.seed = ~std::uint64_t{0};
  command.optimizer.rate = 1e-3;
  command.schedule.milestones = {2, 5};
  return {bytes_of(text_of(command)), bytes_of("lr = 1e-3\nepochs = 0x10\n# none\nquiet = true\n"),
          bytes_of("data = '''a\nb'''\nseed = \"18446744073709551615\"\nnetwork = \"784-10\""),
          bytes_of("epochs = 2\n[[layer]]\ntype = \"conv\"\nout_channels = 4\nkernel_size = 3\nbias = false\n"
                   "[[layer]]\ntype = \"residual\"\n[[layer.layer]]\ntype = \"dropout\"\np = 0.25\n")};
}

std::vector<std::string> words() {
  std::vector<std::string> all{"[[",
                               "]]",
                               "'''",
                               "\"\"\"",
                               "\\u0000",
                               "\\U0010FFFF",
                               "true",
                               "false",
                               "inf",
                               "nan",
                               "1979-05-27T07:32:00Z",
                               "0x",
                               "0b",
                               "0o",
                               "1_000",
                               "{a = 1}",
                               "a.b = ",
                               "[[layer]]\n",
                               "[[layer.layer]]\n",
                               "type = \"residual\"\n",
                               "type = \"linear\"\noutputs = ",
                               "type = \"elu\"\nalpha = ",
                               "\r\n"};
  TrainCommand command;
  for (const auto& option : options_of(command)) {
    all.push_back(fmt::format("{} = ", option.flag.substr(2)));
    if (!option.get().empty()) all.push_back(option.get());
  }
  return all;
}

}  // namespace warpfit::fuzz
