// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/state.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {
struct Inner {
  Vector<float> weights = Vector<float>::Ones(3);
  std::array<double, 2> pair{1, 2};
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("weights", self.weights);
    visit("pair", self.pair);
  }
};
struct Outer {
  Inner inner;
  std::vector<Inner> many = std::vector<Inner>(2);
  std::tuple<int, double> both{1, 2.0};
  bool flag = false;
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("inner", self.inner);
    visit("many", self.many);
    visit("both", self.both);
    visit("flag", self.flag);
  }
};
}  // namespace

TEST_CASE("Visited state has paths, sizes and bytes") {
  const Outer outer;
  std::vector<std::string> paths;
  for (const auto& piece : state_of(outer)) paths.push_back(piece.path);
  CHECK(paths == std::vector<std::string>{"inner.weights", "inner.pair", "many.0.weights", "many.0.pair",
                                          "many.1.weights", "many.1.pair", "both.0", "both.1", "flag"});
  CHECK(state_bytes(outer) == 3 * (3 * 4 + 2 * 8) + 4 + 8 + 1);
  CHECK(Visitable<Outer>);
  CHECK_FALSE(Visitable<int>);
}

TEST_CASE("The first difference of two objects is named") {
  const Outer a;
  Outer b;
  CHECK(first_difference(a, b).empty());
  b.flag = true;
  CHECK(first_difference(a, b) == "flag");
  b.many[1].pair[0] = -1;
  CHECK(first_difference(a, b) == "many.1.pair");
  b.many.pop_back();
  CHECK(first_difference(a, b) == "many.1.weights");
  CHECK(first_difference(b, a) == "both.0");
}
