// A profiler for tests: an NVTX injection library (NVTX_INJECTION64_PATH) that writes the annotations of a
// program to the file named by NVTX_RECORD, one line per event:
//   push DOMAIN NAME NUMBER    pop DOMAIN    thread NAME    stream NAME
#define NVTX_NO_IMPL  // types only: this library implements the functions
#include <nvtx3/nvToolsExt.h>
#include <nvtx3/nvToolsExtCudaRt.h>

#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

// The type of handles is defined by the implementation.
struct nvtxDomainRegistration_st {
  std::string name;
};

namespace {

void write(const std::string& line) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  static std::FILE* file = std::fopen(std::getenv("NVTX_RECORD"), "w");
  if (file == nullptr) return;
  std::fputs((line + "\n").c_str(), file);
  std::fflush(file);  // keeps the events if the program is killed
}

int NVTX_API push(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  write("push " + domain->name + " " + event->message.ascii + " " + std::to_string(event->payload.llValue));
  return 0;
}

int NVTX_API pop(nvtxDomainHandle_t domain) {
  write("pop " + domain->name);
  return 0;
}

nvtxDomainHandle_t NVTX_API create_domain(const char* name) { return new nvtxDomainRegistration_st{name}; }
void NVTX_API name_thread(uint32_t, const char* name) { write(std::string("thread ") + name); }
void NVTX_API name_stream(cudaStream_t, const char* name) { write(std::string("stream ") + name); }

template <class Function>
void install(NvtxFunctionTable table, unsigned size, unsigned at, Function* function) {
  if (at < size && table[at] != nullptr) *table[at] = reinterpret_cast<NvtxFunctionPointer>(function);
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int NVTX_API
InitializeInjectionNvtx2(NvtxGetExportTableFunc_t get) {
  const auto* callbacks = static_cast<const NvtxExportTableCallbacks*>(get(NVTX_ETID_CALLBACKS));
  if (callbacks == nullptr) return 0;
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE, &table, &size) != 0) {
    install(table, size, NVTX_CBID_CORE_NameOsThreadA, name_thread);
  }
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) != 0) {
    install(table, size, NVTX_CBID_CORE2_DomainCreateA, create_domain);
    install(table, size, NVTX_CBID_CORE2_DomainRangePushEx, push);
    install(table, size, NVTX_CBID_CORE2_DomainRangePop, pop);
  }
  if (callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CUDART, &table, &size) != 0) {
    install(table, size, NVTX_CBID_CUDART_NameCudaStreamA, name_stream);
  }
  return 1;
}
