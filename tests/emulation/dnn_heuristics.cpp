// The engines of the emulated cuDNN, and the heuristics that list them. Most of the engines must not be
// chosen for an fp32 convolution: their results, or their workspaces, show it.
#include "tests/emulation/dnn_descriptor.hpp"
#include "tests/emulation/dnn_handle.hpp"

namespace warpfit::emulation {
namespace {

struct Engine {
  std::vector<cudnnBackendNumericalNote_t> notes;
  InputRounding rounding = InputRounding::kNone;
  bool inexact = false;
  bool works = true;                 ///< whether a plan can be made
  std::int64_t workspace_bytes = 0;  ///< besides 12 bytes for each row; 0: no workspace
};

enum : std::int64_t { kNondeterministic, kDownConverting, kTensorCores, kWinograd, kBroken, kLarge, kPlain };

const Engine& engine(std::int64_t index) {
  static const std::vector<Engine> engines = {
      {{CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC}, InputRounding::kNone, true},
      {{CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS}, InputRounding::kBf16},
      {{CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, InputRounding::kTf32},
      {{CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4}, InputRounding::kNone, true},
      {{}, InputRounding::kNone, false, false},
      {{}, InputRounding::kNone, false, true, std::int64_t{3} << 30},
      {{CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP}, InputRounding::kNone, false, true, 4096},
  };
  return engines.at(std::size_t(index));
}

/// The operation graph of an engine or of heuristics has one operation.
const DnnDescriptor& operation_in(const DnnDescriptor& graph) {
  return graph.descriptor(CUDNN_ATTR_OPERATIONGRAPH_OPS);
}

/// Windows that wide have no deterministic engine for the input gradient.
constexpr std::int64_t kTooWide = 16;

std::vector<std::int64_t> engines_for(const Convolution& convolution, cudnnBackendHeurMode_t mode) {
  if (convolution.pass == ConvolutionPass::kInputGradient && convolution.shape.down.dilation >= kTooWide)
    return {kNondeterministic};
  if (mode == CUDNN_HEUR_MODE_FALLBACK) return {kNondeterministic, kPlain};
  if (convolution.pass == ConvolutionPass::kWeightGradient)  // plain engines are found only as fallbacks
    return {kNondeterministic, kDownConverting, kTensorCores, kWinograd};
  return {kNondeterministic, kDownConverting, kTensorCores, kWinograd, kBroken, kLarge, kPlain};
}

const DnnDescriptor& graph_of(const DnnDescriptor& heuristics) {
  return heuristics.descriptor(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
}

const DnnDescriptor& engine_descriptor(const DnnDescriptor& plan) {
  return plan.descriptor(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG).descriptor(CUDNN_ATTR_ENGINECFG_ENGINE);
}

const Engine& engine_of(const DnnDescriptor& plan) {
  return engine(engine_descriptor(plan).value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX));
}

}  // namespace

cudnnStatus_t check_heuristics(const DnnDescriptor& heuristics) {
  const auto& operation = operation_in(graph_of(heuristics));
  const auto mode = heuristics.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE);
  if (mode != CUDNN_HEUR_MODE_A && mode != CUDNN_HEUR_MODE_FALLBACK) {
    return dnn_error(CUDNN_STATUS_NOT_SUPPORTED, "the emulation has heuristics of modes A and FALLBACK");
  }
  if (!has_channels_last(operation)) {
    return dnn_error(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT, "the emulation needs packed tensors, channels last");
  }
  const auto convolution = convolution_of(operation);
  if (mode == CUDNN_HEUR_MODE_A && convolution.pass == ConvolutionPass::kWeightGradient &&
      convolution.shape.groups > 1) {
    return dnn_error(CUDNN_STATUS_NOT_SUPPORTED, "mode A knows no gradient of grouped weights");
  }
  return CUDNN_STATUS_SUCCESS;
}

std::vector<std::shared_ptr<DnnDescriptor>> heuristics_results(const DnnDescriptor& heuristics) {
  std::vector<std::shared_ptr<DnnDescriptor>> results;
  for (const auto index : engines_for(convolution_of(operation_in(graph_of(heuristics))),
                                      heuristics.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE))) {
    const auto chosen = std::make_shared<DnnDescriptor>(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    chosen->put(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, heuristics.shared(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH));
    chosen->put(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, index);
    chosen->seal();
    results.push_back(std::make_shared<DnnDescriptor>(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR));
    results.back()->put(CUDNN_ATTR_ENGINECFG_ENGINE, chosen);
    results.back()->seal();
  }
  return results;
}

std::vector<cudnnBackendNumericalNote_t> notes_of(const DnnDescriptor& chosen) {
  return engine(chosen.value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)).notes;
}

cudnnStatus_t check_plan(const DnnDescriptor& plan) {
  if (engine_of(plan).works) return CUDNN_STATUS_SUCCESS;
  return dnn_error(CUDNN_STATUS_NOT_SUPPORTED, "the engine does not compute this operation");
}

std::int64_t workspace_of(const DnnDescriptor& plan) {
  const auto bytes = engine_of(plan).workspace_bytes;
  return bytes == 0 ? 0 : bytes + 12 * convolution_of(operation_of(plan)).shape.rows;
}

Convolution work_of(const DnnDescriptor& plan) {
  Convolution work = convolution_of(operation_of(plan));
  work.rounding = engine_of(plan).rounding;
  work.inexact = engine_of(plan).inexact;
  work.workspace_bytes = std::size_t(workspace_of(plan));
  return work;
}

const DnnDescriptor& operation_of(const DnnDescriptor& plan) {
  return operation_in(engine_descriptor(plan).descriptor(CUDNN_ATTR_ENGINE_OPERATION_GRAPH));
}

}  // namespace warpfit::emulation
