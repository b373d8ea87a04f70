// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <mellow/language/long_addition.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::language;
using Catch::Matchers::Message;
using Tokens = std::vector<Token>;

namespace {

/// Of a completion that says what the right one says up to some place, the thought in which that place lies: the first
/// error without arithmetic, since up to it the completion's own carries are the true ones.
std::optional<Index> first_difference(const Tokens& completion, const Tokens& right) {
  if (completion == right) return std::nullopt;
  const auto [a, b] = std::ranges::mismatch(completion, right);
  return std::min<Index>(std::distance(right.begin(), b) / 4, (std::ssize(right) - 1) / 4);
}

}  // namespace

TEST_CASE("The lengths and the vocabulary of the test bed") {
  Rng rng(1);
  const LongAddition task(rng);
  CHECK(task.prompt_length() == 20);
  CHECK(task.completion_length() == 25);
  CHECK(task.vocabulary_size() == 25);
  for (const Index n : {1, 3, 6, 40}) {
    const LongAddition other(rng, {.digits = n});
    const Tokens prompt = other.prompt(rng);
    CHECK(std::ssize(prompt) == 2 + 3 * n);
    CHECK(std::ssize(other.completion(prompt)) == 4 * n + 1);
    CHECK(other.vocabulary_size() == 19 + n);
    for (const auto& tokens : {prompt, other.completion(prompt), other.teacher_completion(prompt, rng)})
      for (const Token token : tokens) CHECK((token >= 0 && token < other.vocabulary_size()));
  }
}

TEST_CASE("A prompt and its completion as text") {
  Rng rng(1);
  const LongAddition task(rng, {.digits = 2});
  const Tokens prompt{LongAddition::bos, 19, 7, 5, 20, 9, 0, LongAddition::equals};
  CHECK(task.text(prompt) == "BOS I0 7 5 I1 9 0 =");
  CHECK(task.text(task.completion(prompt)) == "I0 2 c1 ; I1 0 c1 ; EOS");
  CHECK(task.text(Tokens{10, 14, 17, 18}) == "c0 ANS PAD h");
  CHECK_THROWS_MATCHES(task.text(Tokens{0, 21}), Error,
                       Message("language::LongAddition: token 1 must be from 0 to 20 (got 21)"));
}

TEST_CASE("The right completion is the sum of the numbers, and nothing in it is wrong") {
  Rng rng(2);
  const LongAddition task(rng);
  for (int i = 0; i < 500; ++i) {
    const Tokens prompt = task.prompt(rng), completion = task.completion(prompt);
    Index a = 0, b = 0, sum = 0, scale = 1;
    for (std::size_t k = 0; k < 6; ++k, scale *= 10) {
      a += scale * prompt[3 * k + 2];
      b += scale * prompt[3 * k + 3];
      sum += scale * completion[4 * k + 1];
    }
    sum += scale * (completion[22] - LongAddition::carry_0);
    REQUIRE(sum == a + b);
    REQUIRE(task.is_well_formed(completion));
    REQUIRE(task.reward(prompt, completion) == 1);
    REQUIRE_FALSE(task.first_error(prompt, completion));
    REQUIRE(task.thought_boundaries(completion) == std::vector<Index>{0, 4, 8, 12, 16, 20, 24});
  }
}

TEST_CASE("The first error is exact: every chain of two digits") {
  Rng rng(3);
  const LongAddition task(rng, {.digits = 2});
  int cancelled = 0;
  for (int i = 0; i < 100; ++i) {
    const Tokens prompt = task.prompt(rng), right = task.completion(prompt);
    for (Token first = 0; first < 20; ++first)
      for (Token second = 0; second < 20; ++second) {
        const Tokens chain{LongAddition::index(0), first % 10,  10 + first / 10,  LongAddition::separator,
                           LongAddition::index(1), second % 10, 10 + second / 10, LongAddition::separator,
                           LongAddition::eos};
        const bool answer = chain[1] == right[1] && chain[5] == right[5] && chain[6] == right[6];
        REQUIRE(task.reward(prompt, chain) == (answer ? 1 : 0));
        const auto error = task.first_error(prompt, chain);
        REQUIRE(error == first_difference(chain, right));
        cancelled += answer && error;
      }
  }
  CHECK(cancelled == 100);  // of each prompt the chain with the first carry alone wrong
}

TEST_CASE("The first error is exact where the form breaks: tokens changed, dropped, added") {
  Rng rng(4);
  const LongAddition task(rng);
  for (int i = 0; i < 20'000; ++i) {
    const Tokens prompt = task.prompt(rng), right = task.completion(prompt);
    Tokens completion = right;
    for (auto edits = 1 + rng.below(2); edits > 0 && !completion.empty(); --edits) {
      const auto place = completion.begin() + rng.below(std::ssize(completion));
      const auto token = static_cast<Token>(rng.below(task.vocabulary_size()));
      switch (rng.below(4)) {
        case 0:
          *place = token;
          break;
        case 1:
          completion.erase(place);
          break;
        case 2:
          completion.insert(place, token);
          break;
        default:
          completion.erase(place, completion.end());
      }
    }
    const auto error = task.first_error(prompt, completion);
    REQUIRE(error == first_difference(completion, right));
    if (task.reward(prompt, completion) == 0) REQUIRE(error);
    if (!task.is_well_formed(completion)) REQUIRE(task.reward(prompt, completion) == 0);
  }
  const Tokens prompt = task.prompt(rng);
  Tokens longer = task.completion(prompt);
  longer.push_back(LongAddition::pad);
  CHECK_FALSE(task.is_well_formed(longer));
  CHECK(task.first_error(prompt, longer) == 6);
  CHECK(task.thought_boundaries(longer) == std::vector<Index>{0, 4, 8, 12, 16, 20, 24});
  CHECK(task.thought_boundaries(Tokens(longer.begin(), longer.begin() + 7)) == std::vector<Index>{0, 4});
  CHECK(task.thought_boundaries({}) == std::vector<Index>{0});
  CHECK(task.first_error(prompt, {}) == 0);
}

TEST_CASE("Hard entries have two fixed wrong candidates, others none") {
  Rng rng(5);
  int hard = 0;
  for (int table = 0; table < 50; ++table) {
    const LongAddition task(rng);
    for (int a = 0; a < 10; ++a)
      for (int b = 0; b < 10; ++b)
        for (int carry = 0; carry < 2; ++carry) {
          const auto& values = task.candidates(a, b, carry);
          REQUIRE(values[0] == a + b + carry);
          if (values[1] == values[0]) {
            REQUIRE(values[2] == values[0]);
            continue;
          }
          ++hard;
          REQUIRE((values[2] != values[0] && values[2] != values[1]));
          for (const int value : values) REQUIRE((value >= 0 && value < 20));
        }
  }
  // Binomial of 10 000 trials: five standard deviations are 0.023.
  CHECK(hard / 10'000.0 == Approx(0.3).margin(0.023));
  const LongAddition easy(rng, {.hard_share = 0.0}), all(rng, {.hard_share = 1.0});
  const Tokens prompt = easy.prompt(rng);
  for (int i = 0; i < 20; ++i) CHECK(easy.teacher_completion(prompt, rng) == easy.completion(prompt));
  CHECK(all.candidates(3, 4, 1)[1] != 8);
}

TEST_CASE("A perfect imitator of the teacher makes 0.8 of the steps and about 0.26 of the chains rightly") {
  Rng rng(6);
  const int tables = 200, chains = 100;
  double right_steps = 0, right_chains = 0, right_without_error = 0;
  for (int table = 0; table < tables; ++table) {
    const LongAddition task(rng);
    for (int i = 0; i < chains; ++i) {
      const Tokens prompt = task.prompt(rng), chain = task.teacher_completion(prompt, rng);
      REQUIRE(task.is_well_formed(chain));
      int carry = 0;
      for (std::size_t k = 0; k < 6; ++k) {
        const int sum = prompt[3 * k + 2] + prompt[3 * k + 3] + carry;
        carry = chain[4 * k + 2] - LongAddition::carry_0;
        right_steps += chain[4 * k + 1] == sum % 10 && carry == sum / 10;
      }
      right_chains += task.reward(prompt, chain);
      right_without_error += !task.first_error(prompt, chain);
    }
  }
  // A table's step accuracy has a standard deviation of (2 / 3) sqrt(0.3 * 0.7 / 200) = 0.022 around 0.8, and a chain's
  // of 6 0.8^5 times that; with those of the draws, 0.002 and 0.0045 for the means. Five of them each. Tables that
  // differ lift the mean of the sixth power by 1 %.
  CHECK(right_steps / (6.0 * tables * chains) == Approx(0.8).margin(0.01));
  CHECK(right_without_error / (1.0 * tables * chains) == Approx(0.265).margin(0.0225));
  CHECK(right_chains / (1.0 * tables * chains) == Approx(0.265).margin(0.03));  // and chains whose errors cancel
  CHECK(right_chains >= right_without_error);
}

TEST_CASE("What is no prompt is refused") {
  Rng rng(7);
  const LongAddition task(rng, {.digits = 2});
  Tokens prompt = task.prompt(rng);
  CHECK_THROWS_MATCHES(task.completion(Tokens{15}), Error,
                       Message("language::LongAddition: a prompt must have 8 tokens (got 1)"));
  prompt = {15, 19, 1, 2, 19, 3, 4, 12};
  CHECK_THROWS_MATCHES(
      task.reward(prompt, {}), Error,
      Message("language::LongAddition: a prompt must be BOS, an index and two digits for each place, = "
              "(got 15 19 1 2 19 3 4 12)"));
  CHECK_THROWS_AS(task.first_error(prompt, {}), Error);
  CHECK_THROWS_MATCHES(LongAddition(rng, {.digits = 0}), Error,
                       Message("language::LongAddition: digits must be from 1 to 1000 (got 0)"));
  CHECK_THROWS_MATCHES(LongAddition(rng, {.hard_share = 1.5}), Error,
                       Message("language::LongAddition: hard_share must be from 0 to 1 (got 1.5)"));
}
