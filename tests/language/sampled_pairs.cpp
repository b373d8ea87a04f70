// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <mellow/language/long_addition.hpp>
#include <mellow/language/sampled_pairs.hpp>
#include <mellow/language/transformer.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::language;

namespace {

using Model = Transformer<float>;

/// Prompts are a number; a completion is worth the share of its tokens that are larger.
struct Larger {
  std::vector<Token> prompt(Rng& rng) const { return {static_cast<Token>(rng.below(8))}; }
  double reward(std::span<const Token> prompt, std::span<const Token> completion) const {
    const auto larger = std::ranges::count_if(completion, [&](Token t) { return t > prompt[0]; });
    return static_cast<double>(larger) / static_cast<double>(completion.size());
  }
};

static_assert(CompletionTask<Larger> && CompletionTask<LongAddition>);
struct NoReward {
  std::vector<Token> prompt(Rng&) const { return {0}; }
};
static_assert(!CompletionTask<NoReward>);

const Model model({.vocabulary = 8, .context = 8, .width = 8, .layers = 1, .heads = 2});

/// Of parameters that are all 0, so that each token is equally likely.
struct Uniform {
  Sampler<Model> sampler{model, {.new_tokens = 3}};
  Vector<float> theta = Vector<float>::Zero(model.parameters());
};

struct Sample {
  std::vector<Token> prompt, completion;
  double reward;
};

std::vector<Sample> all_samples(const TaskSampling& options, std::uint64_t seed) {
  Uniform uniform;
  Rng rng(seed);
  std::vector<Sample> result;
  sample_task(uniform.sampler, uniform.theta, Larger{}, options, rng, [&](auto prompt, auto completion, double reward) {
    result.push_back({{prompt.begin(), prompt.end()}, {completion.begin(), completion.end()}, reward});
  });
  return result;
}

}  // namespace

TEST_CASE("A task's samples come prompt by prompt, with their rewards, however many go on at once") {
  for (const Index at_once : {1, 5, 12, 1'000}) {
    CAPTURE(at_once);
    const auto samples = all_samples({.prompts = 7, .samples = 4, .at_once = at_once}, 3);
    REQUIRE(samples.size() == 28);
    for (std::size_t i = 0; i < samples.size(); ++i) {
      CHECK(samples[i].prompt == samples[i - i % 4].prompt);
      CHECK(samples[i].completion.size() == 3);
      CHECK(samples[i].reward == Larger{}.reward(samples[i].prompt, samples[i].completion));
    }
    const auto first = samples[0].completion;
    CHECK(std::ranges::any_of(samples, [&](const Sample& s) { return s.completion != first; }));
  }
}

TEST_CASE("A pair is a prompt's first right and first wrong sample; a prompt with samples of one kind gives none") {
  const TaskSampling options{.prompts = 60, .samples = 3, .right = 0.5, .at_once = 16};
  const auto samples = all_samples(options, 5);
  std::vector<TokenizedPair> expected;
  bool all_right = false, all_wrong = false;
  for (std::size_t i = 0; i < samples.size(); i += 3) {
    const auto begin = samples.begin() + static_cast<std::ptrdiff_t>(i), end = begin + 3;
    const auto right = std::find_if(begin, end, [](const Sample& s) { return s.reward >= 0.5; }),
               wrong = std::find_if(begin, end, [](const Sample& s) { return s.reward < 0.5; });
    all_right = all_right || wrong == end;
    all_wrong = all_wrong || right == end;
    if (right != end && wrong != end) expected.push_back({begin->prompt, right->completion, wrong->completion});
  }
  REQUIRE((all_right && all_wrong && expected.size() > 5));
  Uniform uniform;
  Rng rng(5);
  const auto pairs = sample_pairs(uniform.sampler, uniform.theta, Larger{}, options, rng);
  REQUIRE(pairs.size() == expected.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    CHECK(pairs[i].prompt == expected[i].prompt);
    CHECK(pairs[i].chosen == expected[i].chosen);
    CHECK(pairs[i].rejected == expected[i].rejected);
  }
}

TEST_CASE("The share of right samples is counted, and is the same of the same generator") {
  const TaskSampling options{.prompts = 50, .samples = 2, .right = 0.4};
  const auto samples = all_samples(options, 9);
  const auto right = std::ranges::count_if(samples, [](const Sample& s) { return s.reward >= 0.4; });
  REQUIRE((right > 0 && right < 100));
  Uniform uniform;
  for (int twice = 0; twice < 2; ++twice) {
    Rng rng(9);
    CHECK(share_right(uniform.sampler, uniform.theta, Larger{}, options, rng) == static_cast<double>(right) / 100);
  }
}

TEST_CASE("How a task is sampled is checked") {
  using Catch::Matchers::Message;
  Uniform uniform;
  Rng rng;
  const auto bad = [&](const TaskSampling& options, const char* message) {
    CHECK_THROWS_MATCHES(sample_pairs(uniform.sampler, uniform.theta, Larger{}, options, rng), Error, Message(message));
  };
  bad({.prompts = 0}, "language::TaskSampling: prompts must be positive (got 0)");
  bad({.samples = 0}, "language::TaskSampling: samples must be positive (got 0)");
  bad({.right = std::nan("")}, "language::TaskSampling: right must be finite (got nan)");
  bad({.at_once = 0}, "language::TaskSampling: at_once must be positive (got 0)");
}
