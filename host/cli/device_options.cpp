#include "host/cli/device_options.hpp"

#include <fmt/core.h>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/cli/option_rows.hpp"
#include "host/report/log.hpp"

namespace warpfit {

DeviceChoice parse_device(std::string_view text) {
  using Kind = DeviceChoice::Kind;
  constexpr std::string_view kCudaPrefix = "cuda:";
  if (text == "auto") return {Kind::kAuto};
  if (text == "cpu") return {Kind::kCpu};
  if (text == "cuda") return {Kind::kCuda};
  if (text.starts_with(kCudaPrefix)) {
    const auto index = parse_number<int>(text.substr(kCudaPrefix.size()));
    if (index && *index >= 0) return {Kind::kCuda, *index, false};
  }
  throw UsageError(
      fmt::format("--device {}: expected auto, cpu, cuda or cuda:N (N counts GPUs from 0)", text));
}

BackendOptions backend_options(const DeviceFlags& device) {
  return {parse_device(device.name), device.threads.value_or(0), device.precision, device.fast, log_warning};
}

Options device_options(DeviceFlags& device) {
  constexpr std::string_view kDevice = "Device";
  constexpr int kMaxThreads = 1024;
  Options rows;
  rows.push_back(text({kDevice, "--device", "NAME", "device to run on; auto uses a GPU if there is one"},
                      "auto, cpu, cuda or cuda:N", device.name));
  rows.push_back(number<int>({kDevice, "--threads", "N", "number of CPU threads"}, 1, kMaxThreads,
                             device.threads, "all usable cores"));
  rows.push_back(choice<Precision>(
      {kDevice, "--precision", "TYPE", "precision of matrix products on a GPU; accumulation is fp32"},
      {{"fp32", Precision::kFp32}, {"tf32", Precision::kTf32}, {"bf16", Precision::kBf16}},
      device.precision));
  rows.push_back(
      on_off({kDevice, "--fast", "",
              "let convolutions on a GPU use kernels whose results differ from run to run, or that "
              "round more (Winograd, FFT)"},
             device.fast));
  return rows;
}

}  // namespace warpfit
