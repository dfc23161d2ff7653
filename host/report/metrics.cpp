#include "host/report/metrics.hpp"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "host/files/json.hpp"
#include "host/report/log.hpp"

namespace warpfit {
namespace {

// std::monostate: the row does not have this field.
using Value = std::variant<std::monostate, std::int64_t, float, double, std::string_view>;

struct Field {
  std::string_view name;
  Value value;
};

struct Row {
  Value kind{}, epoch{}, step{}, seen{}, loss{}, learning_rate{}, gradient_norm{};
  std::optional<Result> training{}, validation{}, test{};
  Value device{}, seconds{}, evaluation_seconds{}, samples_per_second{};
};

Value loss_of(const std::optional<Result>& result) { return result ? Value(result->loss) : Value(); }
Value correct_of(const std::optional<Result>& result) { return result ? Value(result->correct) : Value(); }
Value accuracy_of(const std::optional<Result>& result) {
  return result ? Value(result->accuracy()) : Value();
}

// The only function that knows the names of the fields and their order.
auto fields_of(const Row& row) {
  return std::to_array<Field>({{"kind", row.kind},
                               {"epoch", row.epoch},
                               {"step", row.step},
                               {"seen", row.seen},
                               {"loss", row.loss},
                               {"learning_rate", row.learning_rate},
                               {"gradient_norm", row.gradient_norm},
                               {"train_loss", loss_of(row.training)},
                               {"train_correct", correct_of(row.training)},
                               {"train_accuracy", accuracy_of(row.training)},
                               {"validation_loss", loss_of(row.validation)},
                               {"validation_correct", correct_of(row.validation)},
                               {"validation_accuracy", accuracy_of(row.validation)},
                               {"test_loss", loss_of(row.test)},
                               {"test_correct", correct_of(row.test)},
                               {"test_accuracy", accuracy_of(row.test)},
                               {"device", row.device},
                               {"seconds", row.seconds},
                               {"evaluation_seconds", row.evaluation_seconds},
                               {"samples_per_second", row.samples_per_second}});
}

double per_second(std::int64_t samples, double seconds) { return static_cast<double>(samples) / seconds; }

// Returns `none` for a number that is not finite.
std::string text_of(const Value& value, std::string_view none) {
  return std::visit(
      [none](auto held) -> std::string {
        using Held = decltype(held);
        if constexpr (std::is_same_v<Held, std::monostate>)
          return {};
        else if constexpr (std::is_floating_point_v<Held>)
          return std::isfinite(held) ? fmt::format("{}", held) : std::string(none);
        else
          return fmt::format("{}", held);
      },
      value);
}

std::string csv_quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + '"';
}

std::string json_row(const Row& row, const std::string& path) {
  std::string line;
  for (const auto& [name, value] : fields_of(row)) {
    if (std::holds_alternative<std::monostate>(value)) continue;
    const auto* const text = std::get_if<std::string_view>(&value);
    line += fmt::format(R"({}"{}":{})", line.empty() ? '{' : ',', name,
                        text != nullptr ? json_quoted(*text, path) : text_of(value, "null"));
  }
  return line + "}\n";
}

std::string csv_row(const Row& row) {
  std::string line;
  for (const auto& [name, value] : fields_of(row)) line += csv_quoted(text_of(value, "")) + ',';
  line.back() = '\n';
  return line;
}

std::string csv_header() {
  std::string line;
  for (const auto& [name, value] : fields_of({})) line += fmt::format("{},", name);
  line.back() = '\n';
  return line;
}

void write(const Row& row, MetricsFile& json, MetricsFile& csv) {
  json.write(json_row(row, json.path()));
  csv.write(csv_row(row));
}

}  // namespace

MetricsReport::MetricsReport(const Folder& folder, MetricsSizes keep)
    : json_(folder, kMetricsJson, keep.json), csv_(folder, kMetricsCsv, keep.csv) {
  for (const MetricsFile* file : {&json_, &csv_}) {
    if (file->problem().empty()) continue;
    log_warning(fmt::format("{}: {}. A new file is started here, without the rows before the checkpoint",
                            file->path(), file->problem()));
  }
  if (csv_.size() == 0) csv_.write(csv_header());
}

void MetricsReport::run_started(const RunStart& run) {
  check_text(run.device, json_.path());
  device_ = run.device;
}

void MetricsReport::loss(const LossReport& report) {
  Row row{.kind = "step",
          .epoch = report.epoch,
          .step = report.step,
          .seen = report.seen,
          .loss = report.loss,
          .learning_rate = report.learning_rate,
          .seconds = report.seconds,
          .samples_per_second = per_second(report.trained, report.seconds)};
  if (report.gradient_norm) row.gradient_norm = *report.gradient_norm;
  write(row, json_, csv_);
}

void MetricsReport::epoch_ended(const EpochReport& report) {
  write({.kind = "epoch",
         .epoch = report.epoch,
         .step = report.step,
         .learning_rate = report.learning_rate,
         .training = report.training,
         .validation = report.validation,
         .test = report.test,
         .device = device_,
         .seconds = report.training_seconds,
         .evaluation_seconds = report.evaluation_seconds,
         .samples_per_second = per_second(report.trained, report.training_seconds)},
        json_, csv_);
}

void MetricsReport::flush() const {
  json_.flush();
  csv_.flush();
}

}  // namespace warpfit
