// A shared library of NVIDIA's that is loaded when it is first needed: nothing of ours needs it to start.
#pragma once

#include <string>
#include <type_traits>

namespace warpfit {

class DynamicLibrary {
 public:
  /// Loads `file`; it stays loaded. `product`, as "cuDNN", and `needed`, as "cuDNN 9", are for messages.
  /// Errors: DeviceError if it cannot be loaded.
  DynamicLibrary(const char* file, const char* product, const char* needed);

  /// Looks up the function `symbol`. Errors: DeviceError if the library has none.
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
