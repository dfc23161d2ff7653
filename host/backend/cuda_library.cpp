#include "host/backend/cuda_library.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

namespace warpfit {
namespace {

constexpr const char* kLibrary = "libwarpfit_cuda.so";

// It lies beside the program, or where the system looks for libraries.
void* open_library() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto beside = program.parent_path() / kLibrary;
  if (!error && std::filesystem::exists(beside, error)) return dlopen(beside.c_str(), RTLD_NOW | RTLD_LOCAL);
  return dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
}

// Loading the driver's library is how one sees it without loading all of CUDA.
bool driver_is_there() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, std::string& reason) {
  if (!driver_is_there()) {
    reason = "there is no NVIDIA driver (libcuda.so.1) here";
    return nullptr;
  }
  void* library = open_library();  // stays loaded: the backend's code is in it
  if (library == nullptr) {
    reason = fmt::format("the CUDA backend cannot be loaded: {}", dlerror());
    return nullptr;
  }
  const auto make = reinterpret_cast<MakeCudaBackend*>(dlsym(library, "warpfit_make_cuda_backend"));
  if (make == nullptr) {
    reason = fmt::format("{} is not of this version of warpfit", kLibrary);
    return nullptr;
  }
  return std::unique_ptr<Backend>(make(options, reason));
}

}  // namespace warpfit
