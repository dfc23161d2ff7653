#include "cuda/runtime/dnn_graph.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "cuda/runtime/dnn_descriptor.hpp"
#include "cuda/runtime/dnn_engines.hpp"
#include "cuda/runtime/memory.hpp"
#include "host/backend/conv_text.hpp"
#include "host/base/error.hpp"

namespace warpfit {
namespace {

constexpr std::int64_t kAlignment = 16;  // bytes
// Names by which a plan's operands are passed to it.
constexpr std::int64_t kX = 'x', kW = 'w', kY = 'y';

const char* name(ConvPass pass) {
  switch (pass) {
    case ConvPass::kForward:
      return "result";
    case ConvPass::kInputGradient:
      return "input gradient";
    case ConvPass::kWeightGradient:
      break;
  }
  return "weight gradient";
}

const char* name(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kTf32:
      return "tf32";
    case Precision::kBf16:
      break;
  }
  return "bf16";
}

/// A tensor whose dimensions are (n, c, h, w) for cuDNN and which is (n, h, w, c) in memory.
DnnDescriptor make_tensor(const DnnHandle& dnn, std::int64_t id, std::int64_t n, std::int64_t c,
                          std::int64_t h, std::int64_t w) {
  DnnDescriptor tensor(dnn, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "the shape of a convolution's operand");
  tensor.set(CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
  tensor.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
  tensor.set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, kAlignment);
  tensor.set(CUDNN_ATTR_TENSOR_DIMENSIONS, std::array{n, c, h, w});
  tensor.set(CUDNN_ATTR_TENSOR_STRIDES, std::array{h * w * c, std::int64_t{1}, w * c, c});
  tensor.finalize();
  return tensor;
}

DnnDescriptor make_windows(const DnnHandle& dnn, const Windows& rows, const Windows& columns) {
  DnnDescriptor windows(dnn, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "the windows of a convolution");
  windows.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
  windows.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
  windows.set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, std::int64_t{2});
  windows.set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, std::array{rows.stride, columns.stride});
  windows.set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, std::array{rows.padding, columns.padding});
  windows.set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS,
              std::array{rows.padding + rows.extra, columns.padding + columns.extra});
  windows.set(CUDNN_ATTR_CONVOLUTION_DILATIONS, std::array{rows.dilation, columns.dilation});
  windows.finalize();
  return windows;
}

/// The descriptor of a pass and the names of its attributes.
struct PassAttributes {
  cudnnBackendDescriptorType_t type;
  cudnnBackendAttributeName_t x, w, y, windows, alpha, beta;
};

PassAttributes attributes(ConvPass pass) {
  switch (pass) {
    case ConvPass::kForward:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA};
    case ConvPass::kInputGradient:
      return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
              CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA};
    case ConvPass::kWeightGradient:
      break;
  }
  return {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA};
}

/// The names of run()'s arguments, in their order.
std::array<std::int64_t, 3> argument_names(ConvPass pass) {
  switch (pass) {
    case ConvPass::kForward:
      return {kX, kW, kY};
    case ConvPass::kInputGradient:
      return {kY, kW, kX};
    case ConvPass::kWeightGradient:
      break;
  }
  return {kX, kY, kW};
}

/// A finalized operation graph, and what it refers to.
std::vector<DnnDescriptor> make_graph(const DnnHandle& dnn, ConvPass pass, const ConvOperation& operation,
                                      std::int64_t rows) {
  const auto in = operation.in, out = operation.out();
  std::vector<DnnDescriptor> parts;
  parts.push_back(make_tensor(dnn, kX, rows, in.channels, in.height, in.width));
  parts.push_back(make_tensor(dnn, kW, operation.out_channels, in.channels / operation.groups,
                              operation.rows.size, operation.columns.size));
  parts.push_back(make_tensor(dnn, kY, rows, out.channels, out.height, out.width));
  parts.push_back(make_windows(dnn, operation.rows, operation.columns));
  const auto names = attributes(pass);
  DnnDescriptor convolution(dnn, names.type, "a convolution");
  convolution.set(names.x, parts[0]);
  convolution.set(names.w, parts[1]);
  convolution.set(names.y, parts[2]);
  convolution.set(names.windows, parts[3]);
  convolution.set(names.alpha, 1.0F);
  convolution.set(names.beta, 0.0F);
  convolution.finalize();
  DnnDescriptor graph(dnn, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "a cuDNN graph");
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, dnn.get());
  graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, convolution);
  graph.finalize();
  parts.push_back(std::move(convolution));
  parts.push_back(std::move(graph));
  return parts;
}

}  // namespace

DnnHandle::DnnHandle(const Stream& stream, bool fast)
    : library_(std::make_unique<const DnnGraphLibrary>(load_dnn_graph_library())), is_fast_(fast) {
  check(library_->create(&handle_), "starting cuDNN");
  try {
    check(library_->set_stream(handle_, stream.get()), "setting the stream of cuDNN");
  } catch (...) {
    library_->destroy(handle_);
    throw;
  }
}

DnnHandle::~DnnHandle() { library_->destroy(handle_); }

std::string DnnHandle::version() const {
  const std::size_t number = library_->get_version();  // 91900 is 9.19.0
  return fmt::format("cuDNN {}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

void DnnHandle::check(int status, const std::string& doing) const {
  if (status == CUDNN_STATUS_SUCCESS) return;
  auto text =
      fmt::format("{}: {} (cuDNN)", doing, library_->get_error_string(static_cast<cudnnStatus_t>(status)));
  std::array<char, 512> details{};
  library_->get_last_error_string(details.data(), details.size());
  details.back() = '\0';
  if (details.front() != '\0') text += fmt::format(": {}", details.data());
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (status == CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED ||
      status == CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED) {
    throw OutOfMemory(text);
  }
  throw DeviceError(text);
}

struct DnnWorkspace {
  DeviceMemory memory;
  std::size_t bytes;
};

std::shared_ptr<const DnnWorkspace> DnnHandle::workspace(std::size_t bytes) const {
  auto newest = workspace_.lock();
  if (newest == nullptr || newest->bytes < bytes) {
    newest = std::make_shared<const DnnWorkspace>(DnnWorkspace{DeviceMemory(bytes), bytes});
    workspace_ = newest;
  }
  return newest;
}

struct DnnConv::Plan {
  const DnnHandle& dnn;
  std::array<std::int64_t, 3> names;
  std::vector<DnnDescriptor> graph;
  DnnPlan chosen;
  std::shared_ptr<const DnnWorkspace> workspace;  // null if the plan needs none
  std::string running;                            // what run() does, for messages
  // The arguments of the last run(); the first one has none.
  std::array<void*, 3> arguments{};
  std::optional<DnnDescriptor> pack;
};

DnnConv::DnnConv(const DnnHandle& dnn, ConvPass pass, const ConvOperation& operation, std::int64_t rows,
                 Precision precision) {
  const auto what = describe(operation, rows);
  auto graph = make_graph(dnn, pass, operation, rows);
  auto chosen = choose_plan(dnn, graph.back(), precision);
  if (!chosen) {
    throw DeviceError(fmt::format("{}: {} has no deterministic {} engine for its {}", what, dnn.version(),
                                  name(precision), name(pass)));
  }
  std::shared_ptr<const DnnWorkspace> workspace;
  if (chosen->workspace_bytes > 0) workspace = dnn.workspace(chosen->workspace_bytes);
  plan_ = std::make_unique<Plan>(Plan{dnn,
                                      argument_names(pass),
                                      std::move(graph),
                                      std::move(*chosen),
                                      std::move(workspace),
                                      fmt::format("the {} of a {}", name(pass), what),
                                      {},
                                      {}});
}

DnnConv::DnnConv(DnnConv&&) noexcept = default;
DnnConv& DnnConv::operator=(DnnConv&&) noexcept = default;
DnnConv::~DnnConv() = default;

void DnnConv::run(const float* a, const float* b, float* result) {
  auto& plan = *plan_;
  const std::array<void*, 3> arguments{const_cast<float*>(a), const_cast<float*>(b), result};
  if (!plan.pack || plan.arguments != arguments) {
    DnnDescriptor pack(plan.dnn, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "the operands of a convolution");
    const std::array<void*, 1> workspace{plan.workspace ? plan.workspace->memory.data() : nullptr};
    pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, plan.names);
    pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, arguments);
    pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
    pack.finalize();
    plan.pack = std::move(pack);
    plan.arguments = arguments;
  }
  const auto& library = plan.dnn.library();
  plan.dnn.check(library.execute(plan.dnn.get(), plan.chosen.plan.get(), plan.pack->get()), plan.running);
}

std::size_t DnnConv::workspace_bytes() const { return plan_->chosen.workspace_bytes; }

}  // namespace warpfit
