#include <fmt/core.h>

#include "host/base/terminal_text.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/metadata_lines.hpp"
#include "host/inspect/tensor_rows.hpp"

namespace warpfit {

void describe_safetensors(const std::string& path, const TextSink& print) {
  const SafetensorsFile file(path);
  print(fmt::format("{}: safetensors, {}\n", sanitize_for_terminal(path),
                    file.checksum().empty() ? std::string("without a checksum")
                                            : fmt::format("checksum {}: OK", file.checksum())));
  print_metadata(file.metadata(), print);
  TensorRows rows;
  for (const auto& tensor : file.tensors()) {
    const auto read = [&](std::uint64_t offset, std::span<std::byte> out) { file.read(tensor, offset, out); };
    rows.add(tensor.name, dtype_name(tensor.dtype), tensor.dtype, tensor.shape,
             TensorRows::Data{tensor.size, read});
  }
  print("\n");
  rows.print(print);
}

}  // namespace warpfit
