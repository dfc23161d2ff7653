// Errors: the last error, names, messages.
#include <cuda_runtime_api.h>

#include <utility>

#include "tests/emulation/runtime.hpp"

namespace {

struct ErrorText {
  cudaError_t error;
  const char* name;
  const char* text;
};

#define WARPFIT_ERROR(name, text) \
  { name, #name, text }
constexpr ErrorText kTexts[] = {
    WARPFIT_ERROR(cudaSuccess, "no error"),
    WARPFIT_ERROR(cudaErrorInvalidValue, "invalid argument"),
    WARPFIT_ERROR(cudaErrorMemoryAllocation, "out of memory"),
    WARPFIT_ERROR(cudaErrorInitializationError, "initialization error"),
    WARPFIT_ERROR(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    WARPFIT_ERROR(cudaErrorInvalidMemcpyDirection, "invalid copy direction for memcpy"),
    WARPFIT_ERROR(cudaErrorStubLibrary, "CUDA driver is a stub library"),
    WARPFIT_ERROR(cudaErrorInsufficientDriver,
                  "CUDA driver version is insufficient for CUDA runtime version"),
    WARPFIT_ERROR(cudaErrorDevicesUnavailable, "CUDA-capable device(s) is/are busy or unavailable"),
    WARPFIT_ERROR(cudaErrorInvalidDeviceFunction, "invalid device function"),
    WARPFIT_ERROR(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    WARPFIT_ERROR(cudaErrorInvalidDevice, "invalid device ordinal"),
    WARPFIT_ERROR(cudaErrorNoKernelImageForDevice,
                  "no kernel image is available for execution on the device"),
    WARPFIT_ERROR(cudaErrorECCUncorrectable, "uncorrectable ECC error encountered"),
    WARPFIT_ERROR(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    WARPFIT_ERROR(cudaErrorNotReady, "device not ready"),
    WARPFIT_ERROR(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    WARPFIT_ERROR(cudaErrorLaunchOutOfResources, "too many resources requested for launch"),
    WARPFIT_ERROR(cudaErrorLaunchTimeout, "the launch timed out and was terminated"),
    WARPFIT_ERROR(cudaErrorAssert, "device-side assert triggered"),
    WARPFIT_ERROR(cudaErrorHardwareStackError, "hardware stack error"),
    WARPFIT_ERROR(cudaErrorIllegalInstruction, "an illegal instruction was encountered"),
    WARPFIT_ERROR(cudaErrorMisalignedAddress, "misaligned address"),
    WARPFIT_ERROR(cudaErrorInvalidAddressSpace, "operation not supported on global/shared address space"),
    WARPFIT_ERROR(cudaErrorInvalidPc, "invalid program counter"),
    WARPFIT_ERROR(cudaErrorLaunchFailure, "unspecified launch failure"),
    WARPFIT_ERROR(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    WARPFIT_ERROR(cudaErrorNotPermitted, "operation not permitted"),
    WARPFIT_ERROR(cudaErrorNotSupported, "operation not supported"),
    WARPFIT_ERROR(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    WARPFIT_ERROR(cudaErrorStreamCaptureInvalidated,
                  "operation failed due to a previous error during capture"),
    WARPFIT_ERROR(cudaErrorStreamCaptureMerge,
                  "operation would result in a merge of separate capture sequences"),
    WARPFIT_ERROR(cudaErrorStreamCaptureUnmatched, "capture was not ended in the same stream as it began"),
    WARPFIT_ERROR(cudaErrorStreamCaptureUnjoined, "capturing stream has unjoined work"),
    WARPFIT_ERROR(cudaErrorStreamCaptureIsolation, "dependency created on uncaptured work in another stream"),
    WARPFIT_ERROR(cudaErrorStreamCaptureImplicit,
                  "operation would make the legacy stream depend on a capturing blocking stream"),
    WARPFIT_ERROR(cudaErrorCapturedEvent,
                  "operation not permitted on an event last recorded in a capturing stream"),
    WARPFIT_ERROR(cudaErrorStreamCaptureWrongThread,
                  "attempt to terminate a thread-local capture sequence from another thread"),
    WARPFIT_ERROR(cudaErrorUnknown, "unknown error"),
};
#undef WARPFIT_ERROR

}  // namespace

using namespace warpfit::emulation;

cudaError_t cudaGetLastError() {
  const cudaError_t kept = runtime().sticky_error;
  const cudaError_t last = std::exchange(last_error(), cudaSuccess);
  return kept != cudaSuccess ? kept : last;
}

cudaError_t cudaPeekAtLastError() { return last_error(); }

const char* cudaGetErrorName(cudaError_t error) {
  for (const ErrorText& one : kTexts) {
    if (one.error == error) return one.name;
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  for (const ErrorText& one : kTexts) {
    if (one.error == error) return one.text;
  }
  return "unrecognized error code";
}
