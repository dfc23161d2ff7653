// Descriptors of cuDNN's graph API, for the emulation's own tests.
#pragma once

#include <cudnn_graph.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace warpfit::emulation::test {

using Numbers = std::vector<std::int64_t>;

class TestDescriptor {
 public:
  explicit TestDescriptor(cudnnBackendDescriptorType_t type) {
    EXPECT_EQ(cudnnBackendCreateDescriptor(type, &descriptor_), CUDNN_STATUS_SUCCESS);
  }
  ~TestDescriptor() { static_cast<void>(cudnnBackendDestroyDescriptor(descriptor_)); }
  TestDescriptor(const TestDescriptor&) = delete;
  TestDescriptor& operator=(const TestDescriptor&) = delete;
  operator cudnnBackendDescriptor_t() const { return descriptor_; }

  template <class T>
  cudnnStatus_t set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                    const std::vector<T>& values) {
    return cudnnBackendSetAttribute(descriptor_, name, type, std::int64_t(values.size()), values.data());
  }
  cudnnStatus_t set(cudnnBackendAttributeName_t name, const Numbers& values) {
    return set(name, CUDNN_TYPE_INT64, values);
  }
  cudnnStatus_t refer(cudnnBackendAttributeName_t name, const TestDescriptor& other) {
    return set(name, CUDNN_TYPE_BACKEND_DESCRIPTOR, std::vector{other.descriptor_});
  }
  cudnnStatus_t finalize() { return cudnnBackendFinalize(descriptor_); }

 private:
  cudnnBackendDescriptor_t descriptor_ = nullptr;
};

inline std::string last_error() {
  std::array<char, 200> text{};
  cudnnGetLastErrorString(text.data(), text.size());
  return text.data();
}

class TestTensor : public TestDescriptor {
 public:
  TestTensor(std::int64_t name, const Numbers& dimensions, const Numbers& strides)
      : TestDescriptor(CUDNN_BACKEND_TENSOR_DESCRIPTOR) {
    set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT});
    set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16});
    set(CUDNN_ATTR_TENSOR_UNIQUE_ID, {name});
    set(CUDNN_ATTR_TENSOR_DIMENSIONS, dimensions);
    set(CUDNN_ATTR_TENSOR_STRIDES, strides);
    status = finalize();
  }
  cudnnStatus_t status;
};

class TestWindows : public TestDescriptor {
 public:
  explicit TestWindows(const Numbers& strides = {1, 1})
      : TestDescriptor(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR) {
    set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, std::vector{CUDNN_DATA_FLOAT});
    set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, std::vector{CUDNN_CROSS_CORRELATION});
    set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
    set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, strides);
    set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {1, 1});
    set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {0, 0});
    set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {0, 0});
    status = finalize();
  }
  cudnnStatus_t status;
};

class TestConvolution : public TestDescriptor {
 public:
  TestConvolution(const TestDescriptor& x, const TestDescriptor& w, const TestDescriptor& y,
                  const TestDescriptor& windows, float alpha = 1)
      : TestDescriptor(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR) {
    refer(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    refer(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    refer(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
    refer(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, windows);
    set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, std::vector{alpha});
    set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, std::vector{0.0f});
    status = finalize();
  }
  cudnnStatus_t status;
};

/// A plan for y = w x, all single numbers, with the last engine that the heuristics return.
struct TestPlan {
  TestTensor x{1, {1, 1, 1, 1}, {1, 1, 1, 1}}, w{2, {1, 1, 1, 1}, {1, 1, 1, 1}},
      y{3, {1, 1, 1, 1}, {1, 1, 1, 1}};
  TestWindows windows;
  TestConvolution convolution{x, w, y, windows};
  TestDescriptor graph{CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR};
  TestDescriptor heuristics{CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR};
  TestDescriptor configuration{CUDNN_BACKEND_ENGINECFG_DESCRIPTOR};
  TestDescriptor plan{CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR};

  TestPlan(cudnnHandle_t handle, std::int64_t engine) {
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
    graph.refer(CUDNN_ATTR_OPERATIONGRAPH_OPS, convolution);
    EXPECT_EQ(graph.finalize(), CUDNN_STATUS_SUCCESS);
    heuristics.refer(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, std::vector{CUDNN_HEUR_MODE_A});
    EXPECT_EQ(heuristics.finalize(), CUDNN_STATUS_SUCCESS);
    std::vector<cudnnBackendDescriptor_t> configurations(std::size_t(engine) + 1);
    for (auto& unused : configurations)
      cudnnBackendCreateDescriptor(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &unused);
    configurations.back() = configuration;
    std::int64_t count = 0;
    EXPECT_EQ(
        cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 std::int64_t(configurations.size()), &count, configurations.data()),
        CUDNN_STATUS_SUCCESS);
    plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, std::vector{handle});
    plan.refer(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, configuration);
    status = plan.finalize();
  }
  cudnnStatus_t status;
};

class TestPack : public TestDescriptor {
 public:
  TestPack(const Numbers& names, const std::vector<void*>& pointers, void* workspace)
      : TestDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR) {
    set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, names);
    set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, pointers);
    set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, std::vector{workspace});
    status = finalize();
  }
  cudnnStatus_t status;
};

}  // namespace warpfit::emulation::test
