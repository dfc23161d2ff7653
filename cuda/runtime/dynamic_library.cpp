#include "cuda/runtime/dynamic_library.hpp"

#include <dlfcn.h>
#include <fmt/core.h>

#include "host/base/error.hpp"

namespace warpfit {

DynamicLibrary::DynamicLibrary(const char* file, const char* product, const char* needed)
    : file_(file), product_(product), needed_(needed), handle_(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw DeviceError(fmt::format("loading {}: {}", product_, dlerror()));
}

void* DynamicLibrary::address(const char* symbol) const {
  void* found = dlsym(handle_, symbol);
  if (found != nullptr) return found;
  throw DeviceError(fmt::format("loading {}: {} has no {}; {} is needed", product_, file_, symbol, needed_));
}

}  // namespace warpfit
