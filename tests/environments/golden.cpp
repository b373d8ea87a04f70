// SPDX-License-Identifier: Apache-2.0
// Against Gymnasium's own steps, recorded by tests/golden/make_traces.py. Tolerances of classic_environments.md 1,
// "Arithmetic under NumPy 2", in the tighter form that holds where the float arithmetic is followed.
#include <mellow/core/numpy_generator.hpp>
#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/mountain_car.hpp>
#include <mellow/environments/mountain_car_continuous.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments;

namespace {

/// A file of tests/golden.
tools::Safetensors golden(const char* name) {
  return tools::load_safetensors(std::string(MELLOW_SOURCE_DIR "/tests/golden/") + name + ".safetensors");
}

/// The tensor of this name, in double: rows x columns as in the file.
Matrix<double> read(const tools::Safetensors& file, const std::string& name) {
  const tools::Tensor& tensor = file.at(name);
  const Index rows = tensor.shape.at(0), columns = tensor.shape.size() > 1 ? tensor.shape[1] : 1;
  return std::visit(
      [&](const auto& values) -> Matrix<double> {
        using Scalar = typename std::remove_cvref_t<decltype(values)>::value_type;
        return Eigen::Map<const Matrix<Scalar>>(values.data(), columns, rows).transpose().template cast<double>();
      },
      tensor.values);
}

template <class E>
Action<E> as_action(double value) {
  if constexpr (std::same_as<ActionSpace<E>, Discrete>) return static_cast<Index>(value);
  else return Vector<float>::Constant(1, static_cast<float>(value));
}

/// Largest |ours - theirs| / (1 + |theirs|) so far.
struct Deviation {
  double largest = 0.0;
  void add(double ours, double theirs) {
    largest = std::max(largest, std::abs(ours - theirs) / (1 + std::abs(theirs)));
  }
  template <class A, class B>
  void add(const A& ours, const B& theirs) {
    for (Index i = 0; i < static_cast<Index>(theirs.size()); ++i) add(static_cast<double>(ours[i]), theirs[i]);
  }
};

/// Replays a whole trace: the observation and reward of every step within `tolerance`, every episode's end and flags
/// equal.
template <class E>
void replay(const char* name, E environment, double tolerance) {
  CAPTURE(name);
  const auto file = golden(name);
  const Matrix<double> actions = read(file, "actions"), ends = read(file, "ends"), returns = read(file, "returns"),
                       firsts = read(file, "firsts"), observations = read(file, "observations"),
                       rewards = read(file, "rewards");
  NumpyGenerator rng(std::stoull(file.metadata.at("seed")));
  Vector<float> observation(firsts.cols());
  Deviation seen, begun, earned, summed;
  Index episode = 0, wrong_flags = 0;
  double total = 0.0;
  const auto begin = [&] {
    environment.reset(rng);
    environment.observe(observation);
    begun.add(observation, firsts.row(episode));
  };
  REQUIRE(actions.size() == 10'000);
  REQUIRE((observations.rows() == 10'000 && rewards.size() == 10'000));
  begin();
  for (Index i = 1; i <= actions.size(); ++i) {
    const Step step = environment.step(as_action<E>(actions(i - 1)), rng);
    environment.observe(observation);
    total += step.reward;
    seen.add(observation, observations.row(i - 1));
    earned.add(step.reward, rewards(i - 1));
    const bool ends_here = episode < ends.rows() && static_cast<Index>(ends(episode, 0)) == i;
    const Index flags = step.terminated + 2 * step.truncated;
    wrong_flags += flags != (ends_here ? static_cast<Index>(ends(episode, 1)) : 0);
    if (ends_here) {
      summed.add(std::exchange(total, 0.0), returns(episode++));
      begin();
    }
  }
  CHECK(episode == ends.rows());
  CHECK(wrong_flags == 0);
  CHECK(begun.largest <= 1.2e-7);  // one unit in the last place of a float
  CHECK(seen.largest <= tolerance);
  CHECK(earned.largest <= tolerance);
  CHECK(summed.largest <= tolerance);
}

/// Single steps from given states: the tensors whose names begin with `prefix`.
template <class E>
void compare_steps(const char* name, const std::string& prefix, E environment, double tolerance) {
  const auto file = golden(name);
  const Matrix<double> from = read(file, prefix + "from"), chosen = read(file, prefix + "chosen"),
                       to = read(file, prefix + "to"), earned = read(file, prefix + "earned"),
                       terminated = read(file, prefix + "terminated");
  Rng rng;
  REQUIRE(from.rows() >= 50);
  for (Index i = 0; i < from.rows(); ++i) {
    typename E::State state;
    for (std::size_t v = 0; v < state.size(); ++v) state[v] = from(i, static_cast<Index>(v));
    environment.set_state(state);
    const Step step = environment.step(as_action<E>(chosen(i)), rng);
    Deviation moved, rewarded;
    moved.add(environment.state(), to.row(i));
    rewarded.add(step.reward, earned(i));
    CAPTURE(name, prefix, i, from.row(i), chosen(i), environment.state(), to.row(i));
    CHECK(step.terminated == (terminated(i) != 0.0));
    CHECK_FALSE(step.truncated);  // only a time limit does that
    CHECK(moved.largest <= tolerance);
    CHECK(rewarded.largest <= 1e-12);
  }
}

/// Compares spaces, time limit and threshold with Gymnasium's.
template <class E>
void compare_spec(const char* name, const E& environment, Index features, const char* limit, const char* threshold) {
  CAPTURE(name);
  const auto file = golden(name);
  CHECK(file.metadata.at("limit") == limit);
  CHECK(file.metadata.at("threshold") == threshold);
  const auto expect_box = [&](const Box& box, const std::string& space, Index size) {
    CHECK(box.size() == size);
    CHECK(box.low.cast<double>() == read(file, space + "_low").col(0));
    CHECK(box.high.cast<double>() == read(file, space + "_high").col(0));
  };
  expect_box(environment.observation_space(), "observation", features);
  if constexpr (std::same_as<ActionSpace<E>, Discrete>)
    CHECK(static_cast<double>(environment.action_space().n) == read(file, "actions_n")(0));
  else expect_box(environment.action_space(), "action", 1);
}

}  // namespace

TEST_CASE("Traces of Gymnasium are replayed") {
  replay("cartpole_v1", TimeLimit(CartPole{}, 500), 1e-6);
  replay("mountaincar_v0", TimeLimit(MountainCar{}, 200), 1e-6);
  replay("mountaincarcontinuous_v0", TimeLimit(MountainCarContinuous{}, 999), 1e-6);
  replay("acrobot_v1", TimeLimit(Acrobot{}, 500), 1e-6);
  replay("pendulum_v1", TimeLimit(Pendulum{}, 200), 1e-6);
}

// From everywhere, and from walls, goals, places where angles wrap and limits of speeds: classic_environments.md 3.
TEST_CASE("Single steps from given states are Gymnasium's") {
  for (const char* prefix : {"", "border_"}) {
    compare_steps("cartpole_v1", prefix, CartPole{}, 1e-12);
    compare_steps("mountaincar_v0", prefix, MountainCar{}, 1e-12);
    compare_steps("mountaincarcontinuous_v0", prefix, MountainCarContinuous{}, 0.0);  // it rounds to float
    compare_steps("acrobot_v1", prefix, Acrobot{}, 1e-12);
    compare_steps("pendulum_v1", prefix, Pendulum{}, 1e-12);
  }
}

// The table of classic_environments.md 1; the traces above end their episodes at these limits.
TEST_CASE("Spaces are Gymnasium's, and its limits and thresholds those of the documentation") {
  compare_spec("cartpole_v1", CartPole{}, 4, "500", "475.0");
  compare_spec("acrobot_v1", Acrobot{}, 6, "500", "-100.0");
  compare_spec("mountaincar_v0", MountainCar{}, 2, "200", "-110.0");
  compare_spec("mountaincarcontinuous_v0", MountainCarContinuous{}, 2, "999", "90.0");
  compare_spec("pendulum_v1", Pendulum{}, 3, "200", "None");
  const auto metadata = golden("cartpole_v1").metadata;
  CHECK(metadata.at("limit_v0") == "200");
  CHECK(metadata.at("threshold_v0") == "195.0");
}
