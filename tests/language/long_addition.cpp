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

// discounted_reasoning.md, section 5.3
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

// discounted_reasoning.md, section 5.3
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

// discounted_reasoning.md, section 5.3
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
    REQUIRE(task.is_well_formed(prompt, completion));
    REQUIRE(task.reward(prompt, completion) == 1);
    REQUIRE_FALSE(task.first_error(prompt, completion));
    REQUIRE(task.thought_boundaries(completion) == std::vector<Index>{0, 4, 8, 12, 16, 20, 24});
  }
}

// discounted_reasoning.md, section 5.3
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

// discounted_reasoning.md, section 5.3
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
    if (!task.is_well_formed(prompt, completion)) REQUIRE(task.reward(prompt, completion) == 0);
  }
  const Tokens prompt = task.prompt(rng);
  Tokens longer = task.completion(prompt);
  longer.push_back(LongAddition::pad);
  CHECK_FALSE(task.is_well_formed(prompt, longer));
  CHECK(task.first_error(prompt, longer) == 6);
  CHECK(task.thought_boundaries(longer) == std::vector<Index>{0, 4, 8, 12, 16, 20, 24});
  CHECK(task.thought_boundaries(Tokens(longer.begin(), longer.begin() + 7)) == std::vector<Index>{0, 4});
  CHECK(task.thought_boundaries({}) == std::vector<Index>{0});
  CHECK(task.first_error(prompt, {}) == 0);
}

// discounted_reasoning.md, section 5.3
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

// discounted_reasoning.md, section 5.3
TEST_CASE("A perfect imitator of the teacher makes 0.8 of the steps and about 0.26 of the chains rightly") {
  Rng rng(6);
  const int tables = 200, chains = 100;
  double right_steps = 0, right_chains = 0, right_without_error = 0;
  for (int table = 0; table < tables; ++table) {
    const LongAddition task(rng);
    for (int i = 0; i < chains; ++i) {
      const Tokens prompt = task.prompt(rng), chain = task.teacher_completion(prompt, rng);
      REQUIRE(task.is_well_formed(prompt, chain));
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

// discounted_reasoning.md, section 5.3
TEST_CASE("Fillers, skipped thoughts and lengths are as often as the test bed's variant says") {
  Rng rng(8);
  const LongAddition task(rng, LongAdditionOptions::with_fillers());
  CHECK((task.digits() == 6 && task.vocabulary_size() == 25 && task.prompt_length() == 20));
  CHECK(task.completion_length() == 43);  // 6 (3 + 4) + 1: with the prompt 63, of 96 positions
  const int samples = 20'000;
  double skipped = 0, thoughts = 0, reasoning = 0;
  std::vector<double> lengths(7), fillers(5);
  for (int i = 0; i < samples; ++i) {
    const Tokens prompt = task.prompt(rng), completion = task.teacher_completion(prompt, rng);
    const auto n = (prompt.size() - 2) / 3;
    REQUIRE((n >= 3 && n <= 6));
    REQUIRE(task.is_well_formed(prompt, completion));
    REQUIRE(std::ssize(completion) <= task.completion_length());
    lengths[n] += 1.0 / samples;
    reasoning += static_cast<double>(task.reasoning_tokens(completion)) / samples;
    if (completion.front() == LongAddition::answer) {
      skipped += 1.0 / samples;
      REQUIRE(completion.size() == n + 3);
      REQUIRE(task.reasoning_tokens(completion) == 0);
      continue;
    }
    REQUIRE(task.reasoning_tokens(completion) == std::ssize(completion) - 1);
    const auto places = task.thought_boundaries(completion);
    REQUIRE(places.size() == n + 1);
    for (std::size_t k = 0; k < n; ++k) {
      const Index before = places[k + 1] - places[k] - 4;
      REQUIRE((before >= 0 && before <= 3));
      REQUIRE(std::count(completion.begin() + places[k], completion.begin() + places[k + 1], LongAddition::filler) ==
              before);
      fillers[static_cast<std::size_t>(before)] += 1;
      thoughts += 1;
    }
  }
  // Five standard deviations: of shares of 20 000 samples at most 0.0154, of 81 000 thoughts at most 0.0084.
  CHECK(skipped == Approx(0.1).margin(0.0106));
  for (const std::size_t n : {3u, 4u, 5u, 6u}) CHECK(lengths[n] == Approx(0.25).margin(0.0154));
  const double shares[] = {0.65, 0.35 * 0.65, 0.35 * 0.35 * 0.65, 0.35 * 0.35 * 0.35};
  for (std::size_t k = 0; k < 4; ++k) CHECK(fillers[k] / thoughts == Approx(shares[k]).margin(0.0084));
  // 0.9 of the samples have 4.5 thoughts of 4 + 0.515 tokens on average; a sample's standard deviation is below 8.
  CHECK(reasoning == Approx(0.9 * 4.5 * (4 + 0.515375)).margin(0.28));
}

TEST_CASE(
    "Fillers change neither the reward nor which thought is wrong first; skipped thoughts are judged by the answer") {
  Rng rng(9);
  const LongAddition task(rng, LongAdditionOptions::with_fillers());
  const LongAddition plain(rng);
  for (int i = 0; i < 2'000; ++i) {
    const Tokens prompt = task.prompt(rng), written = task.teacher_completion(prompt, rng),
                 right = task.completion(prompt);
    const auto n = static_cast<Index>((prompt.size() - 2) / 3);
    REQUIRE(task.reward(prompt, right) == 1);
    REQUIRE_FALSE(task.first_error(prompt, right));
    // The answer that a completion ends with, and the right one.
    Tokens bare = written, answer{LongAddition::answer};
    std::erase(bare, LongAddition::filler);
    for (Index k = 0; k < n; ++k) answer.push_back(right[static_cast<std::size_t>(4 * k + 1)]);
    answer.insert(answer.end(), {right[right.size() - 3], LongAddition::eos});
    REQUIRE(task.reward(prompt, answer) == 1);
    REQUIRE_FALSE(task.first_error(prompt, answer));
    if (written.front() == LongAddition::answer) {
      REQUIRE(task.reward(prompt, written) == (written == answer ? 1 : 0));
      REQUIRE(task.first_error(prompt, written) == (written == answer ? std::nullopt : std::optional<Index>(0)));
    } else {
      REQUIRE(task.first_error(prompt, written) == task.first_error(prompt, bare));
      REQUIRE(task.reward(prompt, written) == task.reward(prompt, bare));
      REQUIRE(task.first_error(prompt, bare) == first_difference(bare, right));
    }
    // Any number of fillers before a thought, none elsewhere.
    Tokens more = right;
    more.insert(more.begin() + 4, 7, LongAddition::filler);
    REQUIRE(task.reward(prompt, more) == 1);
    REQUIRE(task.reasoning_tokens(more) == 4 * n + 7);
    REQUIRE(task.thought_boundaries(more)[2] == 15);
    for (const Index place : {1, 3}) {
      Tokens broken = right;
      broken.insert(broken.begin() + place, LongAddition::filler);
      REQUIRE(task.reward(prompt, broken) == 0);
      REQUIRE(task.first_error(prompt, broken) == 0);
    }
    Tokens late = right;
    late.insert(late.end() - 1, LongAddition::filler);
    REQUIRE(task.reward(prompt, late) == 0);
    REQUIRE(task.first_error(prompt, late) == n);
    if (n == 6) {  // where nothing is to be left out, nothing may be
      REQUIRE(plain.reward(prompt, more) == 0);
      REQUIRE(plain.first_error(prompt, more) == 1);
      REQUIRE(plain.reward(prompt, answer) == 0);
      REQUIRE(plain.first_error(prompt, answer) == 0);
    } else REQUIRE_THROWS_AS(plain.reward(prompt, right), Error);
  }
}

// discounted_reasoning.md, section 5.3
TEST_CASE("The count of reasoning tokens ends with the answer") {
  Rng rng(9);
  const LongAddition task(rng, LongAdditionOptions::with_fillers());
  using L = LongAddition;
  CHECK(task.reasoning_tokens({}) == 0);
  CHECK(task.reasoning_tokens(Tokens{L::filler, L::index(0), 3, L::carry_1, L::separator}) == 5);
  CHECK(task.reasoning_tokens(Tokens{L::filler, L::eos, L::filler}) == 1);
  CHECK(task.reasoning_tokens(Tokens{L::index(5), L::answer, 3, L::carry_0, L::eos}) == 1);
  CHECK(task.reasoning_tokens(Tokens{L::pad, L::bos, L::equals, 4, L::eos}) == 1);  // only what is thought counts
}

TEST_CASE("Without the options for fillers the task draws what it drew without them") {
  const auto text = [](const LongAdditionOptions& options) {
    Rng rng(10);
    const LongAddition task(rng, options);
    Tokens all;
    for (int i = 0; i < 20; ++i) {
      const Tokens prompt = task.prompt(rng), completion = task.teacher_completion(prompt, rng);
      all.insert(all.end(), prompt.begin(), prompt.end());
      all.insert(all.end(), completion.begin(), completion.end());
    }
    return all;
  };
  CHECK(text({}) == text({.least_digits = 6, .most_fillers = 9}));
  CHECK(text({}) != text({.filler = 0.35}));
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
  CHECK_THROWS_MATCHES(LongAddition(rng, {.digits = 4, .least_digits = 5}), Error,
                       Message("language::LongAddition: least_digits must be from 0 to digits (got 5)"));
  CHECK_THROWS_MATCHES(LongAddition(rng, {.filler = -0.1}), Error,
                       Message("language::LongAddition: filler must be from 0 to 1 (got -0.1)"));
  CHECK_THROWS_MATCHES(LongAddition(rng, {.most_fillers = 0}), Error,
                       Message("language::LongAddition: most_fillers must be positive (got 0)"));
  CHECK_THROWS_MATCHES(LongAddition(rng, {.skip_share = 2}), Error,
                       Message("language::LongAddition: skip_share must be from 0 to 1 (got 2)"));
  const LongAddition variant(rng, LongAdditionOptions::with_fillers());
  CHECK_THROWS_MATCHES(
      variant.completion(prompt), Error,
      Message("language::LongAddition: a prompt must have from 11 to 20 tokens, three a digit (got 8)"));
}
