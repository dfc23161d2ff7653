#include "tests/support/files.hpp"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace warpfit::test {

Bytes idx(const std::vector<std::uint32_t>& dimensions, const Bytes& elements, std::uint8_t type) {
  Bytes bytes{0, 0, type, static_cast<std::uint8_t>(dimensions.size())};
  for (const std::uint32_t dimension : dimensions) {
    for (int shift = 24; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<std::uint8_t>(dimension >> shift));
  }
  return bytes + elements;
}

Bytes safetensors(std::string_view header, const Bytes& data) {
  Bytes bytes;
  for (int shift = 0; shift < 64; shift += 8)
    bytes.push_back(static_cast<std::uint8_t>(header.size() >> shift));
  return bytes + Bytes(header.begin(), header.end()) + data;
}

Bytes gzip(const Bytes& bytes, std::size_t zeros) {
  z_stream stream{};
  constexpr int kGzip = MAX_WBITS + 16;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  Bytes packed(deflateBound(&stream, bytes.size() + zeros / 100) + 32);
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  const auto add = [&stream](const Bytes& more, std::size_t count, int flush) {
    stream.next_in = const_cast<std::uint8_t*>(more.data());
    stream.avail_in = static_cast<uInt>(count);
    return deflate(&stream, flush);
  };
  bool well = add(bytes, bytes.size(), Z_NO_FLUSH) == Z_OK || bytes.empty();
  const Bytes block(1 << 16);
  for (std::size_t left = zeros; left > 0 && well; left -= std::min(left, block.size())) {
    well = add(block, std::min(left, block.size()), Z_NO_FLUSH) == Z_OK;
  }
  well = well && add({}, 0, Z_FINISH) == Z_STREAM_END;
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  if (!well) throw std::runtime_error("deflate");
  return packed;
}

Bytes operator+(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

void write_file(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "warpfit-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::add(const std::string& name, const Bytes& bytes) const {
  write_file(path_ / name, bytes);
  return (path_ / name).string();
}

std::filesystem::path source_folder() {
  const char* moved = std::getenv("WARPFIT_SOURCE_DIR");
  return moved != nullptr ? moved : WARPFIT_SOURCE_DIR;
}

std::filesystem::path sample_folder() { return source_folder() / "data/sample"; }

std::filesystem::path fashion_mnist_folder() {
  for (const std::filesystem::path& folder :
       {source_folder() / "data/fashion-mnist", std::filesystem::path("/usr/share/datasets/fashion-mnist")}) {
    if (std::filesystem::exists(folder / "train-images-idx3-ubyte.gz")) return folder;
  }
  return {};
}

void require_fashion_mnist() {
  if (!fashion_mnist_folder().empty()) return;
  constexpr const char* kReason = "needs Fashion-MNIST: run tools/fetch_data";
  if (std::getenv("WARPFIT_REQUIRE_DATA") != nullptr) FAIL() << kReason;
  GTEST_SKIP() << kReason;
}

}  // namespace warpfit::test
