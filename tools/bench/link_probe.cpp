// Measures the sums over the ranks of MPI that training uses. Used by `scaling --measure-link`, which
// compiles it.
//
//   mpirun -n 2 link_probe build/release/libwarpfit_mpi.so
//
// Rank 0 prints a line of JSON: {"ranks": N, "description": TEXT, "sums": [[BYTES, SECONDS], ...]}. The time
// of a size is the median of kRepeats sums.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <vector>

#include "host/parallel/mpi_library.hpp"

namespace {

constexpr int kRepeats = 31;
constexpr std::size_t kSizes[] = {1, 1 << 10, 1 << 14, 1 << 18, 1 << 20, 1 << 22};  // floats

double median_seconds(warpfit::Communicator& communicator, std::size_t size) {
  std::vector<float> values(size, 1.0F);
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    (void)communicator.gather("");  // all ranks begin together
    const auto begin = std::chrono::steady_clock::now();
    communicator.sum(values, warpfit::SumOrder::kFastest);
    times.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    std::ranges::fill(values, 1.0F);
  }
  std::ranges::nth_element(times, times.begin() + kRepeats / 2);
  return times[kRepeats / 2];
}

int measure(const char* library) {
  void* opened = dlopen(library, RTLD_NOW | RTLD_GLOBAL);
  auto* make = opened == nullptr
                   ? nullptr
                   : reinterpret_cast<warpfit::MakeMpiRanks*>(dlsym(opened, "warpfit_make_mpi_ranks"));
  if (make == nullptr) {
    std::fprintf(stderr, "link_probe: %s: %s\n", library, dlerror());
    return 1;
  }
  const std::unique_ptr<warpfit::Communicator> communicator(make());
  const bool prints = communicator->rank() == 0;
  if (prints)
    std::printf(R"({"ranks": %d, "description": "%s", "sums": [)", communicator->size(),
                communicator->description().c_str());
  const char* separator = "";
  for (const auto size : kSizes) {
    const double seconds = median_seconds(*communicator, size);
    if (prints) std::printf("%s[%zu, %.9f]", separator, size * sizeof(float), seconds);
    separator = ", ";
  }
  if (prints) std::puts("]}");
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: mpirun -n N link_probe libwarpfit_mpi.so\n");
    return 2;
  }
  try {
    return measure(arguments[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "link_probe: %s\n", error.what());
    return 1;
  }
}
