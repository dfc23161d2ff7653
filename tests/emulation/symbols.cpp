// Finds kernel names in the file's symbol table: kernels have internal linkage, and dladdr() does not name
// such functions.
#include "tests/emulation/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace warpfit::emulation {
namespace {

/// The bytes of a file, mapped until the process ends; empty on failure.
std::span<const char> map(const char* path) {
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  struct stat status {};
  void* bytes = MAP_FAILED;
  if (fstat(file, &status) == 0) bytes = mmap(nullptr, status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
  close(file);
  if (bytes == MAP_FAILED) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(status.st_size)};
}

template <class T>
const T* at(std::span<const char> bytes, std::size_t offset, std::size_t count = 1) {
  if (offset > bytes.size() || count > (bytes.size() - offset) / sizeof(T)) return nullptr;
  return reinterpret_cast<const T*>(bytes.data() + offset);
}

/// The mangled name of the function in a 64-bit ELF file that begins at one of the two addresses; null if
/// there is none.
const char* function_at(std::span<const char> bytes, std::uint64_t address, std::uint64_t other) {
  const auto* header = at<Elf64_Ehdr>(bytes, 0);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return nullptr;
  const auto* sections = at<Elf64_Shdr>(bytes, header->e_shoff, header->e_shnum);
  for (int i = 0; sections != nullptr && i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const std::size_t count = sections[i].sh_size / sizeof(Elf64_Sym);
    const auto* symbols = at<Elf64_Sym>(bytes, sections[i].sh_offset, count);
    const std::size_t strings = sections[sections[i].sh_link].sh_offset;
    for (std::size_t s = 0; symbols != nullptr && s < count; ++s) {
      const bool here = symbols[s].st_value == address || symbols[s].st_value == other;
      if (here && ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC)
        return at<char>(bytes, strings + symbols[s].st_name);
    }
  }
  return nullptr;
}

/// "void (anonymous namespace)::sum<256>(float*)" -> "sum<256>".
std::string shorten(const std::string& mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  if (status != 0) return mangled;
  const std::string_view name = text.get();
  int depth = 0;
  std::size_t end = name.size();
  std::size_t begin = 0;
  for (std::size_t i = name.size();
       i-- > 0;) {  // from the end: the parentheses of the parameters, then the name
    const char c = name[i];
    if (c == ')' || c == '>') ++depth;
    if (c == '(' || c == '<') --depth;
    if (c == '(' && depth == 0 && end == name.size())
      end = i;
    else if (depth == 0 && end != name.size() && (c == ':' || c == ' ')) {
      begin = i + 1;
      break;
    }
  }
  return std::string(name.substr(begin, end - begin));
}

}  // namespace

const char* kernel_name(const void* address) {
  static std::map<const void*, std::string> known;
  static std::map<std::string, std::span<const char>> files;
  std::string& name = known[address];
  if (!name.empty()) return name.c_str();
  name.assign(1, '?');
  Dl_info info{};
  if (dladdr(address, &info) == 0) return name.c_str();
  std::span<const char>& file = files[info.dli_fname];
  if (file.empty()) file = map(info.dli_fname);
  const auto absolute = reinterpret_cast<std::uint64_t>(
      address);  // for a program linked at fixed addresses, the address in the file
  const char* found = function_at(file, absolute - reinterpret_cast<std::uint64_t>(info.dli_fbase), absolute);
  if (found != nullptr) name = shorten(found);
  return name.c_str();
}

}  // namespace warpfit::emulation
