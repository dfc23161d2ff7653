#include "host/report/benchmark.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "host/files/json.hpp"
#include "host/inspect/text_table.hpp"

namespace warpfit {
namespace {

constexpr double kGiga = 1e9;
constexpr double kMicro = 1e-6;
constexpr auto kRight = TextTable::Align::kRight;

std::string quoted(const std::string& text) { return json_quoted(text, "benchmark"); }

std::string json(const Spread& spread) {
  return fmt::format(R"({{"median":{},"lowest":{},"highest":{}}})", spread.median, spread.lowest,
                     spread.highest);
}

// "-" if there is nothing to divide by, or if the time of a phase was too small to be measured.
std::string rate(double count, double seconds) {
  return count > 0 && seconds > 0 ? fmt::format("{:.1f}", count / seconds / kGiga) : "-";
}

std::string phase_table(const BenchmarkFindings& findings) {
  TextTable table({{"phase"},
                   {"us a step", kRight},
                   {"lowest", kRight},
                   {"highest", kRight},
                   {"share", kRight},
                   {"GFLOP/s", kRight},
                   {"GB/s", kRight}});
  const auto step = std::ranges::find(findings.phases, "step", &PhaseTime::name);
  for (const auto& [name, seconds, flop, bytes] : findings.phases) {
    const auto microseconds = [](double value) { return fmt::format("{:.1f}", value / kMicro); };
    const double share = seconds.median / step->seconds.median;
    table.add({name, microseconds(seconds.median), microseconds(seconds.lowest),
               microseconds(seconds.highest), fmt::format("{:.1f}%", 100 * share), rate(flop, seconds.median),
               rate(bytes, seconds.median)});
  }
  return table.text();
}

std::string kernel_phase_table(const BenchmarkFindings& findings) {
  if (findings.kernel_phases.empty()) return "";
  TextTable table({{"phase of the fused kernel"}, {"us a step", kRight}, {"slowest block", kRight}});
  double median = 0;
  const auto add = [&](const std::string& name, double middle, double slowest) {
    table.add({name, fmt::format("{:.2f}", middle / kMicro), fmt::format("{:.2f}", slowest / kMicro)});
  };
  for (const auto& phase : findings.kernel_phases) {
    add(phase.name, phase.median, phase.slowest);
    median += phase.median;
  }
  table.add({"sum", fmt::format("{:.2f}", median / kMicro), ""});
  return table.text() + "\n";
}

std::string path_table(const BenchmarkFindings& findings) {
  TextTable table(
      {{"path"}, {"samples/s", kRight}, {"lowest", kRight}, {"highest", kRight}, {"GB/s", kRight}});
  const auto bytes = static_cast<double>(findings.sample_bytes);
  const auto add = [&](const std::string& name, const Spread& samples) {
    const auto whole = [](double value) { return fmt::format("{:.0f}", value); };
    table.add({name, whole(samples.median), whole(samples.lowest), whole(samples.highest),
               fmt::format("{:.2f}", samples.median * bytes / kGiga)});
  };
  for (const auto& [name, samples] : findings.paths) add(name, samples);
  const auto& copies = findings.copy_bytes;
  add("large copies", {copies.median / bytes, copies.lowest / bytes, copies.highest / bytes});
  return table.text();
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {.median = median, .lowest = values.front(), .highest = values.back()};
}

std::string benchmark_text(const BenchmarkFindings& findings) {
  return fmt::format("{}\n{}, {}, batches of {}{}; {} measurements of {} steps\n\n{}\n{}{}", findings.device,
                     findings.network, findings.optimizer, findings.batch_size,
                     findings.shuffle ? ", shuffled" : "", findings.repeats, findings.steps,
                     phase_table(findings), kernel_phase_table(findings), path_table(findings));
}

std::string benchmark_json(const BenchmarkFindings& findings) {
  std::vector<std::string> phases;
  for (const auto& [name, seconds, flop, bytes] : findings.phases) {
    phases.push_back(
        fmt::format(R"({}:{{"seconds":{},"flop":{},"bytes":{}}})", quoted(name), json(seconds), flop, bytes));
  }
  std::vector<std::string> kernel_phases;
  for (const auto& [name, median, slowest] : findings.kernel_phases) {
    kernel_phases.push_back(fmt::format(R"({}:{{"median":{},"slowest":{}}})", quoted(name), median, slowest));
  }
  std::vector<std::string> paths;
  for (const auto& [name, samples] : findings.paths) {
    paths.push_back(fmt::format("{}:{}", quoted(name), json(samples)));
  }
  return fmt::format(
      R"({{"device":{},"network":{},"optimizer":{},"engine":{},"batch_size":{},"shuffle":{},"steps":{},"repeats":{},)"
      R"("sample_bytes":{},"phases":{{{}}},"kernel_phases":{{{}}},"samples_per_second":{{{}}},"copy_bytes_per_second":{}}})"
      "\n",
      quoted(findings.device), quoted(findings.network), quoted(findings.optimizer), quoted(findings.engine),
      findings.batch_size, findings.shuffle, findings.steps, findings.repeats, findings.sample_bytes,
      fmt::join(phases, ","), fmt::join(kernel_phases, ","), fmt::join(paths, ","),
      json(findings.copy_bytes));
}

}  // namespace warpfit
