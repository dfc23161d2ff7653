// Kernels have internal linkage, which dladdr() does not name: the symbol table of the file does.
#include "tests/emulation/symbols.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace warpfit::emulation {
namespace {

std::vector<char> read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

template <class T>
const T* at(const std::vector<char>& bytes, std::size_t offset, std::size_t count = 1) {
  if (offset > bytes.size() || count > (bytes.size() - offset) / sizeof(T)) return nullptr;
  return reinterpret_cast<const T*>(bytes.data() + offset);
}

/// Offset from the load address -> mangled name, of the functions of a 64-bit ELF file.
std::map<std::uint64_t, std::string> functions(const char* path) {
  std::map<std::uint64_t, std::string> names;
  const std::vector<char> bytes = read(path);
  const auto* header = at<Elf64_Ehdr>(bytes, 0);
  if (header == nullptr || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0) return names;
  const auto* sections = at<Elf64_Shdr>(bytes, header->e_shoff, header->e_shnum);
  for (int i = 0; sections != nullptr && i < header->e_shnum; ++i) {
    if (sections[i].sh_type != SHT_SYMTAB) continue;
    const std::size_t count = sections[i].sh_size / sizeof(Elf64_Sym);
    const auto* symbols = at<Elf64_Sym>(bytes, sections[i].sh_offset, count);
    const std::size_t strings = sections[sections[i].sh_link].sh_offset;
    for (std::size_t s = 0; symbols != nullptr && s < count; ++s) {
      if (ELF64_ST_TYPE(symbols[s].st_info) != STT_FUNC) continue;
      const auto* name = at<char>(bytes, strings + symbols[s].st_name);
      if (name != nullptr) names[symbols[s].st_value] = name;
    }
  }
  return names;
}

/// "void (anonymous namespace)::sum<256>(float*)" -> "sum<256>".
std::string shorten(const std::string& mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(mangled.c_str(), nullptr, nullptr, &status), std::free);
  if (status != 0) return mangled;
  std::string name = text.get();
  int depth = 0;
  std::size_t end = name.size();
  std::size_t begin = 0;
  for (std::size_t i = name.size(); i-- > 0;) {  // from the back: the parameters' brackets, then the name
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
  return name.substr(begin, end - begin);
}

}  // namespace

const char* kernel_name(const void* address) {
  static std::map<const void*, std::string> known;
  static std::map<std::string, std::map<std::uint64_t, std::string>> files;
  std::string& name = known[address];
  if (!name.empty()) return name.c_str();
  name = "?";
  Dl_info info{};
  if (dladdr(address, &info) == 0) return name.c_str();
  auto& table = files[info.dli_fname];
  if (table.empty()) table = functions(info.dli_fname);
  const auto place = reinterpret_cast<std::uint64_t>(address);
  auto found = table.find(place - reinterpret_cast<std::uint64_t>(info.dli_fbase));
  if (found == table.end()) found = table.find(place);  // a program at fixed addresses
  if (found != table.end()) name = shorten(found->second);
  return name.c_str();
}

}  // namespace warpfit::emulation
