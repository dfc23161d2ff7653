#include "host/run/cuda_library.hpp"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>

namespace warpfit {
namespace {

constexpr const char* kLibrary = "libwarpfit_cuda.so";

constexpr const char* kNoDriver = "there is no NVIDIA driver (libcuda.so.1) here";

// The library is next to the program or in the system's library path.
void* open_library() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  const auto path = program.parent_path() / kLibrary;
  if (!error && std::filesystem::exists(path, error)) return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  return dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
}

// Checks for the driver by loading its library, which is faster than loading all of CUDA.
bool driver_is_there() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

// A function of the library, which stays loaded; or null with a reason.
template <class Function>
Function* find_function(const char* name, std::string& reason) {
  void* library = open_library();
  if (library == nullptr) {
    reason = fmt::format("the CUDA backend cannot be loaded: {}", dlerror());
    return nullptr;
  }
  auto* const function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr) reason = fmt::format("{} belongs to another version of warpfit", kLibrary);
  return function;
}

}  // namespace

std::unique_ptr<Backend> make_cuda_backend(const BackendOptions& options, NoCuda& why) {
  if (!driver_is_there()) {
    why = {kNoDriver, true};
    return nullptr;
  }
  auto* const make = find_function<MakeCudaBackend>("warpfit_make_cuda_backend", why.reason);
  return std::unique_ptr<Backend>(make != nullptr ? make(options, why) : nullptr);
}

void warm_cuda(int device) {
  std::string ignored;
  if (!driver_is_there()) return;
  if (auto* const warm = find_function<WarmCuda>("warpfit_warm_cuda", ignored)) warm(device);
}

CudaParts find_cuda() {
  CudaParts parts;
  if (auto* const find = find_function<FindCuda>("warpfit_find_cuda", parts.problem)) find(parts);
  if (!driver_is_there()) {
    parts.reason = kNoDriver;
  } else if (parts.reason.empty()) {
    parts.reason = parts.problem;
  }
  return parts;
}

}  // namespace warpfit
