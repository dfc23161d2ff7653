#include "cuda/runtime/profiler.hpp"

#include <cuda_profiler_api.h>
#include <nvtx3/nvToolsExt.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cuda/runtime/check.hpp"

namespace warpfit {
namespace {

nvtxDomainHandle_t domain() {
  static const nvtxDomainHandle_t handle = nvtxDomainCreateA("warpfit");
  return handle;
}

}  // namespace

void begin_profile_range(const char* name, std::int64_t number) {
  nvtxEventAttributes_t attributes{};
  attributes.version = NVTX_VERSION;
  attributes.size = NVTX_EVENT_ATTRIB_STRUCT_SIZE;
  attributes.messageType = NVTX_MESSAGE_TYPE_ASCII;
  attributes.message.ascii = name;
  attributes.payloadType = NVTX_PAYLOAD_TYPE_INT64;
  attributes.payload.llValue = number;
  nvtxDomainRangePushEx(domain(), &attributes);
}

void end_profile_range() noexcept { nvtxDomainRangePop(domain()); }

void name_this_thread(const char* name) {
  nvtxNameOsThreadA(static_cast<std::uint32_t>(syscall(SYS_gettid)), name);
}

void capture_profile_now(bool on) {
  check(on ? cudaProfilerStart() : cudaProfilerStop(), "starting or stopping the profiler");
}

}  // namespace warpfit
