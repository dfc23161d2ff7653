#include "cuda/runtime/dnn_descriptor.hpp"

#include <algorithm>
#include <utility>

namespace warpfit {

DnnDescriptor::DnnDescriptor(const DnnHandle& dnn, cudnnBackendDescriptorType_t type, std::string what)
    : dnn_(&dnn), what_(std::move(what)) {
  check(dnn_->library().create_descriptor(type, &descriptor_));
}

DnnDescriptor::DnnDescriptor(DnnDescriptor&& other) noexcept
    : dnn_(other.dnn_),
      what_(std::move(other.what_)),
      descriptor_(std::exchange(other.descriptor_, nullptr)) {}

DnnDescriptor& DnnDescriptor::operator=(DnnDescriptor&& other) noexcept {
  std::swap(dnn_, other.dnn_);
  std::swap(what_, other.what_);
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

DnnDescriptor::~DnnDescriptor() {
  if (descriptor_ != nullptr) dnn_->library().destroy_descriptor(descriptor_);
}

void DnnDescriptor::check(cudnnStatus_t status) const {
  if (status != CUDNN_STATUS_SUCCESS) dnn_->check(status, "preparing " + what_);
}

void DnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
                        const void* values) {
  check(dnn_->library().set_attribute(descriptor_, name, type, static_cast<std::int64_t>(count), values));
}

std::int64_t DnnDescriptor::get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                std::size_t capacity, void* values) const {
  std::int64_t count = 0;
  check(dnn_->library().get_attribute(descriptor_, name, type, static_cast<std::int64_t>(capacity), &count,
                                      values));
  return count;
}

std::int64_t DnnDescriptor::integer(cudnnBackendAttributeName_t name) const {
  std::int64_t value = 0;
  get(name, CUDNN_TYPE_INT64, 1, &value);
  return value;
}

std::vector<cudnnBackendNumericalNote_t> DnnDescriptor::notes(cudnnBackendAttributeName_t name) const {
  // A later version of cuDNN may have more kinds of notes than its header, which has ten.
  std::vector<cudnnBackendNumericalNote_t> notes(64);
  const auto count = get(name, CUDNN_TYPE_NUMERICAL_NOTE, notes.size(), notes.data());
  notes.resize(std::min(notes.size(), static_cast<std::size_t>(count)));
  return notes;
}

std::vector<DnnDescriptor> DnnDescriptor::descriptors(cudnnBackendAttributeName_t name,
                                                      cudnnBackendDescriptorType_t type,
                                                      const std::string& what) const {
  const auto available = get(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, nullptr);
  std::vector<DnnDescriptor> copies;
  std::vector<cudnnBackendDescriptor_t> pointers;
  for (std::int64_t i = 0; i < available; ++i) {
    copies.emplace_back(*dnn_, type, what);
    pointers.push_back(copies.back().get());
  }
  if (copies.empty()) return copies;
  const auto count = get(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, pointers.size(), pointers.data());
  copies.erase(copies.begin() + std::min(available, count), copies.end());
  return copies;
}

}  // namespace warpfit
