// The output of `warpfit devices` on the current machine; emulated_program_test.cpp tests it with an emulated
// GPU.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdio>
#include <filesystem>

#include "host/cpu/amx_product.hpp"
#include "tests/support/files.hpp"
#include "tests/support/program.hpp"

namespace warpfit::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

std::string devices(const std::string& program = "warpfit") {
  const auto run = Program({"devices"}, program).finish();
  EXPECT_EQ(run.exit_code, 0) << run.error;
  EXPECT_EQ(run.error, "");
  return run.out;
}

// The size of the machine's memory, such as "23.5 GiB".
std::string memory_text() {
  const auto bytes =
      static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f GiB", bytes / (1U << 30));
  return text;
}

TEST(Devices, TellsTheProcessorAndWhatThereIsOfCuda) {
  const auto text = devices();
  EXPECT_THAT(text, MatchesRegex("warpfit " WARPFIT_VERSION "\n"
                                 "CPU \\(--device cpu\\)\n"
                                 "  processor     .+\n"
                                 "  threads       [1-9][0-9]*\n"
                                 "  memory        [0-9]+\\.[0-9] GiB, [0-9]+\\.[0-9] GiB available\n"
                                 "  library       oneDNN [23]\\.[0-9]+\\.[0-9]+\n"
                                 "(  instructions  .+\n)?"
                                 "  fp32 products (oneDNN|AMX \\(bf16x3\\) and oneDNN)\n"
                                 "CUDA \\(--device cuda\\)\n"
                                 "  backend       (there|none: .+)\n"
                                 "(  runtime       [0-9]+\\.[0-9]\n"
                                 "  cuBLAS        [0-9]+\\.[0-9]+\\.[0-9]+\n"
                                 "  cuDNN         (none|9\\.[0-9]+\\.[0-9]+)\n"
                                 "  NCCL          (none|2\\.[0-9]+\\.[0-9]+)\n"
                                 "  driver        (none|for CUDA [0-9]+\\.[0-9])\n)?"
                                 "(  GPUs          none: .+\n|(  cuda:[0-9]+        .+\n)+)"));
  EXPECT_THAT(text, HasSubstr("  memory        " + memory_text() + ", "));
}

TEST(Devices, SaysWhetherAmxIsAllowed) {
  const auto* expected = cpu::AmxProduct::is_available() ? "\n  fp32 products AMX (bf16x3) and oneDNN\n"
                                                         : "\n  fp32 products oneDNN\n";
  EXPECT_THAT(devices(), HasSubstr(expected));
  const auto without = Program({"devices"}, "warpfit", {"ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16"}).finish();
  EXPECT_THAT(without.out, HasSubstr("\n  fp32 products oneDNN\n"));
}

// With no library next to the program, and with libraries of another program.
TEST(Devices, SaysWhyThereIsNoCudaBackend) {
  const TemporaryFolder folder;
  const auto program = (folder.path() / "warpfit").string();
  const auto library = folder.path() / "libwarpfit_cuda.so";
  std::filesystem::copy_file(program_path(), program);
  EXPECT_THAT(devices(program), HasSubstr("  backend       none: the CUDA backend cannot be loaded: "
                                          "libwarpfit_cuda.so: cannot open shared object file"));

  folder.add("libwarpfit_cuda.so", Bytes(1000, 'a'));
  EXPECT_THAT(devices(program), HasSubstr("libwarpfit_cuda.so: invalid ELF header"));

  Dl_info zlib{};
  ASSERT_NE(dladdr(reinterpret_cast<const void*>(&zlibVersion), &zlib), 0);
  std::filesystem::copy_file(zlib.dli_fname, library, std::filesystem::copy_options::overwrite_existing);
  EXPECT_THAT(devices(program),
              HasSubstr("  backend       none: libwarpfit_cuda.so belongs to another version of "
                        "warpfit\n"
                        "  GPUs          none: "));
}

TEST(Devices, TakesNoArguments) {
  EXPECT_EQ(run_warpfit({"devices", "all"}).exit_code, 2);
  const auto help = run_warpfit({"devices", "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, HasSubstr("\nUsage: warpfit devices\n"));
}

}  // namespace
}  // namespace warpfit::test
