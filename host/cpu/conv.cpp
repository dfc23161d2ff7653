#include "host/cpu/conv.hpp"

#include <dnnl.h>
#include <fmt/core.h>

#include <dnnl.hpp>
#include <unordered_map>

#include "host/backend/conv_text.hpp"
#include "host/base/error.hpp"
#include "host/cpu/headroom.hpp"
#include "host/cpu/openmp.hpp"

namespace warpfit::cpu {
namespace {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;

constexpr auto kType = dnnl::memory::data_type::f32;
constexpr auto kDirect = dnnl::algorithm::convolution_direct;

// What a pass computes, for messages.
constexpr auto kForward = "result", kInputGradient = "input gradient", kWeightGradient = "weight gradient";

// The shapes of a convolution as oneDNN describes them.
struct Shapes {
  Desc x, y, w, b;
  Desc plain_w;  // as in ConvOperation; oneDNN chooses the format of w
  Dims strides, dilations, padding, end_padding;
  bool bias;

  Shapes(const ConvOperation& operation, std::int64_t rows)
      : x(image(operation.in, rows)), y(image(operation.out(), rows)), bias(operation.bias) {
    const auto groups = operation.groups;
    const Dims weights{groups, operation.out_channels / groups, operation.in.channels / groups,
                       operation.rows.size, operation.columns.size};
    const Dims ungrouped(weights.begin() + 1, weights.end());
    plain_w = groups > 1 ? Desc(weights, kType, Tag::goihw) : Desc(ungrouped, kType, Tag::oihw);
    w = Desc(groups > 1 ? weights : ungrouped, kType, Tag::any);
    b = Desc({operation.out_channels}, kType, Tag::x);
    strides = {operation.rows.stride, operation.columns.stride};
    dilations = {operation.rows.dilation - 1, operation.columns.dilation - 1};
    padding = {operation.rows.padding, operation.columns.padding};
    end_padding = {padding[0] + operation.rows.extra, padding[1] + operation.columns.extra};
  }

 private:
  static Desc image(const Image& image, std::int64_t rows) {
    return {{rows, image.channels, image.height, image.width}, kType, Tag::nhwc};
  }
};

// Version 3 of oneDNN has no separate operation descriptors: they are part of the primitive descriptors.
auto forward_desc(const Shapes& s, const dnnl::engine& engine) {
  constexpr auto kind = dnnl::prop_kind::forward_training;
  using Forward = dnnl::convolution_forward;
#if DNNL_VERSION_MAJOR < 3
  const auto desc =
      s.bias
          ? Forward::desc(kind, kDirect, s.x, s.w, s.b, s.y, s.strides, s.dilations, s.padding, s.end_padding)
          : Forward::desc(kind, kDirect, s.x, s.w, s.y, s.strides, s.dilations, s.padding, s.end_padding);
  return Forward::primitive_desc(desc, engine);
#else
  return s.bias ? Forward::primitive_desc(engine, kind, kDirect, s.x, s.w, s.b, s.y, s.strides, s.dilations,
                                          s.padding, s.end_padding)
                : Forward::primitive_desc(engine, kind, kDirect, s.x, s.w, s.y, s.strides, s.dilations,
                                          s.padding, s.end_padding);
#endif
}

auto backward_input_desc(const Shapes& s, const dnnl::engine& engine) {
  using Backward = dnnl::convolution_backward_data;
#if DNNL_VERSION_MAJOR < 3
  const Backward::desc desc(kDirect, s.x, s.w, s.y, s.strides, s.dilations, s.padding, s.end_padding);
  return Backward::primitive_desc(desc, engine, forward_desc(s, engine));
#else
  return Backward::primitive_desc(engine, kDirect, s.x, s.w, s.y, s.strides, s.dilations, s.padding,
                                  s.end_padding, forward_desc(s, engine));
#endif
}

auto backward_weights_desc(const Shapes& s, const dnnl::engine& engine) {
  using Backward = dnnl::convolution_backward_weights;
#if DNNL_VERSION_MAJOR < 3
  const auto desc =
      s.bias ? Backward::desc(kDirect, s.x, s.w, s.b, s.y, s.strides, s.dilations, s.padding, s.end_padding)
             : Backward::desc(kDirect, s.x, s.w, s.y, s.strides, s.dilations, s.padding, s.end_padding);
  return Backward::primitive_desc(desc, engine, forward_desc(s, engine));
#else
  return s.bias ? Backward::primitive_desc(engine, kDirect, s.x, s.w, s.b, s.y, s.strides, s.dilations,
                                           s.padding, s.end_padding, forward_desc(s, engine))
                : Backward::primitive_desc(engine, kDirect, s.x, s.w, s.y, s.strides, s.dilations, s.padding,
                                           s.end_padding, forward_desc(s, engine));
#endif
}

}  // namespace

struct Convolution::Engine {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
};

// A primitive and its arguments. The weights, or their gradient, are converted between oneDNN's format and
// that of ConvOperation, unless they are the same.
struct Convolution::Pass {
  dnnl::primitive primitive;
  std::unordered_map<int, dnnl::memory> arguments;
  dnnl::memory plain_w, w;
  dnnl::reorder reorder;

  Pass(const dnnl::primitive& made, const Desc& w_desc, bool is_gradient, const Shapes& shapes,
       const dnnl::engine& engine)
      : primitive(made), plain_w(shapes.plain_w, engine, DNNL_MEMORY_NONE) {
    if (w_desc == shapes.plain_w) {
      w = plain_w;
      return;
    }
    w = dnnl::memory(w_desc, engine);
    reorder = is_gradient ? dnnl::reorder(w, plain_w) : dnnl::reorder(plain_w, w);
  }

  void add(int argument, const Desc& desc, const dnnl::engine& engine) {
    arguments.emplace(argument, dnnl::memory(desc, engine, DNNL_MEMORY_NONE));
  }
  void bind(int argument, const float* data) { bind(arguments.at(argument), data); }
  static void bind(dnnl::memory& memory, const float* data) {
    memory.set_data_handle(const_cast<float*>(data));  // oneDNN's interface takes no const memory
  }

  // Errors: dnnl::error.
  void run(const dnnl::stream& stream, const float* weights, bool is_gradient) {
    bind(plain_w, weights);
    if (reorder && !is_gradient) reorder.execute(stream, plain_w, w);
    primitive.execute(stream, arguments);
    if (reorder && is_gradient) reorder.execute(stream, w, plain_w);
  }
};

Convolution::Convolution(const ConvOperation& operation, std::int64_t rows)
    : operation_(operation), rows_(rows), engine_(std::make_unique<Engine>()) {}
Convolution::~Convolution() = default;

std::uint64_t Convolution::copied_bytes(const ConvOperation& operation, std::int64_t rows,
                                        Gradients gradients) {
  omp_set_num_threads(1);  // as in prepared(), which chooses the same formats
  check_headroom();
  try {
    const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
    const Shapes shapes(operation, rows);
    const auto bytes = [&](const Desc& w) { return w == shapes.plain_w ? 0 : w.get_size(); };
    std::uint64_t sum = bytes(forward_desc(shapes, engine).weights_desc());
    if (gradients.input) sum += bytes(backward_input_desc(shapes, engine).weights_desc());
    if (gradients.weights) sum += bytes(backward_weights_desc(shapes, engine).diff_weights_desc());
    return sum;
  } catch (const dnnl::error& error) {
    if (error.status == dnnl_unimplemented) return 0;  // the first step names the pass that is missing
    fail_convolution(error.status, "memory", operation, rows);
  }
}

void fail_convolution(int status, std::string_view what, const ConvOperation& operation, std::int64_t rows) {
  const auto text = fmt::format("the {} of a {}", what, describe(operation, rows));
  if (status == dnnl_out_of_memory) throw OutOfMemory(text + ": oneDNN ran out of memory");
  if (status == dnnl_unimplemented)
    throw DeviceError(text + ": oneDNN has no implementation for these shapes");
  throw InternalError(fmt::format("{}: oneDNN status {}", text, status));
}

// oneDNN distributes work over OpenMP threads: each thread of our pool is given only itself.
template <class Make>
Convolution::Pass& Convolution::prepared(std::unique_ptr<Pass>& pass, const char* what, const Make& make) {
  if (pass) return *pass;
  omp_set_num_threads(1);
  check_headroom();
  try {
    pass = make(Shapes(operation_, rows_), engine_->engine);
  } catch (const dnnl::error& error) {
    fail_convolution(error.status, what, operation_, rows_);
  }
  return *pass;
}

void Convolution::run(Pass& pass, const char* what, const float* weights) {
  try {
    pass.run(engine_->stream, weights, &pass == backward_weights_.get());
  } catch (const dnnl::error& error) {
    fail_convolution(error.status, what, operation_, rows_);
  }
}

void Convolution::forward(const float* x, const float* w, const float* b, float* y) {
  auto& pass = prepared(forward_, kForward, [](const Shapes& shapes, const dnnl::engine& engine) {
    const auto desc = forward_desc(shapes, engine);
    auto made =
        std::make_unique<Pass>(dnnl::convolution_forward(desc), desc.weights_desc(), false, shapes, engine);
    made->add(DNNL_ARG_SRC, shapes.x, engine);
    made->add(DNNL_ARG_DST, shapes.y, engine);
    if (shapes.bias) made->add(DNNL_ARG_BIAS, shapes.b, engine);
    made->arguments.emplace(DNNL_ARG_WEIGHTS, made->w);
    return made;
  });
  pass.bind(DNNL_ARG_SRC, x);
  pass.bind(DNNL_ARG_DST, y);
  if (operation_.bias) pass.bind(DNNL_ARG_BIAS, b);
  run(pass, kForward, w);
}

void Convolution::backward_input(const float* dy, const float* w, float* dx) {
  auto& pass =
      prepared(backward_input_, kInputGradient, [](const Shapes& shapes, const dnnl::engine& engine) {
        const auto desc = backward_input_desc(shapes, engine);
        auto made = std::make_unique<Pass>(dnnl::convolution_backward_data(desc), desc.weights_desc(), false,
                                           shapes, engine);
        made->add(DNNL_ARG_DIFF_DST, shapes.y, engine);
        made->add(DNNL_ARG_DIFF_SRC, shapes.x, engine);
        made->arguments.emplace(DNNL_ARG_WEIGHTS, made->w);
        return made;
      });
  pass.bind(DNNL_ARG_DIFF_DST, dy);
  pass.bind(DNNL_ARG_DIFF_SRC, dx);
  run(pass, kInputGradient, w);
}

void Convolution::backward_weights(const float* x, const float* dy, float* dw, float* db) {
  auto& pass =
      prepared(backward_weights_, kWeightGradient, [](const Shapes& shapes, const dnnl::engine& engine) {
        const auto desc = backward_weights_desc(shapes, engine);
        auto made = std::make_unique<Pass>(dnnl::convolution_backward_weights(desc), desc.diff_weights_desc(),
                                           true, shapes, engine);
        made->add(DNNL_ARG_SRC, shapes.x, engine);
        made->add(DNNL_ARG_DIFF_DST, shapes.y, engine);
        if (shapes.bias) made->add(DNNL_ARG_DIFF_BIAS, shapes.b, engine);
        made->arguments.emplace(DNNL_ARG_DIFF_WEIGHTS, made->w);
        return made;
      });
  pass.bind(DNNL_ARG_SRC, x);
  pass.bind(DNNL_ARG_DIFF_DST, dy);
  if (operation_.bias) pass.bind(DNNL_ARG_DIFF_BIAS, db);
  run(pass, kWeightGradient, dw);
}

}  // namespace warpfit::cpu
