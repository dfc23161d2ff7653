#include "host/report/evaluation_text.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "host/base/terminal_text.hpp"
#include "host/files/json.hpp"

namespace warpfit {
namespace {

double accuracy(const Confusion& confusion) {
  return static_cast<double>(confusion.correct()) / static_cast<double>(confusion.samples());
}

std::string class_row(std::string_view number, const ClassScores& scores, std::int64_t support,
                      const std::string& name = "") {
  return fmt::format("{:>5} {:>10.4f} {:>10.4f} {:>10.4f} {:>10}{}{}\n", number, scores.precision,
                     scores.recall, scores.f1, support, name.empty() ? "" : "  ", name);
}

std::string class_table(const Confusion& confusion, std::span<const std::string> names) {
  auto text =
      fmt::format("{:>5} {:>10} {:>10} {:>10} {:>10}\n", "class", "precision", "recall", "f1", "support");
  for (std::int64_t c = 0; c < confusion.classes(); ++c) {
    const auto name = names.empty() ? "" : sanitize_for_terminal(names[static_cast<std::size_t>(c)]);
    text += class_row(std::to_string(c), confusion.scores(c), confusion.support(c), name);
  }
  return text + class_row("macro", confusion.macro_average(), confusion.samples());
}

// Columns are as wide as the largest count and class.
std::string matrix(const Confusion& confusion) {
  const std::int64_t classes = confusion.classes();
  std::int64_t largest = classes;
  for (std::int64_t label = 0; label < classes; ++label) {
    for (std::int64_t c = 0; c < classes; ++c) largest = std::max(largest, confusion.count(label, c));
  }
  const auto width = std::to_string(largest).size() + 1;
  auto text = fmt::format("{:>5}", "");
  for (std::int64_t c = 0; c < classes; ++c) text += fmt::format("{:>{}}", c, width);
  text += '\n';
  for (std::int64_t label = 0; label < classes; ++label) {
    text += fmt::format("{:>5}", label);
    for (std::int64_t c = 0; c < classes; ++c)
      text += fmt::format("{:>{}}", confusion.count(label, c), width);
    text += '\n';
  }
  return text;
}

std::string scores_json(const ClassScores& scores) {
  return fmt::format(R"("precision":{},"recall":{},"f1":{})", scores.precision, scores.recall, scores.f1);
}

// "[a,b]" from the results of `entry` for each class.
template <class Entry>
std::string json_array(std::int64_t classes, const Entry& entry) {
  std::string text = "[";
  for (std::int64_t c = 0; c < classes; ++c) {
    if (c > 0) text += ',';
    text += entry(c);
  }
  return text + ']';
}

}  // namespace

std::string evaluation_text(const EvaluationFindings& findings) {
  const auto& confusion = findings.confusion;
  const auto text = fmt::format("Accuracy: {:.1f}% ({} of {}), Avg loss: {:>8f}\n\n{}",
                                100 * accuracy(confusion), confusion.correct(), confusion.samples(),
                                findings.loss, class_table(confusion, findings.class_names));
  if (!confusion.has_matrix()) return text;
  return fmt::format("{}\nconfusion (rows: true class, columns: predicted)\n{}", text, matrix(confusion));
}

std::string evaluation_json(const EvaluationFindings& findings) {
  const auto& confusion = findings.confusion;
  const std::int64_t classes = confusion.classes();
  const auto of_class = [&](std::int64_t c) {
    const auto name =
        findings.class_names.empty()
            ? std::string()
            : fmt::format(R"("name":{},)",
                          json_quoted(findings.class_names[static_cast<std::size_t>(c)], "class names"));
    return fmt::format(R"({{"class":{},{}{},"support":{}}})", c, name, scores_json(confusion.scores(c)),
                       confusion.support(c));
  };
  const auto row = [&](std::int64_t label) {
    return json_array(classes, [&](std::int64_t c) { return std::to_string(confusion.count(label, c)); });
  };
  return fmt::format(
      R"({{"samples":{},"batch_size":{},"loss":{},"correct":{},"accuracy":{},"classes":{},"macro":{{{}}},"confusion":{}}})"
      "\n",
      confusion.samples(), findings.batch_size, findings.loss, confusion.correct(), accuracy(confusion),
      json_array(classes, of_class), scores_json(confusion.macro_average()),
      confusion.has_matrix() ? json_array(classes, row) : "null");
}

}  // namespace warpfit
