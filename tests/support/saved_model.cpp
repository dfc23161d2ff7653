#include "tests/support/saved_model.hpp"

#include <algorithm>
#include <limits>

#include "tests/support/linear_tensors.hpp"
#include "tests/support/random.hpp"

namespace warpfit::test {

std::vector<float> random_parameters(const NetworkSpec& spec) {
  const auto plan = plan_network(spec);
  std::vector<float> parameters(plan.floats);
  TestValues values;
  for (const auto& layer : linear_tensors(plan)) {
    std::ranges::copy(values.uniform(layer.inputs * layer.outputs), parameters.begin() + layer.weight);
    std::ranges::copy(values.uniform(layer.outputs), parameters.begin() + layer.bias);
  }
  return parameters;
}

Doubles reference_logits(const NetworkSpec& spec, std::span<const float> parameters, const Dataset& samples) {
  Bytes pixels(static_cast<std::size_t>(samples.size() * samples.sample_size()));
  std::vector<Label> labels(static_cast<std::size_t>(samples.size()));
  samples.read(0, pixels, labels);
  std::vector<float> x;
  for (const auto pixel : pixels) x.push_back(static_cast<float>(pixel) / 255.0F);
  const auto plan = plan_network(spec);
  Doubles y;
  for (const auto& layer : linear_tensors(plan)) {
    y = reference_linear(x, parameters.subspan(layer.weight, layer.weight_size()),
                         parameters.subspan(layer.bias, layer.bias_size()), samples.size());
    x.clear();
    for (const double value : y) x.push_back(static_cast<float>(std::max(value, 0.0)));
  }
  return y;
}

Model brightest_pixel() {
  Model model{{.network = multilayer_perceptron({3, 3}), .sample_shape = {3}}, {}};
  const auto plan = plan_of(model.info);
  model.parameters.resize(plan.floats);
  for (std::size_t i = 0; i < 3; ++i) model.parameters[linear_tensors(plan)[0].weight + 4 * i] = 1;
  return model;
}

std::string add_model(const TemporaryFolder& folder, const std::string& name, const Model& model) {
  auto path = (folder.path() / name).string();
  save_model(path, model.info, model.parameters);
  return path;
}

Model with_infinite_bias(Model model) {
  const auto bias = linear_tensors(plan_of(model.info)).back().bias;
  model.parameters[bias + 1] = std::numeric_limits<float>::infinity();
  return model;
}

}  // namespace warpfit::test
