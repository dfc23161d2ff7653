// Replaces dnn_graph.cpp where cuDNN's header was not found.
#include "cuda/runtime/dnn_graph.hpp"
#include "host/base/error.hpp"

namespace warpfit {
namespace {

[[noreturn]] void refuse() {
  throw DeviceError(
      "convolutions on a GPU need cuDNN 9, and this program was built without it (cudnn_graph.h was not "
      "found); build it with cuDNN, or use --device cpu");
}

}  // namespace

struct DnnGraphLibrary {};
struct DnnConv::Plan {};
struct DnnWorkspace {};

DnnHandle::DnnHandle(const Stream&, bool) { refuse(); }
DnnHandle::~DnnHandle() = default;
std::string DnnHandle::version() const { refuse(); }
void DnnHandle::check(int, const std::string&) const { refuse(); }

DnnConv::DnnConv(const DnnHandle&, ConvPass, const ConvOperation&, std::int64_t, Precision) { refuse(); }
DnnConv::DnnConv(DnnConv&&) noexcept = default;
DnnConv& DnnConv::operator=(DnnConv&&) noexcept = default;
DnnConv::~DnnConv() = default;
void DnnConv::run(const float*, const float*, float*) { refuse(); }
std::size_t DnnConv::workspace_bytes() const { refuse(); }

}  // namespace warpfit
