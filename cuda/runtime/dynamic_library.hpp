// An NVIDIA library that is loaded when it is first needed, so that the program starts without it.
#pragma once

#include <string>
#include <type_traits>

namespace warpfit {

class DynamicLibrary {
 public:
  /// Loads `file`, which stays loaded. `product`, such as "cuDNN", and `needed`, such as "cuDNN 9", are used
  /// in messages. Errors: DeviceError if it cannot be loaded.
  DynamicLibrary(const char* file, const char* product, const char* needed);

  /// Looks up the function `symbol`. Errors: DeviceError if the library does not have it.
  template <class Function>
  void find(Function& function, const char* symbol) const {
    static_assert(std::is_pointer_v<Function>);
    function = reinterpret_cast<Function>(address(symbol));
  }

 private:
  [[nodiscard]] void* address(const char* symbol) const;

  std::string file_, product_, needed_;
  void* handle_;
};

}  // namespace warpfit
