// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <mellow/core/network.hpp>
#include <mellow/core/rng.hpp>
#include <mellow/nn/clip.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/value/backups.hpp>
#include <mellow/value/dqn.hpp>

#include "shapes.hpp"

namespace mellow::speed {

/// What `make()` gives: made once, when it is first asked for. Copies share it.
template <class Make>
class Once {
 public:
  explicit Once(Make make) : make_(std::move(make)) {}

  const auto& operator()() const {
    if (!*made_) made_->emplace(make_());
    return **made_;
  }

 private:
  using Made = std::invoke_result_t<Make>;
  Make make_;
  std::shared_ptr<std::optional<Made>> made_ = std::make_shared<std::optional<Made>>();
};

/// A copy of a trained agent in the middle of its learning.
template <class Agent>
struct Learning {
  explicit Learning(const Agent& trained) : agent(trained) {
    agent.learn(rng);  // so that the tapes see the copy's own batch
    auto& l = agent.learner();
    outputs = l.network.forward(l.online, l.batch.observations, l.tape);
  }

  Agent agent;
  Rng rng;
  Matrix<> outputs;  ///< of the online network for the batch
};

/// What a rate counts: each update, or what comes with it.
struct Unit {
  const char* name = "updates/s";
  double amount = 1;  ///< an update
};

/// Times `part(learning)` on a copy of `trained()`.
template <class Trained, class Part>
void add_part(const std::string& name, const Trained& trained, const Unit& unit, double flop, Part part) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Learning learning(trained());
    for (auto _ : state) {
      part(learning);
      benchmark::ClobberMemory();
    }
    report_rate(state, unit.name, unit.amount);
    if (flop > 0) report_rate(state, "flop/s", flop);
  });
}

/// Times updates of a deep Q agent, of `flop` operations in their products.
template <class Trained>
void add_update(const std::string& name, const Trained& trained, double flop) {
  add_part(name, trained, {}, flop, [](auto& learning) { learning.agent.learn(learning.rng); });
}

/// Times the parts of an update one by one: "name/replay" (and new priorities), "/forward", "/loss", "/backward",
/// "/optimizer", of a noisy network also "/noise". Together they do what `Dqn::learn` does but keep the target.
template <class Trained, class Backup = operators::Max>
void add_update_parts(const std::string& name, const Trained& trained, const Unit& unit = {}, const Backup& = {}) {
  using Agent = std::remove_cvref_t<decltype(trained())>;
  using Net = std::remove_cvref_t<decltype(trained().network())>;
  constexpr bool looks_twice = value::OnlineBackup<Backup, float>;  // at the next states
  const auto add = [&](const char* part, auto work) { add_part(name + part, trained, unit, 0, work); };
  add("/replay", [](Learning<Agent>& learning) {
    auto& l = learning.agent.learner();
    l.replay.sample(l.replay_state, l.batch, learning.rng);
    if constexpr (requires { l.replay.set_priorities(l.replay_state, l.batch); })
      l.replay.set_priorities(l.replay_state, l.batch);
  });
  if constexpr (NoisyNetwork<Net>)
    add("/noise", [](Learning<Agent>& learning) {
      auto& l = learning.agent.learner();
      draw_noise(l.target_network, l.target_tape, learning.rng);
      for (int pass = 0; pass < (looks_twice ? 2 : 1); ++pass) draw_noise(l.network, l.tape, learning.rng);
    });
  add("/forward", [](Learning<Agent>& learning) {
    auto& l = learning.agent.learner();
    l.target_network.forward(l.target, l.batch.next_observations, l.target_tape);
    if constexpr (looks_twice) l.network.forward(l.online, l.batch.next_observations, l.tape);
    l.network.forward(l.online, l.batch.observations, l.tape);
  });
  add("/loss", [](Learning<Agent>& learning) {
    auto& l = learning.agent.learner();
    const auto& q = learning.outputs;
    l.head.template targets<float>(l.head_state, Backup{}, l.batch, q, q);
    benchmark::DoNotOptimize(l.head.template evaluate<float>(l.head_state, l.batch, q, l.d_outputs));
    benchmark::DoNotOptimize(l.head.values(q).mean());
  });
  add("/backward", [](Learning<Agent>& learning) {
    auto& l = learning.agent.learner();
    l.gradient.setZero();
    l.network.backward(l.online, l.tape, l.d_outputs, l.gradient);
  });
  add("/optimizer", [](Learning<Agent>& learning) {
    auto& l = learning.agent.learner();
    nn::clip_norm<float>(l.gradient, std::numeric_limits<float>::infinity());
    l.optimizer.step(l.optimizer_state, l.online, l.gradient);
  });
}

}  // namespace mellow::speed
