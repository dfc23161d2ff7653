// IDX files: a pair of images and labels, and `warpfit inspect` on each. The input is the length of the
// images' file (2 bytes, little-endian), that file, and then the labels' file; either may be compressed with
// gzip.
#include <algorithm>

#include "host/inspect/describe.hpp"
#include "host/stream/dataset.hpp"
#include "tests/fuzz/target.hpp"
#include "tests/fuzz/try_read.hpp"

namespace warpfit::fuzz {
namespace {

constexpr std::size_t kLengthSize = 2;

Bytes pair(const Bytes& images, const Bytes& labels) {
  using test::operator+;
  return Bytes{static_cast<std::uint8_t>(images.size()), static_cast<std::uint8_t>(images.size() >> 8)} +
         images + labels;
}

bool is_gzip(Input file) { return file.size() > 1 && file[0] == 0x1F && file[1] == 0x8B; }

// Accepted files without compression must equal what the IDX writer makes of the same dimensions and
// elements.
void check_round_trip(const std::string& path, Input input) {
  const IdxFile file(path, 1, 4);
  std::vector<std::uint32_t> dimensions;
  for (const auto dimension : file.dimensions()) dimensions.push_back(static_cast<std::uint32_t>(dimension));
  Bytes elements(static_cast<std::size_t>(file.count() * file.sample_size()));
  file.read(0, elements);
  if (!is_gzip(input)) require(std::ranges::equal(test::idx(dimensions, elements), input), "IDX round trip");
}

void read_set(const Dataset& set) {
  const auto count = static_cast<std::size_t>(set.size());
  const auto size = static_cast<std::size_t>(set.sample_size());
  Bytes pixels(count * size), gathered(count * size);
  std::vector<Label> labels(count), gathered_labels(count);
  set.read(0, pixels, labels);
  std::vector<std::uint32_t> backwards;
  for (std::size_t i = count; i-- > 0;) backwards.push_back(static_cast<std::uint32_t>(i));
  set.gather(backwards, gathered, gathered_labels);
  for (std::size_t i = 0; i < count; ++i) {
    const auto sample = [&](const Bytes& all, std::size_t index) {
      return std::span(all).subspan(index * size, size);
    };
    require(labels[i] == gathered_labels[count - 1 - i], "gather and read give the same labels");
    require(std::ranges::equal(sample(pixels, i), sample(gathered, count - 1 - i)),
            "gather and read give the same samples");
    require(labels[i] < set.classes(), "labels are below the number of classes");
  }
  try_read([&] { set.check_labels_below(10); });
}

}  // namespace

void read(Input input) {
  static InputFile images_file, labels_file;
  if (input.size() < kLengthSize) return;
  const auto rest = input.subspan(kLengthSize);
  const auto images = rest.first(std::min<std::size_t>(input[0] | input[1] << 8, rest.size()));
  const auto labels = rest.subspan(images.size());
  const auto& images_path = images_file.holding(images);
  const auto& labels_path = labels_file.holding(labels);
  try_read([&] { check_round_trip(images_path, images); });
  try_read([&] { check_round_trip(labels_path, labels); });
  try_read([&] { describe_idx(images_path, {.drawings = 3, .labels = labels_path}, check_text); });
  try_read([&] { describe_idx(labels_path, {.drawings = 3}, check_text); });
  try_read(
      [&] { describe_idx(images_path, {.drawings = 1, .layout = {.is_transposed = true}}, check_text); });
  try_read([&] { read_set(Dataset(images_path, labels_path, SampleLayout{.is_transposed = true})); });
  try_read([&] { read_set(Dataset(images_path, labels_path, {.channels = ChannelOrder::kLast})); });
  read_set(Dataset(images_path, labels_path));
}

std::vector<Bytes> seeds() {
  const auto images = test::idx({3, 2, 4}, Bytes(24, 7));
  const auto labels = test::idx({3}, {0, 9, 1});
  return {pair(images, labels),
          pair(test::gzip(images), test::gzip(labels)),
          pair(test::idx({2, 5}, Bytes(10, 255)), test::idx({2}, {1, 0})),
          pair(test::idx({1, 1, 2, 3}, Bytes(6)), test::idx({1}, {255})),
          pair(images, test::idx({3}, {0, 0, 1, 44, 0, 2}, 0x0B)),
          pair(images, test::idx({3, 8}, Bytes(96), 0x0C)),
          pair(Bytes(32, '<'), labels)};
}

std::vector<std::string> words() {
  using namespace std::string_literals;
  return {"\0\0\x08\x01"s, "\0\0\x08\x03"s, "\0\0\x0D\x03"s, "\0\0\x0B\x01"s,
          "\0\0\x0C\x02"s, "\x1F\x8B\x08"s, "\0\0\0\x01"s,   "\xFF\xFF\xFF\xFF"s};
}

}  // namespace warpfit::fuzz
