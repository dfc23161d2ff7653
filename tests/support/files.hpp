// Files for tests: IDX and safetensors data as bytes, gzip, and a folder that goes away with its owner.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace warpfit::test {

using Bytes = std::vector<std::uint8_t>;

/// An IDX file of unsigned bytes; `elements` may be of any size, right or wrong.
Bytes idx(const std::vector<std::uint32_t>& dimensions, const Bytes& elements, std::uint8_t type = 0x08);

/// A safetensors file of this header and data, right or wrong.
Bytes safetensors(std::string_view header, const Bytes& data = {});

/// `bytes`, and as many zeros behind them, as one gzip member; the zeros take no memory.
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
  /// Writes a file in it and gives its path.
  std::string add(const std::string& name, const Bytes& bytes) const;

 private:
  std::filesystem::path path_;
};

/// The repository, or what WARPFIT_SOURCE_DIR names where the tests were carried to another machine.
std::filesystem::path source_folder();

/// The repository's sample of Fashion-MNIST: 300 training and 100 test images.
std::filesystem::path sample_folder();

/// The whole Fashion-MNIST; "" where it is not there.
std::filesystem::path fashion_mnist_folder();
/// For SetUp(): skips the test where it is not there; with WARPFIT_REQUIRE_DATA set it fails.
void require_fashion_mnist();

}  // namespace warpfit::test
