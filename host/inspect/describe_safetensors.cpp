#include <fmt/format.h>

#include "host/base/printable.hpp"
#include "host/files/safetensors_file.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/metadata_lines.hpp"
#include "host/inspect/tensor_rows.hpp"

namespace warpfit {

std::string describe_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  auto text = fmt::format("{}: safetensors, {}\n", path,
                          file.checksum().empty() ? std::string("without a checksum")
                                                  : fmt::format("its checksum {} is right", file.checksum()));
  text += metadata_lines(file.metadata());
  TensorRows rows;
  for (const auto& tensor : file.tensors()) {
    const auto read = [&](std::uint64_t offset, std::span<std::byte> out) { file.read(tensor, offset, out); };
    rows.add(tensor.name, dtype_name(tensor.dtype), tensor.dtype, tensor.shape,
             TensorRows::Data{tensor.size, read});
  }
  return text + "\n" + rows.text();
}

}  // namespace warpfit
