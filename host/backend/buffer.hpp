// Owners of a backend's memory.
#pragma once

#include <cstddef>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "host/backend/backend.hpp"

namespace warpfit {

/// `size` values of T in a backend's memory, freed by the destructor; the backend must outlive it.
template <class T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  Buffer(Backend& backend, std::size_t size)
      : backend_(&backend), data_(static_cast<T*>(backend.allocate(size * sizeof(T)))), size_(size) {}
  Buffer(Backend& backend, std::span<const T> values) : Buffer(backend, values.size()) { upload(values); }
  Buffer(Buffer&& other) noexcept { swap(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    Buffer(std::move(other)).swap(*this);
    return *this;
  }
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() {
    if (data_ != nullptr) backend_->deallocate(data_);
  }

  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::span<T> view() const { return {data_, size_}; }
  [[nodiscard]] std::span<T> view(std::size_t count) const { return view().first(count); }

  void upload(std::span<const T> values) const {
    if (!values.empty()) backend_->upload(std::as_bytes(values), data_);
  }
  void download(std::span<T> values) const {
    if (!values.empty()) backend_->download(data_, std::as_writable_bytes(values));
  }
  [[nodiscard]] std::vector<T> to_host() const {
    std::vector<T> values(size_);
    download(values);
    return values;
  }

 private:
  void swap(Buffer& other) noexcept {
    std::swap(backend_, other.backend_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  Backend* backend_ = nullptr;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace warpfit
