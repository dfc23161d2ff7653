#include "host/cpu/matmul.hpp"

#include <dnnl.h>
#include <fmt/core.h>

#include <dnnl.hpp>
#include <unordered_map>

#include "host/base/error.hpp"
#include "host/cpu/headroom.hpp"

namespace warpfit::cpu {

struct Matmul::Engine {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

namespace {

using Type = dnnl::memory::data_type;

dnnl::memory::desc row_major(std::int64_t rows, std::int64_t cols, std::int64_t stride,
                             Type type = Type::f32) {
  return {{rows, cols}, type, dnnl::memory::dims{stride, 1}};
}

dnnl::memory::desc transposed(std::int64_t rows, std::int64_t cols, std::int64_t stride, Type type) {
  return {{rows, cols}, type, dnnl::memory::dims{1, stride}};
}

dnnl::memory unbound(const dnnl::memory::desc& desc, const dnnl::engine& engine) {
  return {desc, engine, DNNL_MEMORY_NONE};
}

void bind(dnnl::memory& memory, const void* data) {
  memory.set_data_handle(const_cast<void*>(data));  // oneDNN's interface takes no const memory
}

// Version 3 of oneDNN has no separate operation descriptors: they are part of the primitive descriptors.
dnnl::matmul make_primitive(const dnnl::engine& engine, const dnnl::memory::desc& src,
                            const dnnl::memory::desc& weights, const dnnl::memory::desc* bias,
                            const dnnl::memory::desc& dst) {
#if DNNL_VERSION_MAJOR < 3
  const auto desc =
      bias != nullptr ? dnnl::matmul::desc(src, weights, *bias, dst) : dnnl::matmul::desc(src, weights, dst);
  return dnnl::matmul(dnnl::matmul::primitive_desc(desc, engine));
#else
  return dnnl::matmul(bias != nullptr ? dnnl::matmul::primitive_desc(engine, src, weights, *bias, dst)
                                      : dnnl::matmul::primitive_desc(engine, src, weights, dst));
#endif
}

}  // namespace

// A primitive and its arguments, whose memory is set for each call: creating them takes longer than the
// product of a small batch.
struct Matmul::Product {
  dnnl::memory src, weights, bias, dst;
  dnnl::matmul primitive;
  std::unordered_map<int, dnnl::memory> arguments;

  Product(const Shape& shape, const dnnl::engine& engine) {
    const auto type = shape.bf16 ? Type::bf16 : Type::f32;
    const bool has_bias = shape.forward && !shape.bf16;
    const auto src_desc = row_major(shape.rows, shape.inner, shape.inner, type);
    const auto weights_desc = shape.forward ? transposed(shape.inner, shape.cols, shape.weights_stride, type)
                                            : row_major(shape.inner, shape.cols, shape.weights_stride, type);
    const auto dst_desc = row_major(shape.rows, shape.cols, shape.y_stride);
    const auto bias_desc = row_major(1, shape.cols, shape.cols);
    src = unbound(src_desc, engine);
    weights = unbound(weights_desc, engine);
    dst = unbound(dst_desc, engine);
    arguments = {{DNNL_ARG_SRC, src}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, dst}};
    if (has_bias) {
      bias = unbound(bias_desc, engine);
      arguments.emplace(DNNL_ARG_BIAS, bias);
    }
    primitive = make_primitive(engine, src_desc, weights_desc, has_bias ? &bias_desc : nullptr, dst_desc);
  }
};

Matmul::Matmul() : engine_(std::make_unique<Engine>()) {}
Matmul::~Matmul() = default;

Matmul::Product& Matmul::product(const Shape& shape) {
  auto& entry = products_[shape];
  if (entry) return *entry;
  check_headroom();
  try {
    entry = std::make_unique<Product>(shape, engine_->engine);
  } catch (const dnnl::error& error) {
    fail("product", shape, error.status);
  }
  return *entry;
}

void Matmul::run(const Shape& shape, const void* src, const void* weights, const float* bias, float* dst) {
  auto& p = product(shape);
  bind(p.src, src);
  bind(p.weights, weights);
  if (bias != nullptr) bind(p.bias, bias);
  bind(p.dst, dst);
  p.primitive.execute(engine_->stream, p.arguments);
  engine_->stream.wait();
}

void Matmul::forward(ConstMatrix x, ConstMatrix w, const float* b, Part<float> y) {
  run({x.rows, x.cols, y.cols, w.cols, y.stride, true}, x.data, w.data, b, y.data);
}

void Matmul::backward_input(ConstMatrix dy, Part<const float> w, Part<float> dx) {
  run({dy.rows, dy.cols, dx.cols, w.stride, dx.stride, false}, dy.data, w.data, nullptr, dx.data);
}

void Matmul::forward(ConstBf16Matrix x, ConstBf16Matrix w, Part<float> y) {
  run({x.rows, x.cols, y.cols, w.cols, y.stride, true, true}, x.data, w.data, nullptr, y.data);
}

void Matmul::backward_input(ConstBf16Matrix dy, Part<const Bf16> w, Part<float> dx) {
  run({dy.rows, dy.cols, dx.cols, w.stride, dx.stride, false, true}, dy.data, w.data, nullptr, dx.data);
}

bool Matmul::has_bf16() {
  const auto found = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  constexpr auto kSet = static_cast<unsigned>(dnnl_cpu_isa_avx512_core_bf16);
  return (found & kSet) == kSet;
}

void Matmul::backward_weights(Part<const float> x, Part<const float> dy, float scale, float keep,
                              Part<float> dw) {
  const Shape shape{dw.rows, x.rows, dw.cols, x.stride, dw.stride, false};
  if (weight_shapes_.insert(shape).second) check_headroom();
  const auto status = dnnl_sgemm('T', 'N', dw.rows, dw.cols, x.rows, scale, dy.data, dy.stride, x.data,
                                 x.stride, keep, dw.data, dw.stride);
  if (status != dnnl_success) fail("weight gradient", shape, status);
}

void Matmul::fail(const char* what, const Shape& shape, int status) {
  const auto text = fmt::format("{} ({}, {}) over {}", what, shape.rows, shape.cols, shape.inner);
  if (status == dnnl_out_of_memory) throw OutOfMemory(text + ": oneDNN ran out of memory");
  throw InternalError(fmt::format("{}: oneDNN status {}", text, status));
}

// Each instruction set contains the bits of those it extends, so for a set that is newer than this table the
// best known subset is returned.
std::string Matmul::instruction_set() {
  constexpr std::pair<dnnl_cpu_isa_t, const char*> kSets[] = {
      {dnnl_cpu_isa_avx512_core_amx, "AMX"},
      {dnnl_cpu_isa_avx512_core_bf16, "AVX-512 with BF16"},
      {dnnl_cpu_isa_avx512_core_vnni, "AVX-512 with VNNI"},
      {dnnl_cpu_isa_avx512_core, "AVX-512"},
      {dnnl_cpu_isa_avx2_vnni, "AVX2 with VNNI"},
      {dnnl_cpu_isa_avx2, "AVX2"},
      {dnnl_cpu_isa_avx, "AVX"},
      {dnnl_cpu_isa_sse41, "SSE4.1"},
  };
  const auto found = static_cast<unsigned>(dnnl_get_effective_cpu_isa());
  for (const auto& [set, name] : kSets) {
    if ((found & set) == static_cast<unsigned>(set)) return name;
  }
  return "";
}

std::string Matmul::library() {
  const auto* version = dnnl_version();
  return fmt::format("oneDNN {}.{}.{}", version->major, version->minor, version->patch);
}

}  // namespace warpfit::cpu
