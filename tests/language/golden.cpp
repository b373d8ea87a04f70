// SPDX-License-Identifier: Apache-2.0
// Against PyTorch's numbers, made by tests/golden/make_transformer.py.
#include <mellow/language/transformer.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

Vector<double> numbers(const tools::Safetensors& file, const std::string& name) {
  const auto& stored = std::get<std::vector<double>>(file.at(name).values);
  return Eigen::Map<const Vector<double>>(stored.data(), static_cast<Index>(stored.size()));
}

template <class To>
std::vector<To> whole_numbers(const tools::Safetensors& file, const std::string& name) {
  const auto& stored = std::get<std::vector<std::int64_t>>(file.at(name).values);
  return std::vector<To>(stored.begin(), stored.end());
}

/// The tensors `prefix` + name of segment, as one vector; each must have its segment's shape.
template <class Model>
Vector<double> parameters(const tools::Safetensors& file, const Model& model, const std::string& prefix = "") {
  Vector<double> theta(model.parameters());
  for (const Segment& segment : model.segments()) {
    file.at(prefix + segment.name, {segment.shape.begin(), segment.shape.end()});
    theta.segment(segment.offset, segment.size()) = numbers(file, prefix + segment.name);
  }
  return theta;
}

template <class Shape, class Scalar>
void compare(const std::string& name, const language::TransformerOptions& options, double tolerance) {
  CAPTURE(name, tolerance);
  const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/" + name + ".safetensors");
  const language::Transformer<Scalar, Shape> model(options);
  CHECK(file.tensors.size() == 4 + 2 * model.segments().size());
  const Vector<Scalar> theta = parameters(file, model).template cast<Scalar>();
  const auto tokens = whole_numbers<Token>(file, "tokens");
  const auto starts = whole_numbers<Index>(file, "starts");
  const PackedTokens packed{tokens, starts};
  const Vector<double> weights = numbers(file, "weights");
  const Matrix<double> expected =
      numbers(file, "log_distributions").reshaped(model.vocabulary(), packed.size() - packed.sequences());

  typename language::Transformer<Scalar, Shape>::Tape tape;
  const Vector<Scalar> values = model.log_probabilities(theta, packed, tape);
  const auto scale = expected.cwiseAbs().maxCoeff();
  CHECK((model.log_distributions(tape).template cast<double>() - expected).cwiseAbs().maxCoeff() < tolerance * scale);
  Index column = 0;
  for (Index s = 0; s < packed.sequences(); ++s) {
    CHECK(values[packed.start(s)] == 0);
    for (Index t = packed.start(s) + 1; t < packed.start(s + 1); ++t)
      CHECK(std::abs(static_cast<double>(values[t]) - expected(tokens[static_cast<std::size_t>(t)], column++)) <
            tolerance * scale);
  }
  Vector<Scalar> gradient = Vector<Scalar>::Zero(model.parameters());
  model.backward(theta, tape, weights.cast<Scalar>().eval(), gradient);
  const Vector<double> expected_gradient = parameters(file, model, "gradient.");
  CHECK((gradient.template cast<double>() - expected_gradient).norm() < tolerance * expected_gradient.norm());
}

const language::TransformerOptions gpt{
    .vocabulary = 11, .context = 12, .width = 12, .layers = 2, .heads = 3, .hidden = 20};
const language::TransformerOptions llama{.vocabulary = 11,
                                         .context = 12,
                                         .width = 24,
                                         .layers = 2,
                                         .heads = 6,
                                         .key_value_heads = 2,
                                         .hidden = 20,
                                         .rotary_base = 100.0};

}  // namespace

TEST_CASE("Log-probabilities and gradients of GPT's shape are PyTorch's") {
  compare<language::Gpt, double>("transformer_gpt", gpt, 1e-13);
  compare<language::Gpt, float>("transformer_gpt", gpt, 1e-5);
}

TEST_CASE("Log-probabilities and gradients of Llama's shape are PyTorch's") {
  compare<language::Llama, double>("transformer_llama", llama, 1e-13);
  compare<language::Llama, float>("transformer_llama", llama, 1e-5);
  compare<language::LlamaUntied, double>("transformer_llama_untied", llama, 1e-13);
}
