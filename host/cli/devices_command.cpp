#include "host/cli/devices_command.hpp"

#include <fmt/core.h>

#include "host/base/terminal_text.hpp"
#include "host/cli/help.hpp"
#include "host/cpu/amx_product.hpp"
#include "host/cpu/matmul.hpp"
#include "host/cpu/processor.hpp"
#include "host/report/console.hpp"
#include "host/run/cuda_library.hpp"

namespace warpfit {
namespace {

std::string line(std::string_view name, std::string_view value) {
  return fmt::format("  {:<13} {}\n", name, sanitize_for_terminal(value));
}

std::string gibibytes(std::uint64_t bytes) {
  constexpr double kGibibyte = 1U << 30;
  return fmt::format("{:.1f} GiB", static_cast<double>(bytes) / kGibibyte);
}

std::string processor() {
  auto text = line("processor", processor_name());
  text += line("threads", std::to_string(usable_threads()));
  const auto memory = system_memory();
  text +=
      line("memory", fmt::format("{}, {} available", gibibytes(memory.total), gibibytes(memory.available)));
  text += line("library", cpu::Matmul::library());
  if (const auto set = cpu::Matmul::instruction_set(); !set.empty()) text += line("instructions", set);
  text += line("fp32 products", cpu::AmxProduct::is_available() ? "AMX (bf16x3) and oneDNN" : "oneDNN");
  return text;
}

std::string device_text(const CudaDevice& device) {
  if (!device.problem.empty()) return fmt::format("{} cannot be used: {}", device.name, device.problem);
  return fmt::format("{}, compute capability {}.{}, {}, {} free", device.name, device.major, device.minor,
                     gibibytes(device.memory), gibibytes(device.free_memory));
}

std::string cuda() {
  const auto parts = find_cuda();
  const auto or_none = [](const std::string& version) { return version.empty() ? "none" : version; };
  auto text = line("backend", parts.problem.empty() ? "there" : fmt::format("none: {}", parts.problem));
  if (parts.problem.empty()) {
    text += line("runtime", or_none(parts.runtime));
    text += line("cuBLAS", or_none(parts.blas));
    text += line("cuDNN", or_none(parts.dnn));
    text += line("NCCL", or_none(parts.nccl));
    text += line("driver", or_none(parts.driver.empty() ? "" : fmt::format("for CUDA {}", parts.driver)));
  }
  for (std::size_t i = 0; i < parts.devices.size(); ++i) {
    text += line(fmt::format("cuda:{}", i), device_text(parts.devices[i]));
  }
  if (parts.devices.empty()) text += line("GPUs", fmt::format("none: {}", parts.reason));
  return text;
}

}  // namespace

Options options_of(DevicesCommand&) { return {}; }

void run(const DevicesCommand&) {
  print(
      fmt::format("{}\nCPU (--device cpu)\n{}CUDA (--device cuda)\n{}", version_text(), processor(), cuda()));
}

}  // namespace warpfit
