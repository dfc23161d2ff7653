#include "host/backend/make_backend.hpp"

#include <fmt/format.h>

#include "host/base/error.hpp"
#include "host/base/parse_number.hpp"
#include "host/cpu/cpu_backend.hpp"

namespace warpfit {

DeviceChoice parse_device(std::string_view text) {
  using Kind = DeviceChoice::Kind;
  constexpr std::string_view kCudaPrefix = "cuda:";
  if (text == "auto") return {Kind::kAuto};
  if (text == "cpu") return {Kind::kCpu};
  if (text == "cuda") return {Kind::kCuda};
  if (text.starts_with(kCudaPrefix)) {
    const auto index = parse_number<int>(text.substr(kCudaPrefix.size()));
    if (index && *index >= 0) return {Kind::kCuda, *index};
  }
  throw UsageError(
      fmt::format("--device {}: expected auto, cpu, cuda or cuda:N (N counts GPUs from 0)", text));
}

std::unique_ptr<Backend> make_backend(DeviceChoice choice, int threads) {
  if (choice.kind == DeviceChoice::Kind::kCuda) {
    throw DeviceError(fmt::format(
        "--device cuda:{}: this build has no CUDA backend; use --device cpu or --device auto", choice.index));
  }
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace warpfit
