// Which attributes a descriptor of cuDNN's graph API has, and how they are set.
#include <algorithm>
#include <array>
#include <optional>

#include "tests/emulation/dnn_descriptor.hpp"
#include "tests/emulation/dnn_handle.hpp"

namespace warpfit::emulation {
namespace {

/// An attribute: its type and how many values it may have. All are required.
struct Rule {
  cudnnBackendDescriptorType_t descriptor;
  cudnnBackendAttributeName_t name;
  cudnnBackendAttributeType_t type;
  std::int64_t least = 1, most = 1;
  std::optional<cudnnBackendDescriptorType_t> refers_to{};  ///< the type of the descriptors that it refers to
};

constexpr auto kTensor = CUDNN_BACKEND_TENSOR_DESCRIPTOR;
constexpr auto kWindows = CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR;
constexpr auto kForward = CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR;
constexpr auto kBackwardData = CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR;
constexpr auto kBackwardFilter = CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR;
constexpr auto kGraph = CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR;
constexpr auto kHeuristics = CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR;
constexpr auto kEngine = CUDNN_BACKEND_ENGINE_DESCRIPTOR;
constexpr auto kConfiguration = CUDNN_BACKEND_ENGINECFG_DESCRIPTOR;
constexpr auto kPlan = CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR;
constexpr auto kPack = CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR;
constexpr auto kReference = CUDNN_TYPE_BACKEND_DESCRIPTOR;

const Rule kRules[] = {
    {kTensor, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE},
    {kTensor, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64},
    {kTensor, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64},
    {kTensor, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 1, 8},
    {kTensor, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 1, 8},
    {kWindows, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE},
    {kWindows, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE},
    {kWindows, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64},
    {kWindows, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 1, 6},
    {kWindows, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 1, 6},
    {kWindows, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 1, 6},
    {kWindows, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 1, 6},
    {kForward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, kReference, 1, 1, kTensor},
    {kForward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, kReference, 1, 1, kTensor},
    {kForward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, kReference, 1, 1, kTensor},
    {kForward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, kReference, 1, 1, kWindows},
    {kForward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT},
    {kForward, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT},
    {kBackwardData, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, kReference, 1, 1, kTensor},
    {kBackwardData, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, kReference, 1, 1, kTensor},
    {kBackwardData, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, kReference, 1, 1, kTensor},
    {kBackwardData, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, kReference, 1, 1, kWindows},
    {kBackwardData, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_TYPE_FLOAT},
    {kBackwardData, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, CUDNN_TYPE_FLOAT},
    {kBackwardFilter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, kReference, 1, 1, kTensor},
    {kBackwardFilter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, kReference, 1, 1, kTensor},
    {kBackwardFilter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, kReference, 1, 1, kTensor},
    {kBackwardFilter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, kReference, 1, 1, kWindows},
    {kBackwardFilter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, CUDNN_TYPE_FLOAT},
    {kBackwardFilter, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, CUDNN_TYPE_FLOAT},
    {kGraph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE},
    {kGraph, CUDNN_ATTR_OPERATIONGRAPH_OPS, kReference},
    {kHeuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, kReference, 1, 1, kGraph},
    {kHeuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE},
    {kEngine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, kReference, 1, 1, kGraph},
    {kEngine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64},
    {kConfiguration, CUDNN_ATTR_ENGINECFG_ENGINE, kReference, 1, 1, kEngine},
    {kPlan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE},
    {kPlan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, kReference, 1, 1, kConfiguration},
    {kPack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, 1, 1000},
    {kPack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, 1, 1000},
    {kPack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR},
};

std::size_t bytes_of(cudnnBackendAttributeType_t type) {
  switch (type) {
    case CUDNN_TYPE_INT64:
    case CUDNN_TYPE_HANDLE:
    case CUDNN_TYPE_VOID_PTR:
      return 8;
    default:  // numbers of enumerations, and floats
      return 4;
  }
}

cudnnStatus_t check_tensor(const DnnDescriptor& tensor) {
  const auto dimensions = tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_DIMENSIONS);
  const auto strides = tensor.values<std::int64_t>(CUDNN_ATTR_TENSOR_STRIDES);
  const auto alignment = tensor.value<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
  const auto negative = [](std::int64_t value) { return value < 0; };
  // As in cuDNN, a tensor may be empty; an operation refuses it.
  if (dimensions.size() != strides.size() || std::any_of(dimensions.begin(), dimensions.end(), negative) ||
      std::any_of(strides.begin(), strides.end(), negative)) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM, "a tensor needs a stride for each dimension");
  }
  if (alignment < 4 || (alignment & (alignment - 1)) != 0) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM, "the alignment of a tensor is a power of two");
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_windows(const DnnDescriptor& windows) {
  const auto dimensions = windows.value<std::int64_t>(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS);
  for (const auto& [name, least] : {std::pair{CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 1},
                                    {CUDNN_ATTR_CONVOLUTION_DILATIONS, 1},
                                    {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 0},
                                    {CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 0}}) {
    const auto values = windows.values<std::int64_t>(name);
    if (std::int64_t(values.size()) != dimensions ||
        *std::min_element(values.begin(), values.end()) < least) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM,
                       "a convolution has a stride, a dilation and paddings for each dimension");
    }
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_pack(const DnnDescriptor& pack) {
  auto names = pack.values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  if (names.size() != pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).size()) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM, "a variant pack has a pointer for each name");
  }
  std::sort(names.begin(), names.end());
  if (std::adjacent_find(names.begin(), names.end()) != names.end()) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES, "a variant pack has a name twice");
  }
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_values(const DnnDescriptor& descriptor) {
  switch (descriptor.type()) {
    case kTensor:
      return check_tensor(descriptor);
    case kWindows:
      return check_windows(descriptor);
    case kForward:
    case kBackwardData:
    case kBackwardFilter:
      return check_convolution(descriptor);
    case kHeuristics:
      return check_heuristics(descriptor);
    case kPlan:
      return check_plan(descriptor);
    case kPack:
      return check_pack(descriptor);
    default:
      return CUDNN_STATUS_SUCCESS;
  }
}

}  // namespace

bool DnnDescriptor::knows(cudnnBackendDescriptorType_t type) {
  return std::any_of(std::begin(kRules), std::end(kRules),
                     [=](const Rule& rule) { return rule.descriptor == type; });
}

cudnnStatus_t DnnDescriptor::set(cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                 std::int64_t count, const void* values) {
  if (finalized_) return dnn_error(CUDNN_STATUS_NOT_INITIALIZED, "a finalized descriptor cannot be changed");
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& candidate) {
    return candidate.descriptor == type_ && candidate.name == name;
  });
  if (rule == std::end(kRules)) {
    return dnn_error(CUDNN_STATUS_NOT_SUPPORTED,
                     "the descriptor has no attribute " + std::to_string(static_cast<int>(name)));
  }
  if (rule->type != type)
    return dnn_error(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "an attribute of another type");
  if (values == nullptr) return dnn_error(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "an attribute without values");
  if (count < rule->least || count > rule->most) {
    return dnn_error(CUDNN_STATUS_BAD_PARAM_OUT_OF_BOUND, "too many or too few values of an attribute");
  }
  if (type == kReference) return set_descriptors(name, count, values);
  const auto* first = static_cast<const unsigned char*>(values);
  attributes_[name] = {{first, first + std::size_t(count) * bytes_of(type)}, {}};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t DnnDescriptor::set_descriptors(cudnnBackendAttributeName_t name, std::int64_t count,
                                             const void* values) {
  const auto* rule = std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& candidate) {
    return candidate.descriptor == type_ && candidate.name == name;
  });
  std::vector<std::shared_ptr<const DnnDescriptor>> descriptors;
  for (std::int64_t i = 0; i < count; ++i) {
    auto found = runtime().dnn_descriptors.find(static_cast<const cudnnBackendDescriptor_t*>(values)[i]);
    if (!found) return dnn_error(CUDNN_STATUS_BAD_PARAM, "an attribute refers to no descriptor");
    if (!found->finalized())
      return dnn_error(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                       "an attribute refers to an unfinished descriptor");
    const bool fits = rule->refers_to ? found->type() == *rule->refers_to
                                      : found->type() == kForward || found->type() == kBackwardData ||
                                            found->type() == kBackwardFilter;
    if (!fits)
      return dnn_error(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "an attribute refers to another type");
    descriptors.push_back(std::move(found));
  }
  attributes_[name] = {{}, std::move(descriptors)};
  return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t DnnDescriptor::finalize() {
  if (finalized_) return dnn_error(CUDNN_STATUS_BAD_PARAM, "a descriptor is finalized twice");
  for (const Rule& rule : kRules) {
    if (rule.descriptor == type_ && attributes_.count(rule.name) == 0) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM,
                       "attribute " + std::to_string(static_cast<int>(rule.name)) + " is not set");
    }
  }
  const cudnnStatus_t status = check_values(*this);
  finalized_ = status == CUDNN_STATUS_SUCCESS;
  return status;
}

void DnnDescriptor::put(cudnnBackendAttributeName_t name, std::int64_t value) {
  const auto* first = reinterpret_cast<const unsigned char*>(&value);
  attributes_[name] = {{first, first + sizeof value}, {}};
}

void DnnDescriptor::put(cudnnBackendAttributeName_t name, std::shared_ptr<const DnnDescriptor> value) {
  attributes_[name] = {{}, {std::move(value)}};
}

}  // namespace warpfit::emulation
