// SPDX-License-Identifier: Apache-2.0
// A training step of small transformers (log-probabilities, backward pass, clipping, AdamW), whole and by its parts, and
// sampling from them; the peer is peers/transformer.py.
#include <mellow/core/rng.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;
using language::Transformer;

struct Setting {
  std::string name;
  language::TransformerOptions options;
  Index tokens, batch;  // of a sequence; sequences
};

const std::vector<Setting> settings{
    {"small", {}, 45, 32},
    {"large", {.context = 128, .width = 128, .layers = 4}, 128, 16},
};

/// Sequences of one length, of tokens drawn at random.
struct Text {
  std::vector<Token> tokens;
  std::vector<Index> starts;
  Text(Index sequences, Index length, Index vocabulary) : starts(1, 0) {
    Rng rng(2);
    for (Index i = 0; i < sequences; ++i) {
      for (Index t = 0; t < length; ++t) tokens.push_back(static_cast<Token>(rng.below(vocabulary)));
      starts.push_back(static_cast<Index>(tokens.size()));
    }
  }
  PackedTokens packed() const { return {tokens, starts}; }
};

/// Floating-point operations of the matrix products of a training step without attention's own: 6 a weight and token,
/// the embedding's left out.
double flop(const Setting& setting) {
  double weights = 0;
  for (const Segment& segment : Transformer<>(setting.options).segments())
    if (segment.kind == Segment::Kind::Weight && segment.fan_in > 1) weights += static_cast<double>(segment.size());
  return 6.0 * weights * static_cast<double>((setting.tokens - 1) * setting.batch);
}

template <class Part>
void add(const std::string& name, const Setting& setting, Part part) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    const Transformer<> model(setting.options);
    Rng rng(1);
    Vector<> theta = nn::initialize(model, rng, nn::LeCun{}), gradient = Vector<>::Zero(theta.size());
    const Text text(setting.batch, setting.tokens, model.vocabulary());
    const Vector<> weights = Vector<>::Constant(text.packed().size(), -1e-3f);
    Transformer<>::Tape tape;
    const nn::AdamW optimizer;
    nn::AdamW::State<float> moments;
    moments.reset(model);
    model.log_probabilities(theta, text.packed(), tape);
    for (auto _ : state) {
      part(model, theta, text.packed(), tape, weights, gradient, optimizer, moments);
      benchmark::ClobberMemory();
    }
    speed::report_rate(state, "tokens/s", static_cast<double>(text.packed().size()));
    if (name.find('/') == std::string::npos) speed::report_rate(state, "flop/s", flop(setting));
  });
}

/// One or all of the parts of a step.
template <bool forward, bool backward, bool optimizer>
struct Step {
  void operator()(const Transformer<>& model, Vector<>& theta, const PackedTokens& packed, Transformer<>::Tape& tape,
                  const Vector<>& weights, Vector<>& gradient, const nn::AdamW& adamw,
                  nn::AdamW::State<float>& moments) const {
    if constexpr (forward) benchmark::DoNotOptimize(model.log_probabilities(theta, packed, tape).data());
    if constexpr (backward) {
      gradient.setZero();
      model.backward(theta, tape, weights, gradient);
    }
    if constexpr (optimizer) {
      nn::clip_norm<float>(gradient, 1.0f);
      adamw.step<float>(moments, theta, gradient);
    }
  }
};

/// 25 tokens for each of 128 prompts of 20, at temperature 1.
void sample(benchmark::State& state, const Setting& setting) {
  const Transformer<> model(setting.options);
  Rng rng(1);
  const Vector<> theta = nn::initialize(model, rng, nn::LeCun{});
  const Text prompts(128, 20, model.vocabulary());
  language::Sampler sampler(model, {.new_tokens = 25});
  for (auto _ : state) benchmark::DoNotOptimize(sampler.sample(theta, prompts.packed(), rng).tokens.data());
  speed::report_rate(state, "tokens/s", 25 * 128);
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& setting : settings) {
    const std::string name = "transformer_train_" + setting.name;
    add(name, setting, Step<true, true, true>{});
    add(name + "/forward", setting, Step<true, false, false>{});
    add(name + "/backward", setting, Step<false, true, false>{});
    add(name + "/optimizer", setting, Step<false, false, true>{});
    benchmark::RegisterBenchmark(("transformer_sample_" + setting.name).c_str(),
                                 [&](benchmark::State& state) { sample(state, setting); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
