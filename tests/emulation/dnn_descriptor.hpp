// A descriptor of cuDNN's graph API: attributes with checks.
#pragma once

#include <cudnn_graph.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <vector>

#include "tests/emulation/convolution.hpp"

namespace warpfit::emulation {

class DnnDescriptor {
 public:
  explicit DnnDescriptor(cudnnBackendDescriptorType_t type) : type_(type) {}
  /// Whether descriptors of this type are emulated.
  static bool knows(cudnnBackendDescriptorType_t type);

  cudnnBackendDescriptorType_t type() const { return type_; }
  bool finalized() const { return finalized_; }

  cudnnStatus_t set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, std::int64_t count,
                    const void* values);
  /// Checks that all required attributes are set and that they agree with each other.
  cudnnStatus_t finalize();

  /// The values of an attribute; empty if it was not set.
  template <class T>
  std::vector<T> values(cudnnBackendAttributeName_t name) const {
    const auto found = attributes_.find(name);
    if (found == attributes_.end()) return {};
    std::vector<T> values(found->second.bytes.size() / sizeof(T));
    std::memcpy(values.data(), found->second.bytes.data(), values.size() * sizeof(T));
    return values;
  }
  template <class T>
  T value(cudnnBackendAttributeName_t name) const {
    return values<T>(name).at(0);
  }
  /// The first descriptor that an attribute refers to.
  const DnnDescriptor& descriptor(cudnnBackendAttributeName_t name) const {
    return *attributes_.at(name).descriptors.at(0);
  }
  std::shared_ptr<const DnnDescriptor> shared(cudnnBackendAttributeName_t name) const {
    return attributes_.at(name).descriptors.at(0);
  }

  // For what heuristics return: without checks.
  void put(cudnnBackendAttributeName_t name, std::int64_t value);
  void put(cudnnBackendAttributeName_t name, std::shared_ptr<const DnnDescriptor> value);
  void seal() { finalized_ = true; }

 private:
  struct Attribute {
    std::vector<unsigned char> bytes;
    std::vector<std::shared_ptr<const DnnDescriptor>> descriptors;
  };
  cudnnStatus_t set_descriptors(cudnnBackendAttributeName_t name, std::int64_t count, const void* values);

  cudnnBackendDescriptorType_t type_;
  bool finalized_ = false;
  std::map<cudnnBackendAttributeName_t, Attribute> attributes_;
};

/// The names of a convolution's attributes.
struct ConvolutionNames {
  ConvolutionPass pass;
  cudnnBackendAttributeName_t x, w, y, windows, alpha, beta;
};
ConvolutionNames names_of(const DnnDescriptor& operation);
/// The convolution that a descriptor of an operation describes, without its memory.
Convolution convolution_of(const DnnDescriptor& operation);
cudnnStatus_t check_convolution(const DnnDescriptor& operation);
/// Whether the operation's tensors are packed, with channels last.
bool has_channels_last(const DnnDescriptor& operation);

cudnnStatus_t check_heuristics(const DnnDescriptor& heuristics);
/// Configurations of engines, in the order in which the heuristics return them.
std::vector<std::shared_ptr<DnnDescriptor>> heuristics_results(const DnnDescriptor& heuristics);
std::vector<cudnnBackendNumericalNote_t> notes_of(const DnnDescriptor& engine);
cudnnStatus_t check_plan(const DnnDescriptor& plan);
std::int64_t workspace_of(const DnnDescriptor& plan);
/// The operation of a plan as its engine computes it, without its memory.
Convolution work_of(const DnnDescriptor& plan);
/// The descriptor of a plan's operation.
const DnnDescriptor& operation_of(const DnnDescriptor& plan);

}  // namespace warpfit::emulation
