// Replaces nccl.cpp where NCCL's header was not found.
#include "cuda/runtime/nccl.hpp"
#include "host/base/error.hpp"

namespace warpfit {
namespace {

[[noreturn]] void refuse() {
  throw DeviceError(
      "training on several GPUs needs NCCL, and this program was built without it (nccl.h was not found); "
      "build it with NCCL, or use --device cpu");
}

}  // namespace

struct NcclLibrary {};

std::string nccl_version() { return ""; }

Nccl::Nccl(Communicator&) { refuse(); }
Nccl::~Nccl() = default;
std::string Nccl::version() const { refuse(); }
void Nccl::check(int, const std::string&) const { refuse(); }
void Nccl::sum(Vector, cudaStream_t) { refuse(); }
void Nccl::exchange(int, ConstVector, Vector, cudaStream_t) { refuse(); }
void Nccl::abandon() noexcept {}
bool Nccl::is_unwinding() const noexcept { return false; }
void Nccl::check_connection() const { refuse(); }

}  // namespace warpfit
