// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <mellow/statistics/profile.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Message;

TEST_CASE("Profiles by hand: the share of scores, or of task means, strictly above tau") {
  Rng rng(1);
  const Scores scores = Matrix<double>{{0, 3}, {2, 5}};  // task means 1, 4
  const std::vector<double> tau{-1, 0, 2, 2.5, 5};
  CHECK(performance_profile(scores, tau, rng).share == std::vector<double>{1, 0.75, 0.5, 0.5, 0});
  CHECK(mean_score_profile(scores, tau, rng).share == std::vector<double>{1, 1, 0.5, 0.5, 0});
  CHECK(mean_score_profile(scores, {1, 4}, rng).share == std::vector<double>{0.5, 0});
}

TEST_CASE("Profiles and their bands fall from 1 to 0, and bands hold the profile") {
  Rng rng(2);
  const std::vector<Scores> tables{Matrix<double>::NullaryExpr(10, 6, [&] { return rng.normal(); }).eval()};
  auto tau = even_thresholds(tables, 41);
  CHECK(tau.size() == 41);
  CHECK(tau.front() == tables[0].values().minCoeff());
  CHECK(tau.back() == tables[0].values().maxCoeff());
  tau.insert(tau.begin(), tau.front() - 1);
  const auto check = [&](const Profile& profile) {
    for (const auto* line : {&profile.share, &profile.low, &profile.high}) {
      REQUIRE(line->size() == tau.size());
      CHECK(std::is_sorted(line->rbegin(), line->rend()));
      CHECK(line->front() == 1);
      CHECK(line->back() == 0);
    }
    for (std::size_t j = 0; j < tau.size(); ++j) CHECK(profile.low[j] <= profile.high[j]);
    CHECK(profile.tau == tau);
  };
  const Profile profile = performance_profile(tables[0], tau, rng);
  check(profile);
  check(mean_score_profile(tables[0], tau, rng));
  for (std::size_t j = 0; j < tau.size(); ++j) {
    CHECK(profile.low[j] <= profile.share[j]);
    CHECK(profile.share[j] <= profile.high[j]);
  }
}

TEST_CASE("A profile's share at one tau is the mean of what lies above it, with the same interval") {
  Rng rng(3);
  const Scores scores = Matrix<double>::NullaryExpr(9, 4, [&] { return rng.uniform(); }).eval();
  const Scores above = (scores.values().array() > 0.4).cast<double>().matrix();
  Rng one(4), other = one;
  const Profile profile = performance_profile(scores, {0.4}, one);
  const Estimate mean = bootstrap(
      above, [](const Scores& s) { return s.values().mean(); }, other);
  CHECK(profile.share[0] == Approx(mean.value));
  CHECK(profile.low[0] == Approx(mean.low));
  CHECK(profile.high[0] == Approx(mean.high));
}

TEST_CASE("Thresholds cover all tables; bad ones are refused") {
  Rng rng(5);
  const std::vector<Scores> tables{Scores(std::vector<double>{0, 1}), Scores(std::vector<double>{-1, 0.5})};
  CHECK(even_thresholds(tables, 3) == std::vector<double>{-1, 0, 1});
  const std::vector<Scores> equal{Scores(Matrix<double>::Constant(3, 2, 4.0))};
  CHECK(even_thresholds(equal, 3) == std::vector<double>{2, 4, 6});
  CHECK_THROWS_AS(even_thresholds({}), Error);
  CHECK_THROWS_AS(even_thresholds(tables, 1), Error);
  const auto refused = [&](const std::vector<double>& tau, const std::string& problem) {
    CHECK_THROWS_MATCHES(performance_profile(tables[0], tau, rng), Error,
                         Message("statistics::performance_profile: " + problem));
    CHECK_THROWS_MATCHES(mean_score_profile(tables[0], tau, rng), Error,
                         Message("statistics::mean_score_profile: " + problem));
  };
  refused({}, "it takes a threshold (got 0)");
  refused({0, 2, 1}, "thresholds must ascend (got 1)");
  refused({0, 0}, "thresholds must ascend (got 0)");
  refused({0, std::nan("")}, "thresholds must be finite (got nan)");
  CHECK_THROWS_AS(performance_profile(std::vector<double>{1}, {0}, rng), Error);
}
