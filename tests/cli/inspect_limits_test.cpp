// Limits of the memory and output of `warpfit inspect` for malicious and large files.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "host/files/protobuf_writer.hpp"
#include "host/files/safetensors_writer.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"
#include "tests/support/sanitizers.hpp"

namespace warpfit::test {
namespace {

class InspectLimits : public testing::Test {
 protected:
  [[nodiscard]] std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

  TemporaryFolder folder_;
};

TEST_F(InspectLimits, NeedsLittleMemoryForLargeFiles) {
  if (kSanitized) GTEST_SKIP() << "sanitizers take memory of their own";
  constexpr std::uintmax_t kSize = 200 << 20;  // of a sparse file
  const std::string header = R"({"a":{"dtype":"F32","shape":[52428800],"data_offsets":[0,209715200]}})";
  for (const auto& start : {idx({200, 1 << 10, 1 << 10}, {}), safetensors(header)}) {
    const auto path = folder_.add("large", start);
    std::filesystem::resize_file(path, start.size() + kSize);
    const auto run = run_warpfit({"inspect", path, "--images", "0"});
    EXPECT_EQ(run.exit_code, 0) << run.error;
    EXPECT_LT(run.peak_kilobytes, 64 << 10) << run.out;
  }
}

// Output must not grow faster than the file: padding every row to the width of one long cell, or every line
// to the width of one long key, would.
TEST_F(InspectLimits, PrintsTextInProportionToTheFile) {
  const auto expect_small = [](const std::string& path, const std::vector<std::string>& parts) {
    const auto run = run_warpfit({"inspect", path});
    EXPECT_EQ(run.exit_code, 0) << run.error;
    const auto size = std::filesystem::file_size(path);
    EXPECT_LT(run.out.size(), 24 * size) << size;
    EXPECT_LT(run.peak_kilobytes, kSanitized ? 1 << 20 : (32 << 10) + static_cast<long>(size) / 16) << size;
    EXPECT_LT(run.cpu_seconds, kSanitized ? 20 : 1);
    for (const auto& part : parts) EXPECT_NE(run.out.find(part), std::string::npos) << part;
  };
  const std::string key(20'000, 'k');
  write_safetensors(path("lines"), {{key, std::string(20'000, '\n') + "end"}, {"short", "value"}}, {});
  expect_small(path("lines"),
               {"kkk...(19800 bytes left out)...kkk", "  end\n", "value\n", "0 tensors, 0 bytes"});

  std::vector<TensorView> tensors{{std::string(100'000, 'n'), DType::kF32, {0}, {}}};
  for (int i = 0; i < 10'000; ++i) tensors.push_back({std::to_string(i), DType::kF32, {0}, {}});
  write_safetensors(path("tensors"), {}, tensors);
  expect_small(path("tensors"),
               {"nnn...(99800 bytes left out)...nnn", "nnn  F32   0 ", "\n9999  ", "10001 tensors, 0 bytes"});

  using Message = ProtobufMessage;
  const auto named = Message().integer(1, 0).integer(2, 1).bytes(8, std::string(4096, '\x7f'));
  auto graph = Message().message(5, named);
  for (int i = 0; i < 30'000; ++i) graph.message(5, Message().integer(1, 0).integer(2, 1));
  const auto model =
      Message().integer(1, 8).message(8, Message().integer(2, 17)).bytes(7, graph.text()).text();
  expect_small(folder_.add("onnx", Bytes(model.begin(), model.end())), {"30001 tensors, 0 bytes"});
}

TEST_F(InspectLimits, AdvisesNothingOfOtherCommandsWhereMemoryRunsOut) {
  if (kSanitized)
    GTEST_SKIP() << "sanitizers reserve terabytes and end the program where an allocation fails";
  constexpr std::uint64_t kHeader = 100'000'000;  // the maximum size of a header in bytes: 0x05F5E100
  write_file(path("large"), Bytes{0x00, 0xE1, 0xF5, 0x05, 0, 0, 0, 0, '{'});
  std::filesystem::resize_file(path("large"), 8 + kHeader);
  const auto command = fmt::format("ulimit -v 120000; exec '{}' inspect '{}' >'{}' 2>&1", program_path(),
                                   path("large"), path("output"));
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 7);
  const auto output = read_file(path("output"));
  EXPECT_EQ(std::string(output.begin(), output.end()), "warpfit [error] out of memory\n");
}

}  // namespace
}  // namespace warpfit::test
