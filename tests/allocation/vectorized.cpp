// SPDX-License-Identifier: Apache-2.0
// Stepping environments takes nothing from the heap, resets at the ends of episodes included.
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/minatar/asterix.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/freeway.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/environments/minatar/space_invaders.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/vectorized.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;

namespace {
template <class E, class Actions>
std::size_t allocations(const E& environment, const Actions& actions, Index limit = 7) {
  Vectorized<TimeLimit<E>> environments(TimeLimit(environment, limit), actions.size());
  Rng rng(1);
  environments.reset(rng);
  const std::size_t before = heap_allocations();
  for (Index t = 0; t < 4 * limit + 2; ++t) environments.step(actions);
  environments.reset(rng);
  return heap_allocations() - before;
}
}  // namespace

TEST_CASE("Vectorised environments do not allocate") {
  for (const Index n : {1, 40}) {
    const Vector<Index> ones = Vector<Index>::Ones(n);
    const Matrix<float> forces = Matrix<float>::Ones(1, n);
    CHECK(allocations(CartPole{}, ones) == 0);
    CHECK(allocations(PuddleWorld{}, ones) == 0);
    CHECK(allocations(Pendulum{}, forces) == 0);
    CHECK(allocations(TimeLimit(Pendulum{}, 5), forces) == 0);
  }
}

TEST_CASE("Games of MinAtar do not allocate") {
  const Vector<Index> buttons = Vector<Index>::LinSpaced(6, 0, 5);
  CHECK(allocations(minatar::Asterix{}, buttons, 500) == 0);
  CHECK(allocations(minatar::Breakout{}, buttons, 500) == 0);
  CHECK(allocations(minatar::Freeway{}, buttons, 500) == 0);
  CHECK(allocations(minatar::Seaquest{}, buttons, 500) == 0);
  CHECK(allocations(minatar::SpaceInvaders{}, buttons, 500) == 0);
}
