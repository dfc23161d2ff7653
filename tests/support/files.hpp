// Test files: IDX and safetensors data as bytes, gzip, and a temporary folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

using Bytes = std::vector<std::uint8_t>;

/// An IDX file of unsigned bytes; the number of `elements` need not match the dimensions.
Bytes idx(const std::vector<std::uint32_t>& dimensions, const Bytes& elements, std::uint8_t type = 0x08);

/// A safetensors file with this header and data, which need not be valid.
Bytes safetensors(std::string_view header, const Bytes& data = {});

/// `bytes` followed by `zeros` zero bytes as one gzip member; the zeros take no memory.
Bytes gzip(const Bytes& bytes, std::size_t zeros = 0);
Bytes operator+(Bytes first, const Bytes& second);

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
Bytes read_file(const std::filesystem::path& path);

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  /// Writes a file into the folder and returns its path.
  std::string add(const std::string& name, const Bytes& bytes) const;

 private:
  std::filesystem::path path_;
};

/// The root of the repository, or WARPFIT_SOURCE_DIR if the tests were copied to another machine.
std::filesystem::path source_folder();

/// The repository's sample of Fashion-MNIST: 300 training and 100 test images.
std::filesystem::path sample_folder();

/// The folder of the full Fashion-MNIST; "" if it is not installed.
std::filesystem::path fashion_mnist_folder();
/// For SetUp(): skips the test if Fashion-MNIST is not installed; fails if WARPFIT_REQUIRE_DATA is set.
void require_fashion_mnist();

}  // namespace warpfit::test
