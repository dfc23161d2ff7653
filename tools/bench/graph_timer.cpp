#include "tools/bench/graph_timer.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <vector>

#include "cuda/runtime/copy.hpp"
#include "cuda/runtime/graph.hpp"

namespace warpfit {

Time GraphTimer::time(const std::function<void()>& call, int calls) {
  calls = std::min(calls, max_calls_);
  call();  // libraries load their kernels at the first call, which is not allowed during capture
  stream_.synchronize();
  const Graph graph(stream_.get(), [&] {
    for (int i = 0; i < calls; ++i) call();
  });
  const auto launch = [&](int times) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < times; ++i) graph.launch(stream_.get());
    stream_.synchronize();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() /
           times;
  };
  launch(1);
  const int times = std::clamp(static_cast<int>(milliseconds_ * 1000 / launch(1)), 1, 10'000);
  std::array<double, 9> rounds{};
  for (double& round : rounds) round = launch(times) / calls;
  std::sort(rounds.begin(), rounds.end());
  return {rounds[rounds.size() / 2], rounds.front()};
}

DeviceMemory zeros(Stream& stream, std::size_t bytes) {
  DeviceMemory memory(bytes);
  const std::vector<std::uint8_t> values(bytes);
  copy_to_device(memory.data(), values.data(), bytes, stream.get());
  stream.synchronize();
  return memory;
}

}  // namespace warpfit
