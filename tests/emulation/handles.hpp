// Handles that the program gets: numbers that are never reused, so that use of a destroyed handle is
// detected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tests/emulation/emulation.hpp"

namespace warpfit::emulation {

/// The objects of all handles of type Handle. No two tables use the same numbers.
template <class Handle, class Object>
class Handles {
 public:
  /// `what` names an object in messages ("a stream"); `family` is a number that only this table uses.
  Handles(const char* what, std::uintptr_t family) : what_(what), first_(family << 40) {
    if (next_ == 0) next_ = first_ + 16;
  }

  Handle add(std::shared_ptr<Object> object) {
    const Handle handle = reinterpret_cast<Handle>(next_);
    next_ += 16;
    objects_.emplace(handle, std::move(object));
    return handle;
  }

  /// The object, or null if the handle never existed; fails if it was destroyed.
  std::shared_ptr<Object> find(Handle handle) const {
    const auto found = objects_.find(handle);
    if (found != objects_.end()) return found->second;
    const auto number = reinterpret_cast<std::uintptr_t>(handle);
    if (number > first_ && number < next_ && number % 16 == 0)
      fail("%s is used after it was destroyed", what_);
    return nullptr;
  }

  std::shared_ptr<Object> remove(Handle handle) {
    std::shared_ptr<Object> object = find(handle);
    if (object) objects_.erase(handle);
    return object;
  }

  std::vector<std::shared_ptr<Object>> all() const {
    std::vector<std::shared_ptr<Object>> all;
    for (const auto& [handle, object] : objects_) all.push_back(object);
    return all;
  }

  std::size_t size() const { return objects_.size(); }
  void clear() { objects_.clear(); }

  template <class F>
  void for_each(F f) const {
    for (const auto& [handle, object] : objects_) f(*object);
  }

 private:
  const char* what_;
  std::uintptr_t first_;
  inline static std::uintptr_t next_ =
      0;  ///< shared by all machines, so that handles of an old machine are known to be destroyed
  std::unordered_map<Handle, std::shared_ptr<Object>> objects_;
};

}  // namespace warpfit::emulation
