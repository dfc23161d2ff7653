#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "host/base/error.hpp"
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
  std::array<std::uint64_t, kLevels> counts{};  // of each value
  std::uint32_t crc32 = 0;                      // of the decoded file, as gzip has it
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
    contents.crc32 = crc32_of(std::as_bytes(std::span(piece)), contents.crc32);
  }
  file.check_unchanged(file.count());
  return contents;
}

// The lines that images and labels have in common.
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
  std::uint64_t sum = 0;
  for (std::size_t value = 0; value < kLevels; ++value) sum += value * counts[value];
  const auto mean = static_cast<double>(sum) / static_cast<double>(file.count() * file.sample_size());
  return summary(file, "samples", min, max) +
         fmt::format("mean        {:.4f}, {:.4f} of 255\n", mean, mean / 255) + checksum_line(contents);
}

// Empty if there is no file of names next to the labels, or it cannot be read: a description needs none.
std::vector<std::string> known_names(const std::string& labels) {
  try {
    const auto path = class_names_next_to(labels);
    return path.empty() ? std::vector<std::string>() : read_class_names(path);
  } catch (const Error&) {
    return {};
  }
}

void describe_labels(const IdxFile& file, const TextSink& print) {
  check_is_labels(file);
  const auto contents = read_contents(file);
  std::map<Label, std::uint64_t> counts;
  for (const auto label : read_labels(file)) ++counts[label];
  print(summary(file, "labels", counts.begin()->first, counts.rbegin()->first) + checksum_line(contents));
  const auto names = known_names(file.path());
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
}

// Samples of more than two dimensions stand as planes one below the other.
void draw_first(const IdxFile& file, std::int64_t drawings, const TextSink& print) {
  const auto width = file.dimensions().back();
  std::vector<std::uint8_t> sample(static_cast<std::size_t>(file.sample_size()));
  for (std::int64_t i = 0; i < std::min(drawings, file.count()); ++i) {
    file.read(i, sample);
    print(fmt::format("\nimage {}\n{}", i, drawing(sample, file.sample_size() / width, width)));
  }
}

}  // namespace

void describe_idx(const std::string& path, std::int64_t drawings, const TextSink& print) {
  const IdxFile file(path, 1, 4, IdxElements::kIntegers);
  const auto rank = file.dimensions().size();
  const bool is_bytes = file.type() == IdxType::kUint8;
  if (rank == 1 || (rank == 2 && !is_bytes)) {
    describe_labels(file, print);
    return;
  }
  if (!is_bytes) {
    throw DataError(fmt::format(
        "{}: samples of {}, expected unsigned bytes; tools/make_idx from-npy converts such images", path,
        element_name(file.type())));
  }
  print(image_summary(file, read_contents(file)));
  draw_first(file, drawings, print);
}

}  // namespace warpfit
