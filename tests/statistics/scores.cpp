// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <mellow/statistics/aggregates.hpp>
#include <mellow/statistics/estimate.hpp>
#include <mellow/statistics/records.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::statistics;
using Catch::Matchers::Message;

TEST_CASE("A list is the runs of one task, a matrix is runs x tasks") {
  const Scores list = std::vector<double>{1, 2, 3};
  CHECK(list.runs() == 3);
  CHECK(list.tasks() == 1);
  CHECK(list(1, 0) == 2);
  const Scores column = Vector<double>(list.values().col(0));
  CHECK(column.values() == list.values());
  const Scores table = Eigen::Matrix<double, 2, 3>{{1, 2, 3}, {4, 5, 9}};
  CHECK(table.runs() == 2);
  CHECK(table.tasks() == 3);
  CHECK(table.size() == 6);
  CHECK(table.task_means() == Eigen::Vector3d(2.5, 3.5, 6));
}

TEST_CASE("Scores refuse what is empty or not finite, and say where") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_MATCHES(Scores(Matrix<double>(0, 3)), Error,
                       Message("statistics::Scores: a table needs a run and a task (got 0 x 3)"));
  CHECK_THROWS_MATCHES(Scores(std::vector<double>{}), Error,
                       Message("statistics::Scores: a table needs a run and a task (got 0 x 0)"));
  Matrix<double> values = Matrix<double>::Ones(3, 2);
  values(2, 1) = infinity;
  CHECK_THROWS_MATCHES(Scores(values), Error,
                       Message("statistics::Scores: the score of run 2 of task 1 must be finite (got inf)"));
  CHECK_THROWS_AS(Scores(std::vector<double>{1, std::nan("")}), Error);
}

TEST_CASE("An estimate is written with its interval") {
  const Estimate estimate{0.875, 0.8125, 0.92};
  CHECK(fmt::format("{}", estimate) == "0.875 [0.8125, 0.92]");
  CHECK(fmt::format("{:.2f}|", estimate) == "0.88 [0.81, 0.92]|");
  CHECK(estimate.covers(0.92));
  CHECK_FALSE(estimate.covers(0.8));
}

TEST_CASE("Records in any order become a table an algorithm, its runs paired by name") {
  const std::vector<Record> records{{"b", "pong", "10", 1}, {"b", "maze", "2", 2}, {"a", "maze", "2", 3},
                                    {"b", "maze", "10", 4}, {"b", "pong", "2", 5}, {"a", "pong", "2", 6}};
  const ScoreTable table = tabulate(records);
  CHECK(table.tasks == std::vector<std::string>{"pong", "maze"});
  REQUIRE(table.algorithms.size() == 2);
  CHECK(table.algorithms[0].algorithm == "b");
  CHECK(table.algorithms[0].runs == std::vector<std::string>{"2", "10"});
  CHECK(table.at("b").scores.values() == Matrix<double>{{5, 2}, {1, 4}});
  CHECK(table.at("a").scores.values() == Matrix<double>{{6, 3}});
  CHECK_THROWS_MATCHES(table.at("c"), Error,
                       Message("statistics::ScoreTable: there is no such algorithm; did you mean 'b'? (got c)"));
  CHECK_THROWS_MATCHES(table.at("soft actor"), Error,
                       Message("statistics::ScoreTable: there is no such algorithm (got soft actor)"));
}

TEST_CASE("Records that do not make a table are refused by name") {
  const auto refused = [](const std::vector<Record>& records, const std::string& message) {
    CHECK_THROWS_MATCHES(tabulate(records), Error, Message("statistics::tabulate: " + message));
  };
  refused({}, "it takes a record (got 0)");
  refused({{"a", "t", "1", 0}, {"a", "t", "1", 2}}, "a score comes twice (got algorithm 'a', task 't', run '1')");
  refused({{"a", "t", "1", 0}, {"a", "u", "1", 2}, {"b", "t", "4", 0}},
          "every run needs a score on every task (got algorithm 'b' without task 'u' of run '4')");
  CHECK_THROWS_AS(tabulate(std::vector<Record>{{"a", "t", "1", std::nan("")}}), Error);
}
