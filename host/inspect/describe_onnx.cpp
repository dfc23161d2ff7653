#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/base/printable.hpp"
#include "host/base/terminal_text.hpp"
#include "host/files/onnx_file.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/metadata_lines.hpp"
#include "host/inspect/tensor_rows.hpp"

namespace warpfit {
namespace {

constexpr std::size_t kMaxName = 200;
constexpr std::size_t kMaxList = 4000;

// "x FLOAT batch x 28 x 28"
std::string value_line(std::string_view what, const OnnxModel::Value& value) {
  auto text = fmt::format("{:<12}{} {}", what, printable(value.name, kMaxName),
                          value.type.empty() ? std::string("of no tensor type") : value.type);
  if (!value.shape.empty())
    text += fmt::format(" {}", printable(fmt::format("{}", fmt::join(value.shape, "x")), kMaxName));
  return text + "\n";
}

std::string operator_sets(const OnnxModel& model) {
  std::string text;
  for (const auto& [domain, version] : model.operator_sets) {
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", version, domain.empty() ? "" : " of ",
                        printable(domain, kMaxName));
  }
  return shorten(text, kMaxList);
}

}  // namespace

void describe_onnx(const std::string& path, const TextSink& print) {
  const OnnxFile file(path);
  const auto& model = file.model();
  print(fmt::format("{}: ONNX, IR version {}\n", sanitize_for_terminal(path), model.ir_version));
  if (!model.producer.empty()) {
    print(fmt::format("producer    {}{}{}\n", printable(model.producer, kMaxName),
                      model.producer_version.empty() ? "" : " ",
                      printable(model.producer_version, kMaxName)));
  }
  print(fmt::format("opset       {}\n", operator_sets(model)));
  for (const auto& value : model.inputs) print(value_line("input", value));
  for (const auto& value : model.outputs) print(value_line("output", value));
  print(fmt::format("nodes       {}{}{}\n", model.operators.size(), model.operators.empty() ? "" : ": ",
                    printable(fmt::format("{}", fmt::join(model.operators, ", ")), kMaxList)));
  print_metadata(model.metadata, print);

  TensorRows rows;
  for (const auto& tensor : model.initializers) {
    std::optional<TensorRows::Data> data;
    if (tensor.data) {
      const auto read = [&](std::uint64_t offset, std::span<std::byte> out) {
        file.read(tensor.data->byte + offset, out);
      };
      data = TensorRows::Data{tensor.data->size, read};
    }
    rows.add(tensor.name, tensor.type, tensor.dtype, tensor.shape, data);
  }
  print("\n");
  rows.print(print);
}

}  // namespace warpfit
