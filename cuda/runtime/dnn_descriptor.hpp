// An owner of a descriptor of cuDNN's graph API. Descriptors are created, given attributes and finalized;
// then other descriptors can refer to them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "cuda/runtime/dnn_graph.hpp"
#include "cuda/runtime/dnn_graph_library.hpp"

namespace warpfit {

class DnnDescriptor {
 public:
  /// `what` names the descriptor in messages. `dnn` must outlive it.
  DnnDescriptor(const DnnHandle& dnn, cudnnBackendDescriptorType_t type, std::string what);
  DnnDescriptor(DnnDescriptor&& other) noexcept;
  DnnDescriptor& operator=(DnnDescriptor&& other) noexcept;
  ~DnnDescriptor();

  void set(cudnnBackendAttributeName_t name, std::span<const std::int64_t> values) {
    set(name, CUDNN_TYPE_INT64, values.size(), values.data());
  }
  void set(cudnnBackendAttributeName_t name, std::int64_t value) { set(name, CUDNN_TYPE_INT64, 1, &value); }
  void set(cudnnBackendAttributeName_t name, float value) { set(name, CUDNN_TYPE_FLOAT, 1, &value); }
  void set(cudnnBackendAttributeName_t name, cudnnDataType_t value) {
    set(name, CUDNN_TYPE_DATA_TYPE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnConvolutionMode_t value) {
    set(name, CUDNN_TYPE_CONVOLUTION_MODE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnBackendHeurMode_t value) {
    set(name, CUDNN_TYPE_HEUR_MODE, 1, &value);
  }
  void set(cudnnBackendAttributeName_t name, cudnnHandle_t value) { set(name, CUDNN_TYPE_HANDLE, 1, &value); }
  void set(cudnnBackendAttributeName_t name, std::span<void* const> values) {
    set(name, CUDNN_TYPE_VOID_PTR, values.size(), values.data());
  }
  void set(cudnnBackendAttributeName_t name, const DnnDescriptor& value) {
    set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value.descriptor_);
  }

  void finalize() { check(try_finalize()); }
  /// For descriptors that cuDNN may refuse. Returns the status.
  [[nodiscard]] cudnnStatus_t try_finalize() { return dnn_->library().finalize(descriptor_); }

  [[nodiscard]] std::int64_t integer(cudnnBackendAttributeName_t name) const;
  /// The attribute's values, which are numerical notes.
  [[nodiscard]] std::vector<cudnnBackendNumericalNote_t> notes(cudnnBackendAttributeName_t name) const;
  /// Copies of the descriptors that the attribute refers to, which have the given type.
  [[nodiscard]] std::vector<DnnDescriptor> descriptors(cudnnBackendAttributeName_t name,
                                                       cudnnBackendDescriptorType_t type,
                                                       const std::string& what) const;

  [[nodiscard]] cudnnBackendDescriptor_t get() const { return descriptor_; }
  /// As DnnHandle::check, for this descriptor.
  void check(cudnnStatus_t status) const;

 private:
  void set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t count,
           const void* values);
  /// Returns how many values the attribute has; stores at most `capacity` of them.
  std::int64_t get(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::size_t capacity,
                   void* values) const;

  const DnnHandle* dnn_;
  std::string what_;
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

}  // namespace warpfit
