// SPDX-License-Identifier: Apache-2.0
// Against Gymnasium's own steps, recorded by tests/golden/make_traces.py. Tolerances of classic_environments, section
// 1, "Arithmetic under NumPy 2", in the tighter form that holds where the float arithmetic is followed.
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

/// The tensor of this name, in double: rows x columns as in the file.
Matrix<double> read(const tools::Safetensors& file, const char* name) {
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

/// Replays a whole trace: observations and rewards within `tolerance`, every episode's end and flags equal.
template <class E>
void replay(const char* name, E environment, double tolerance) {
  CAPTURE(name);
  const auto file = tools::load_safetensors(std::string(MELLOW_SOURCE_DIR "/tests/golden/") + name + ".safetensors");
  const Matrix<double> actions = read(file, "actions"), ends = read(file, "ends"), returns = read(file, "returns"),
                       firsts = read(file, "firsts"), observations = read(file, "observations"),
                       rewards = read(file, "rewards");
  NumpyGenerator rng(std::stoull(file.metadata.at("seed")));
  Vector<float> observation(firsts.cols());
  Deviation seen, begun, earned, summed;
  Index episode = 0, kept = 0, wrong_flags = 0;
  double total = 0.0;
  const auto begin = [&] {
    environment.reset(rng);
    environment.observe(observation);
    begun.add(observation, firsts.row(episode));
  };
  begin();
  for (Index i = 1; i <= actions.size(); ++i) {
    const Step step = environment.step(as_action<E>(actions(i - 1)), rng);
    environment.observe(observation);
    total += step.reward;
    if (i <= 500 || i % 20 == 0) {
      seen.add(observation, observations.row(kept));
      earned.add(step.reward, rewards(kept++));
    }
    const bool ends_here = episode < ends.rows() && static_cast<Index>(ends(episode, 0)) == i;
    const Index flags = step.terminated + 2 * step.truncated;
    wrong_flags += flags != (ends_here ? static_cast<Index>(ends(episode, 1)) : 0);
    if (ends_here) {
      summed.add(std::exchange(total, 0.0), returns(episode++));
      begin();
    }
  }
  CHECK(actions.size() >= 10'000);
  CHECK(kept == rewards.size());
  CHECK(episode == ends.rows());
  CHECK(wrong_flags == 0);
  CHECK(begun.largest <= 1.2e-7);  // one unit in the last place of a float
  CHECK(seen.largest <= tolerance);
  CHECK(earned.largest <= tolerance);
  CHECK(summed.largest <= tolerance);
}

/// Single steps from given states.
template <class E>
void compare_steps(const char* name, E environment, double tolerance) {
  CAPTURE(name);
  const auto file = tools::load_safetensors(std::string(MELLOW_SOURCE_DIR "/tests/golden/") + name + ".safetensors");
  const Matrix<double> from = read(file, "from"), chosen = read(file, "chosen"), to = read(file, "to"),
                       earned = read(file, "earned"), terminated = read(file, "terminated");
  Rng rng;
  Deviation moved, rewarded;
  Index wrong_flags = 0;
  for (Index i = 0; i < from.rows(); ++i) {
    typename E::State state;
    for (std::size_t v = 0; v < state.size(); ++v) state[v] = from(i, static_cast<Index>(v));
    environment.set_state(state);
    const Step step = environment.step(as_action<E>(chosen(i)), rng);
    moved.add(environment.state(), to.row(i));
    rewarded.add(step.reward, earned(i));
    wrong_flags += step.terminated != (terminated(i) != 0.0);
  }
  CHECK(wrong_flags == 0);
  CHECK(moved.largest <= tolerance);
  CHECK(rewarded.largest <= 1e-12);
}

}  // namespace

TEST_CASE("Traces of Gymnasium are replayed") {
  replay("cartpole_v1", TimeLimit(CartPole{}, 500), 1e-6);
  replay("mountaincar_v0", TimeLimit(MountainCar{}, 200), 1e-6);
  replay("mountaincarcontinuous_v0", TimeLimit(MountainCarContinuous{}, 999), 1e-6);
  replay("acrobot_v1", TimeLimit(Acrobot{}, 500), 1e-6);
  replay("pendulum_v1", TimeLimit(Pendulum{}, 200), 1e-6);
}

TEST_CASE("Single steps from given states are Gymnasium's") {
  compare_steps("cartpole_v1", CartPole{}, 1e-12);
  compare_steps("mountaincar_v0", MountainCar{}, 1e-12);
  compare_steps("mountaincarcontinuous_v0", MountainCarContinuous{}, 0.0);  // it rounds to float
  compare_steps("acrobot_v1", Acrobot{}, 1e-12);
  compare_steps("pendulum_v1", Pendulum{}, 1e-12);
}
