// Loads the real NCCL, which needs no GPU.
#include "cuda/runtime/nccl_library.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <string>

#include "host/base/error.hpp"

namespace warpfit::test {
namespace {

std::string error_of_loading(const char* name) {
  try {
    load_nccl_library(name);
  } catch (const DeviceError& error) {
    return error.what();
  }
  return "";
}

TEST(NcclLibraryTest, HasAllFunctions) {
  if (dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL) == nullptr) GTEST_SKIP() << dlerror();
  const auto nccl = load_nccl_library();
  int version = 0;
  EXPECT_EQ(nccl.get_version(&version), ncclSuccess);
  EXPECT_GE(version, NCCL_VERSION_CODE);
  EXPECT_NE(std::string(nccl.get_error_string(ncclInvalidUsage)), "");
}

TEST(NcclLibraryTest, NamesWhatIsMissing) {
  EXPECT_EQ(error_of_loading("libnone.so.2"),
            "loading NCCL: libnone.so.2: cannot open shared object file: No such file or directory");
  EXPECT_EQ(error_of_loading("libc.so.6"),
            "loading NCCL: libc.so.6 has no ncclGetVersion; NCCL 2.13 or later is needed");
}

}  // namespace
}  // namespace warpfit::test
