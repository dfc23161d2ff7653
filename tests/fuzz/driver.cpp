// Connects a fuzz target to libFuzzer (https://llvm.org/docs/LibFuzzer.html).
//
//   fuzz_TARGET --write=FOLDER      writes FOLDER/seeds/* and FOLDER/words.dict, and ends
//   fuzz_TARGET [OPTION...] [CORPUS...]     see fuzz_TARGET -help=1
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <system_error>

#include "host/base/error.hpp"
#include "tests/fuzz/target.hpp"

namespace warpfit::fuzz {
namespace {

// The format of libFuzzer's dictionaries: a quoted token per line, characters other than printable ASCII as
// \xNN.
std::string dictionary() {
  std::string text;
  for (const auto& word : words()) {
    text += '"';
    for (const char c : word) {
      const auto code = static_cast<unsigned char>(c);
      const bool plain = code >= 0x20 && code < 0x7F && c != '"' && c != '\\';
      text += plain ? std::string(1, c) : fmt::format("\\x{:02X}", code);
    }
    text += "\"\n";
  }
  return text;
}

void write_seeds_and_dictionary(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder / "seeds");
  std::size_t number = 0;
  for (const auto& seed : seeds()) test::write_file(folder / "seeds" / fmt::format("{:02}", number++), seed);
  test::write_file(folder / "words.dict", bytes_of(dictionary()));
}

}  // namespace

void require(bool holds, const std::string& property) {
  if (!holds) throw std::logic_error(property);
}

InputFile::InputFile() : descriptor_(memfd_create("input", MFD_CLOEXEC)) {
  if (descriptor_ < 0) throw std::system_error(errno, std::generic_category(), "memfd_create");
  path_ = fmt::format("/proc/self/fd/{}", descriptor_);
}

InputFile::~InputFile() { close(descriptor_); }

const std::string& InputFile::holding(Input bytes) {
  const auto size = static_cast<ssize_t>(bytes.size());
  if (ftruncate(descriptor_, size) != 0 || pwrite(descriptor_, bytes.data(), bytes.size(), 0) != size) {
    throw std::system_error(errno, std::generic_category(), "writing the input");
  }
  return path_;
}

std::string output_path() {
  static const test::TemporaryFolder folder;
  return (folder.path() / "output").string();
}

Bytes bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

std::string_view text_of(Input input) { return {reinterpret_cast<const char*>(input.data()), input.size()}; }

}  // namespace warpfit::fuzz

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  constexpr std::string_view kWrite = "--write=";
  const std::string_view first = *argc > 1 ? (*argv)[1] : "";
  if (first.starts_with(kWrite)) {
    warpfit::fuzz::write_seeds_and_dictionary(first.substr(kWrite.size()));
    std::exit(0);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    warpfit::fuzz::read({data, size});
  } catch (const warpfit::Error& error) {
    if (error.code() != warpfit::ExitCode::kInternal) return 0;
    std::fprintf(stderr, "InternalError: %s\n", error.what());
    std::abort();
  }
  return 0;
}
