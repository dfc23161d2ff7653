// The functions of cuDNN's graph API that the program uses. A plan, which has a single convolution, is work
// in the handle's stream.
#include <cudnn_graph.h>

#include <algorithm>
#include <memory>

#include "tests/emulation/dnn_descriptor.hpp"
#include "tests/emulation/dnn_handle.hpp"

namespace warpfit::emulation {
namespace {

std::string& last_dnn_error() {
  thread_local std::string text;
  return text;
}

}  // namespace

cudnnStatus_t dnn_error(cudnnStatus_t status, std::string text) {
  last_dnn_error() = std::move(text);
  return status;
}

}  // namespace warpfit::emulation

using namespace warpfit::emulation;

namespace {

/// Descriptors of operands are made while a step is recorded; all other ones belong to the preparation of a
/// plan.
CaptureRule rule_for(cudnnBackendDescriptorType_t type) {
  return type == CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR ? CaptureRule::kAllowed : CaptureRule::kUnsafe;
}

template <class F>
cudnnStatus_t with_descriptor(const char* name, CaptureRule rule, cudnnBackendDescriptor_t descriptor,
                              F body) {
  return dnn_call(name, rule, [&] {
    const auto found = runtime().dnn_descriptors.find(descriptor);
    return found ? body(*found) : dnn_error(CUDNN_STATUS_BAD_PARAM, "this is no descriptor");
  });
}

template <class T>
cudnnStatus_t return_values(const std::vector<T>& values, std::int64_t capacity, std::int64_t* count,
                            void* to) {
  *count = std::int64_t(values.size());
  if (to != nullptr && capacity > 0) {
    std::copy_n(values.begin(), std::min(capacity, *count), static_cast<T*>(to));
  }
  return CUDNN_STATUS_SUCCESS;
}

/// Makes the caller's descriptors copies of `results`.
cudnnStatus_t return_descriptors(const std::vector<std::shared_ptr<const DnnDescriptor>>& results,
                                 std::int64_t capacity, std::int64_t* count, void* to) {
  const auto available = std::int64_t(results.size());
  *count = to == nullptr || capacity == 0 ? available : std::min(capacity, available);
  if (to == nullptr) return CUDNN_STATUS_SUCCESS;
  for (std::int64_t i = 0; i < std::min(capacity, available); ++i) {
    const auto found = runtime().dnn_descriptors.find(static_cast<cudnnBackendDescriptor_t*>(to)[i]);
    if (!found || found->finalized() || found->type() != results[std::size_t(i)]->type()) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM, "results need new descriptors of their type");
    }
    *found = *results[std::size_t(i)];
  }
  return CUDNN_STATUS_SUCCESS;
}

bool is(const DnnDescriptor& descriptor, cudnnBackendDescriptorType_t type) {
  return descriptor.type() == type;
}

/// The pointer in the variant pack for a tensor of the operation; null if it is missing.
void* find_pointer(const DnnDescriptor& pack, const DnnDescriptor& tensor) {
  const auto names = pack.values<std::int64_t>(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS);
  const auto name = tensor.value<std::int64_t>(CUDNN_ATTR_TENSOR_UNIQUE_ID);
  const auto found = std::find(names.begin(), names.end(), name) - names.begin();
  if (found == std::ptrdiff_t(names.size())) return nullptr;
  return pack.values<void*>(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS)[std::size_t(found)];
}

cudnnStatus_t execute(cudnnHandle_t handle, const DnnDescriptor& plan, const DnnDescriptor& pack) {
  Convolution work = work_of(plan);
  const auto& operation = operation_of(plan);
  const auto names = names_of(operation);
  for (const auto& [name, pointer] :
       {std::pair{names.x, &work.x}, std::pair{names.w, &work.w}, std::pair{names.y, &work.y}}) {
    const auto& tensor = operation.descriptor(name);
    *pointer = find_pointer(pack, tensor);
    if (*pointer == nullptr) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "an operand is not in the variant pack");
    }
    const auto alignment = tensor.value<std::int64_t>(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT);
    if (reinterpret_cast<std::uintptr_t>(*pointer) % std::uintptr_t(alignment) != 0) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER, "an operand is not aligned");
    }
  }
  work.workspace = pack.value<void*>(CUDNN_ATTR_VARIANT_PACK_WORKSPACE);
  const auto stream = find_stream(handle->stream);
  if (!stream) return dnn_error(CUDNN_STATUS_EXECUTION_FAILED, "the handle's stream does not exist");
  work.check();
  const cudaError_t error = submit(*stream, [work] { work.run(); });
  return error == cudaSuccess ? CUDNN_STATUS_SUCCESS
                              : dnn_error(CUDNN_STATUS_EXECUTION_FAILED_CUDART, cudaGetErrorString(error));
}

}  // namespace

void cudnnGetLastErrorString(char* message, std::size_t size) {
  if (message == nullptr || size == 0) return;
  const auto length = last_dnn_error().copy(message, size - 1);
  message[length] = '\0';
  last_dnn_error().clear();
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t* descriptor) {
  return dnn_call("cudnnBackendCreateDescriptor", rule_for(type), [=] {
    if (descriptor == nullptr)
      return dnn_error(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no place for a descriptor");
    if (!DnnDescriptor::knows(type)) {
      return dnn_error(CUDNN_STATUS_NOT_SUPPORTED,
                       "the emulation has no descriptor " + std::to_string(static_cast<int>(type)));
    }
    *descriptor = runtime().dnn_descriptors.add(std::make_shared<DnnDescriptor>(type));
    return CUDNN_STATUS_SUCCESS;
  });
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t descriptor) {
  return dnn_call("cudnnBackendDestroyDescriptor", CaptureRule::kAllowed, [=] {
    return runtime().dnn_descriptors.remove(descriptor) ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_BAD_PARAM;
  });
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, std::int64_t count,
                                       const void* values) {
  return with_descriptor("cudnnBackendSetAttribute", CaptureRule::kAllowed, descriptor,
                         [=](DnnDescriptor& found) { return found.set(name, type, count, values); });
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t descriptor) {
  const auto found = [&] {
    const std::scoped_lock lock(runtime_lock());
    const sanitizer::Ignore ignore;
    return runtime().dnn_descriptors.find(descriptor);
  }();
  const auto rule = found ? rule_for(found->type()) : CaptureRule::kUnsafe;
  return with_descriptor("cudnnBackendFinalize", rule, descriptor,
                         [](DnnDescriptor& finished) { return finished.finalize(); });
}

cudnnStatus_t cudnnBackendGetAttribute(const cudnnBackendDescriptor_t descriptor,
                                       cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                                       std::int64_t capacity, std::int64_t* count, void* values) {
  return with_descriptor(
      "cudnnBackendGetAttribute", CaptureRule::kAllowed, descriptor, [=](DnnDescriptor& found) {
        if (!found.finalized())
          return dnn_error(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "the descriptor is unfinished");
        if (count == nullptr) return dnn_error(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no place for a count");
        const auto asks_for = [&](cudnnBackendDescriptorType_t of, cudnnBackendAttributeName_t attribute,
                                  cudnnBackendAttributeType_t values_type) {
          return is(found, of) && name == attribute && type == values_type;
        };
        if (asks_for(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                     CUDNN_TYPE_BACKEND_DESCRIPTOR)) {
          const auto results = heuristics_results(found);
          return return_descriptors({results.begin(), results.end()}, capacity, count, values);
        }
        if (asks_for(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, CUDNN_ATTR_ENGINECFG_ENGINE,
                     CUDNN_TYPE_BACKEND_DESCRIPTOR))
          return return_descriptors({found.shared(CUDNN_ATTR_ENGINECFG_ENGINE)}, capacity, count, values);
        if (asks_for(CUDNN_BACKEND_ENGINE_DESCRIPTOR, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                     CUDNN_TYPE_NUMERICAL_NOTE))
          return return_values(notes_of(found), capacity, count, values);
        if (asks_for(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE,
                     CUDNN_TYPE_INT64))
          return return_values(std::vector{workspace_of(found)}, capacity, count, values);
        return dnn_error(CUDNN_STATUS_NOT_SUPPORTED, "the emulation does not return this attribute");
      });
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t pack) {
  return with_descriptor("cudnnBackendExecute", CaptureRule::kAllowed, plan, [=](DnnDescriptor& found) {
    const auto operands = runtime().dnn_descriptors.find(pack);
    if (handle == nullptr || !operands)
      return dnn_error(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a null argument");
    if (!is(found, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) ||
        !is(*operands, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR)) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE, "a plan and a variant pack are needed");
    }
    if (!found.finalized() || !operands->finalized()) {
      return dnn_error(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED, "a plan or a variant pack is unfinished");
    }
    return execute(handle, found, *operands);
  });
}
