#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "host/base/error.hpp"
#include "host/base/pixel_statistics.hpp"
#include "host/base/terminal_text.hpp"
#include "host/files/crc32.hpp"
#include "host/files/file.hpp"
#include "host/inspect/describe.hpp"
#include "host/inspect/drawing.hpp"
#include "host/inspect/text_table.hpp"
#include "host/stream/class_names.hpp"
#include "host/stream/idx_file.hpp"
#include "host/stream/labels.hpp"

namespace warpfit {
namespace {

constexpr std::int64_t kPiece = 1 << 20;
constexpr std::size_t kLevels = 256;

struct Contents {
  std::array<std::uint64_t, kLevels> counts{};  // count of each value
  PixelSums sums;                               // sums of bytes
  std::uint32_t crc32 = 0;                      // CRC-32 of the decoded file, as in gzip
};

std::uint32_t crc32_of_header(const IdxFile& file) {
  std::vector<std::uint8_t> header{0, 0, static_cast<std::uint8_t>(file.type()),
                                   static_cast<std::uint8_t>(file.dimensions().size())};
  for (const auto dimension : file.dimensions()) {
    for (int shift = 24; shift >= 0; shift -= 8)
      header.push_back(static_cast<std::uint8_t>(dimension >> shift));
  }
  return crc32_of(std::as_bytes(std::span(header)));
}

Contents read_contents(const IdxFile& file) {
  Contents contents;
  contents.crc32 = crc32_of_header(file);
  const auto step = std::max<std::int64_t>(1, kPiece / file.sample_size());
  std::vector<std::uint8_t> piece;
  for (std::int64_t first = 0; first < file.count(); first += step) {
    piece.resize(static_cast<std::size_t>(std::min(step, file.count() - first) * file.sample_size()));
    file.read(first, piece);
    for (const auto value : piece) ++contents.counts[value];
    contents.sums.add(piece);
    contents.crc32 = crc32_of(std::as_bytes(std::span(piece)), contents.crc32);
  }
  file.check_unchanged(file.count());
  return contents;
}

// The lines for both images and labels.
std::string summary(const IdxFile& file, std::string_view kind, std::int64_t min, std::int64_t max) {
  const auto decoded = static_cast<std::uint64_t>(file.byte_of(file.count()));
  const auto encoded = File(file.path()).size();
  auto text = fmt::format("{}: IDX, {}\n", sanitize_for_terminal(file.path()), kind);
  text += fmt::format("dimensions  {} {}\n", fmt::join(file.dimensions(), "x"), element_name(file.type()));
  text += fmt::format("bytes       {}{}\n", decoded,
                      encoded == decoded ? std::string() : fmt::format(", {} as gzip", encoded));
  return text + fmt::format("range       {} to {}\n", min, max);
}

std::string checksum_line(const Contents& contents) {
  return fmt::format("crc32       {:08x}\n", contents.crc32);
}

std::string image_summary(const IdxFile& file, const Contents& contents) {
  const auto& counts = contents.counts;
  const auto is_there = [](std::uint64_t count) { return count > 0; };
  const auto min = std::ranges::find_if(counts, is_there) - counts.begin();
  const auto max = std::find_if(counts.rbegin(), counts.rend(), is_there).base() - counts.begin() - 1;
  const auto [mean, deviation] = contents.sums.statistics();
  return summary(file, "samples", min, max) +
         fmt::format("mean        {:.4f}, {:.4f} of 255\n", 255 * mean, mean) +
         fmt::format("std         {:.4f}, {:.4f} of 255\n", 255 * deviation, deviation) +
         checksum_line(contents);
}

// Empty if there is no file of names next to the labels or it cannot be read: names are optional.
std::vector<std::string> known_names(const std::string& labels) {
  try {
    const auto path = class_names_next_to(labels);
    return path.empty() ? std::vector<std::string>() : read_class_names(path);
  } catch (const Error&) {
    return {};
  }
}

// The labels of the images and the names of their classes, if known.
struct KnownLabels {
  std::vector<Label> labels;
  std::vector<std::string> names;

  [[nodiscard]] std::string text(std::size_t image) const {
    if (labels.empty()) return "";
    const auto label = labels[image];
    return fmt::format(": label {}{}", label, label < names.size() ? fmt::format(" ({})", names[label]) : "");
  }
};

// Describes a file of labels.
KnownLabels describe_labels(const IdxFile& file, const TextSink& print) {
  check_is_labels(file);
  KnownLabels known{read_labels(file), known_names(file.path())};
  const auto& names = known.names;
  std::map<Label, std::uint64_t> counts;
  for (const auto label : known.labels) ++counts[label];
  print(summary(file, "labels", counts.begin()->first, counts.rbegin()->first) +
        checksum_line(read_contents(file)));
  using enum TextTable::Align;
  std::vector<TextTable::Column> columns{{"label", kRight}, {"count", kRight}};
  if (!names.empty()) columns.push_back({"name", kLeft});
  TextTable table(columns);
  for (const auto& [label, count] : counts) {
    std::vector<std::string> row{std::to_string(label), std::to_string(count)};
    if (!names.empty()) row.push_back(label < names.size() ? names[label] : "");
    table.add(row);
  }
  print(fmt::format("\n{}", table.text()));
  return known;
}

// The planes of samples of more than two dimensions are drawn one below the other.
void draw_first(const IdxFile& file, const SampleOrientation& orientation, const KnownLabels& known,
                std::int64_t drawings, const TextSink& print) {
  const auto width = orientation.shape().back();
  std::vector<std::uint8_t> sample(static_cast<std::size_t>(file.sample_size()));
  for (std::int64_t i = 0; i < std::min(drawings, file.count()); ++i) {
    file.read(i, sample);
    orientation.apply(sample);
    print(fmt::format("\nimage {}{}\n{}", i, known.text(static_cast<std::size_t>(i)),
                      drawing(sample, file.sample_size() / width, width)));
  }
}

// One column has labels, and so have QMNIST's eight of 32-bit integers: check_is_labels() accepts both.
bool has_images(const IdxFile& file) {
  constexpr std::int64_t kQmnistColumns = 8;
  const auto& dimensions = file.dimensions();
  if (dimensions.size() != 2) return dimensions.size() > 2;
  return dimensions[1] != 1 && (dimensions[1] != kQmnistColumns || file.type() == IdxType::kUint8);
}

}  // namespace

void describe_idx(const std::string& path, const IdxDescription& description, const TextSink& print) {
  IdxFile file(path, 1, 4, IdxElements::kAny, IdxFile::Decode::kLater);
  const std::string_view only_images = description.layout.is_transposed ? "--transpose"
                                       : description.labels.empty()     ? ""
                                                                        : "--labels";
  if (!has_images(file)) {
    if (!only_images.empty()) throw UsageError(fmt::format("{}: {} has no images", only_images, path));
    file.check_elements(IdxElements::kIntegers);
    file.decode();
    describe_labels(file, print);
    return;
  }
  file.check_elements(IdxElements::kBytes);
  const SampleOrientation orientation(file.dimensions(), description.layout, path);
  file.decode();
  print(image_summary(file, read_contents(file)));
  KnownLabels known;
  if (!description.labels.empty()) {
    const IdxFile labels(description.labels, 1, 2, IdxElements::kIntegers);
    check_counts(file, labels);
    print("\n");
    known = describe_labels(labels, print);
  }
  draw_first(file, orientation, known, description.drawings, print);
}

}  // namespace warpfit
