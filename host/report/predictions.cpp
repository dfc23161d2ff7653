#include "host/report/predictions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <string_view>

#include "host/files/json.hpp"
#include "host/loss/softmax.hpp"
#include "host/report/console.hpp"

namespace warpfit {
namespace {

struct ScoreName {
  std::string_view one, many;
};

ScoreName name_of(Scores scores) {
  switch (scores) {
    case Scores::kLogits:
      return {"logit", "logits"};
    case Scores::kLogProbabilities:
      return {"log_probability", "log_probabilities"};
    default:
      return {"probability", "probabilities"};
  }
}

std::string csv_header(Scores scores, std::size_t top_k, bool has_names) {
  std::string header = "index";
  for (std::size_t i = 1; i <= top_k; ++i)
    header += fmt::format(",class_{0}{2},{1}_{0}", i, name_of(scores).one,
                          has_names ? fmt::format(",name_{}", i) : "");
  return header + '\n';
}

// A field of CSV (RFC 4180): quoted if it contains a comma or a quote; quotes are doubled.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == text.npos) return text;
  std::string field = "\"";
  for (const char c : text) field.append(c == '"' ? "\"\"" : std::string(1, c));
  return field + '"';
}

std::vector<std::string> values_of(std::span<const std::int64_t> classes, std::span<const float> logits,
                                   Scores scores) {
  std::vector<double> all;
  if (scores == Scores::kProbabilities) all = softmax(logits);
  if (scores == Scores::kLogProbabilities) all = log_softmax(logits);
  std::vector<std::string> values;
  for (const auto c : classes) {
    const auto index = static_cast<std::size_t>(c);
    const float value = all.empty() ? logits[index] : static_cast<float>(all[index]);
    values.push_back(scores == Scores::kProbabilities ? fmt::format("{:.6f}", all[index])
                                                      : fmt::format("{}", value));
  }
  return values;
}

}  // namespace

PredictionWriter::PredictionWriter(PredictionFormat format, Scores scores, std::int64_t top_k,
                                   std::span<const std::string> names)
    : format_(format), scores_(scores), top_k_(static_cast<std::size_t>(top_k)), names_(names) {
  if (format_ == PredictionFormat::kCsv) held_ = csv_header(scores_, top_k_, !names_.empty());
}

void PredictionWriter::add(std::span<const float> logits) {
  classes_.resize(logits.size());
  std::iota(classes_.begin(), classes_.end(), std::int64_t{0});
  const auto better = [&](std::int64_t a, std::int64_t b) {
    const float left = logits[static_cast<std::size_t>(a)];
    const float right = logits[static_cast<std::size_t>(b)];
    return left > right || (left == right && a < b);
  };
  std::ranges::partial_sort(classes_, classes_.begin() + static_cast<std::ptrdiff_t>(top_k_), better);
  classes_.resize(top_k_);
  const auto values = values_of(classes_, logits, scores_);
  format_ == PredictionFormat::kCsv ? append_csv(values) : append_json(values);
  ++index_;

  constexpr std::size_t kMaxHeld = 1 << 16;
  if (held_.size() >= kMaxHeld) finish();
}

void PredictionWriter::finish() {
  print(held_);
  held_.clear();
}

void PredictionWriter::append_csv(std::span<const std::string> values) {
  fmt::format_to(std::back_inserter(held_), "{}", index_);
  for (std::size_t i = 0; i < top_k_; ++i) {
    fmt::format_to(std::back_inserter(held_), ",{}", classes_[i]);
    if (!names_.empty()) held_ += ',' + csv_field(names_[static_cast<std::size_t>(classes_[i])]);
    held_ += ',' + values[i];
  }
  held_ += '\n';
}

void PredictionWriter::append_json(std::span<const std::string> values) {
  std::string names;
  for (std::size_t i = 0; i < top_k_ && !names_.empty(); ++i) {
    names += names.empty() ? R"("names":[)" : ",";
    names += json_quoted(names_[static_cast<std::size_t>(classes_[i])], "class names");
  }
  if (!names.empty()) names += "],";
  fmt::format_to(std::back_inserter(held_),
                 R"({{"index":{},"classes":[{}],{}"{}":[{}]}})"
                 "\n",
                 index_, fmt::join(classes_, ","), names, name_of(scores_).many, fmt::join(values, ","));
}

}  // namespace warpfit
