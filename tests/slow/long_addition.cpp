// SPDX-License-Identifier: Apache-2.0
// The supervised stage of the small language model on long addition.
#include <cmath>

#include <mellow/language/long_addition.hpp>
#include <mellow/language/sampling.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {

/// Prompts, with their teacher's completions where there is a teacher.
struct Text {
  std::vector<Token> tokens;
  std::vector<Index> starts{0}, given;

  void add(const std::vector<Token>& prompt, const std::vector<Token>& completion = {}) {
    tokens.insert(tokens.end(), prompt.begin(), prompt.end());
    tokens.insert(tokens.end(), completion.begin(), completion.end());
    given.push_back(static_cast<Index>(prompt.size()));
    starts.push_back(static_cast<Index>(tokens.size()));
  }
  PackedTokens packed() const { return {tokens, starts, given}; }
};

}  // namespace

TEST_CASE("A small transformer learns long addition as well as its imperfect teacher") {
  Rng rng(1);
  const language::LongAddition task(rng);
  const language::Transformer<> model;
  REQUIRE(model.vocabulary() == task.vocabulary_size());
  Vector<> theta = nn::initialize(model, rng, nn::Normal{.deviation = 0.05}), gradient(model.parameters());
  language::Transformer<>::Tape tape;
  constexpr int steps = 2'500;
  const nn::AdamW optimizer{.learning_rate = warm_up(50, cosine(2e-3, 1e-4, steps - 50)), .weight_decay = 0};
  nn::AdamW::State<float> moments;
  moments.reset(model);
  double recent = 0.0;  // mean loss of the last 200 steps
  for (int step = 0; step < steps; ++step) {
    Text batch;
    for (int i = 0; i < 32; ++i) {
      const auto prompt = task.prompt(rng);
      batch.add(prompt, task.teacher_completion(prompt, rng));
    }
    const PackedTokens packed = batch.packed();
    const float scored = 32.0f * static_cast<float>(task.completion_length());
    const double loss = -static_cast<double>(model.log_probabilities(theta, packed, tape).sum() / scored);
    if (step >= steps - 200) recent += loss / 200;
    gradient.setZero();
    model.backward(theta, tape, Vector<>::Constant(packed.size(), -1 / scored), gradient);
    nn::clip_norm<float>(gradient, 1.0f);
    optimizer.step<float>(moments, theta, gradient);
  }
  // The best that there is, for a table of which this share is hard: its entropy is log(3) for a hard thought, else 0.
  double hard = 0.0;
  for (int entry = 0; entry < 200; ++entry) {
    const auto& values = task.candidates(entry / 20, entry / 2 % 10, entry % 2);
    hard += values[1] != values[0] ? 1.0 / 200 : 0.0;
  }
  const auto digits = static_cast<double>(task.digits());
  const double entropy = hard * std::log(3.0) * digits / static_cast<double>(task.completion_length());
  const double teacher = std::pow(1.0 - 2.0 / 3.0 * hard, digits);
  CAPTURE(hard, entropy, teacher, recent);
  CHECK(recent < entropy + 0.02);
  CHECK(recent > entropy - 0.01);
  Text prompts;
  std::vector<std::vector<Token>> asked;
  for (int i = 0; i < 400; ++i) prompts.add(asked.emplace_back(task.prompt(rng)));
  language::Sampler sampler(model, {.new_tokens = task.completion_length(), .stop = {task.eos}});
  const auto& samples = sampler.sample(theta, prompts.packed(), rng);
  double accuracy = 0.0;
  for (Index i = 0; i < samples.sequences(); ++i)
    accuracy += task.reward(asked[static_cast<std::size_t>(i)], samples.completion(i)) / 400;
  CHECK(std::abs(accuracy - teacher) < 0.1);  // 400 prompts: a standard error of 0.02
}
