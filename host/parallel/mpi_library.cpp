#include "host/parallel/mpi_library.hpp"

#include <dlfcn.h>
#include <fmt/core.h>

#include <filesystem>
#include <string>

namespace warpfit {
namespace {

constexpr const char* kMpiLibrary = "libwarpfit_mpi.so";

// RTLD_GLOBAL, because the plugins of older MPI libraries use symbols of libmpi without linking to it. Those
// of Debian's Open MPI 4.1.4 do link to it.
void* open_mpi_library() {
  constexpr int kFlags = RTLD_NOW | RTLD_GLOBAL;
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / kMpiLibrary;
  if (!error && std::filesystem::exists(path, error)) return dlopen(path.c_str(), kFlags);
  return dlopen(kMpiLibrary, kFlags);
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_ranks() {
  void* library = open_mpi_library();
  if (library == nullptr) {
    throw CommunicationError(
        fmt::format("this process was started by an MPI launcher, but MPI cannot be loaded: {}; build "
                    "warpfit where MPI is "
                    "installed (-DWARPFIT_MPI=ON), or train in one process with --parallel none",
                    dlerror()));
  }
  auto* const make = reinterpret_cast<MakeMpiRanks*>(dlsym(library, "warpfit_make_mpi_ranks"));
  if (make == nullptr) {
    throw CommunicationError(fmt::format("{} belongs to another version of warpfit", kMpiLibrary));
  }
  return std::unique_ptr<Communicator>(make());
}

}  // namespace warpfit
