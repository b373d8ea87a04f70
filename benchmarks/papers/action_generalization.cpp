// SPDX-License-Identifier: Apache-2.0
// Characterizing the Action-Generalization Gap in Deep Q-Learning (Zhou, Allen, Asadi & Konidaris 2022): what DQN loses
// where actions are duplicated, against an oracle that knows which are. Criteria and figures:
// docs/papers/action_generalization.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <mellow/environments/acrobot.hpp>
#include <mellow/environments/any.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/chains.hpp>
#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/environments/pendulum.hpp>
#include <mellow/environments/tabular.hpp>
#include <mellow/environments/time_limit.hpp>
#include <mellow/models/value_iteration.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/training/run.hpp>
#include <mellow/value/dqn.hpp>
#include <mellow/value/g_score.hpp>
#include <mellow/value/similar_actions.hpp>
#include <mellow/value/similarity_head.hpp>
#include <mellow/value/tabular_q.hpp>

#include "../suite/estimates.hpp"
#include "measured_arms.hpp"

namespace mellow::suite {
namespace {

using namespace environments;
using statistics::Estimate;

constexpr std::array<Index, 4> all_copies{1, 5, 15, 50};

/// How a learner is named in results and plots.
std::string name_of(bool oracle) { return oracle ? "oracle" : "DQN"; }

/// The steps N for which there is a metric "<name> at step N".
std::vector<double> steps_of(const Figures& figures, const std::string& name) {
  std::vector<double> steps;
  const std::string prefix = name + " at step ";
  for (const Figure& one : figures)
    if (one.metric.starts_with(prefix)) steps.push_back(std::stod(one.metric.substr(prefix.size())));
  return steps;
}

std::string one_digit(const Estimate& x) { return fmt::format("{:.1f}", x); }

// ---------------------------------------------------------------------------------------------------------------------
// 1. A table: ten states in a row.

/// Steps until every value is within 0.05 of Q*, asked every 50, of Q-learning that acts at random.
template <class... Parts>
double steps_until_near(Index copies, std::uint64_t seed, const Parts&... parts) {
  const auto chain = walled_chain(10);
  const Matrix<double> best = models::value_iteration(chain, {.discount = 0.9, .tolerance = 1e-10}).q;
  value::TabularQ agent(10, 2 * copies, {.discount = 0.9, .learning_rate = 0.5},
                        operators::EpsilonGreedy{.epsilon = 1.0}, parts...);
  struct UntilNear {
    const decltype(agent)& watched;
    const Matrix<double>& best;
    Index copies;
    bool on_step(const training::RunStatus& status) const {
      if (status.step % 50 != 0) return true;
      double worst = 0;
      for (Index s = 0; s < 9; ++s)
        for (Index a = 0; a < watched.actions(); ++a)
          worst = std::max(worst, std::abs(watched.q(s)[a] - best(a / copies, s)));
      return worst >= 0.05;
    }
  };
  const auto run =
      training::train(agent, DuplicateActions(Tabular(chain), copies),
                      {.steps = 1'000'000, .evaluate_every = 0, .seed = seed}, UntilNear{agent, best, copies});
  return static_cast<double>(run.steps);
}

std::string chain_setting(Index copies, bool oracle) {
  return fmt::format("{} of each, {}", copies, oracle ? "oracle" : "plain");
}

std::vector<Claim> chain(Study& study) {
  std::vector<Arm> arms;
  for (const Index copies : all_copies)
    for (const bool oracle : {false, true})
      arms.push_back(
          {chain_setting(copies, oracle), [=](Index seed) -> Figures {
             // With the same seeds an oracle's runs would be those without duplicates.
             const auto own = static_cast<std::uint64_t>(1'000 * copies + seed);
             const value::SimilarActions alike{similarity_of_copies(2 * copies, copies)};
             return {{"steps", oracle ? steps_until_near(copies, own, alike) : steps_until_near(copies, own)}};
           }});
  const std::string experiment = "chain";
  const MeasuredArms found(study, experiment,
                           "10 states, discount 0.9, rate 0.5, random actions, within 0.05, every 50 steps",
                           study.seeds(experiment, 20, 100), arms);
  Rng rng(0, 1);
  tools::Plot plot{.title = "Q-learning on a chain: steps until all values are within 0.05",
                   .x_label = "of each action",
                   .y_label = "steps",
                   .series = {{.label = "plain"}, {.label = "oracle"}},
                   .log_x = true,
                   .log_y = true};
  std::string table = "| of each action | plain | oracle |\n|---:|---:|---:|\n";
  for (const Index copies : all_copies) {
    table += fmt::format("| {} |", copies);
    for (const bool oracle : {false, true}) {
      const auto steps = mean_of(found(chain_setting(copies, oracle), "steps"), rng);
      add_point(plot.series[oracle ? 1 : 0], static_cast<double>(copies), steps);
      table += fmt::format(" {:.0f} [{:.0f}, {:.0f}] |", steps.value, steps.low, steps.high);
    }
    table += "\n";
  }
  tools::save_plot(study.folder() / "chain", plot);
  tools::write_file_atomically(study.folder() / "chain.md", table);

  const auto ratio = [&](bool oracle) {
    const auto many = found(chain_setting(50, oracle), "steps"), one = found(chain_setting(1, oracle), "steps");
    Matrix<double> both(std::ssize(many), 2);
    for (Index i = 0; i < both.rows(); ++i)
      both.row(i) << many[static_cast<std::size_t>(i)], one[static_cast<std::size_t>(i)];
    return statistics::bootstrap(
        both, [](const statistics::Scores& scores) { return scores.task_means()[0] / scores.task_means()[1]; }, rng);
  };
  const Estimate plain = ratio(false), oracle = ratio(true);
  return {{.claim = "A table learns the values of duplicated actions one by one",
           .paper = "none: ours",
           .measured = "steps with 50 of each action over steps with one",
           .ours = plain,
           .verdict = above(plain, 20),
           .note = "ten states, acting at random"},
          {.claim = "With an oracle it learns them as if there were one of each",
           .paper = "none: ours; proved",
           .measured = "the same ratio",
           .ours = oracle,
           .verdict = below(oracle, 1.5)}};
}

// ---------------------------------------------------------------------------------------------------------------------
// 2. Double DQN.

/// A set of actions to learn with.
struct ActionSet {
  enum class Kind { Duplicates, Random, Parts } kind = Kind::Duplicates;  ///< what the further actions are
  Index copies = 1;                                                       ///< of each action
  double effect = 1;                                                      ///< of a part

  std::string describe() const {
    switch (kind) {
      case Kind::Duplicates:
        return fmt::format("{} of each", copies);
      case Kind::Random:
        return fmt::format("{} times as many, random", copies);
      case Kind::Parts:
        return fmt::format("{} of each, effect {}", copies, effect);
    }
    return {};
  }
};

std::string setting_of(const ActionSet& set, bool oracle) { return set.describe() + ", " + name_of(oracle); }

/// An environment, and how alike its actions are.
struct Task {
  Any<> environment;
  Matrix<double> similarity;
};

/// CartPole-v0, Pendulum-v1 with torques -2, 0 and 2, or Acrobot-v1, each with its own time limit.
Task make_task(const std::string& domain, const ActionSet& set) {
  const Index limit = domain == "Acrobot" ? 500 : 200;
  const auto limited = [limit](auto environment) -> Task {
    const Matrix<double> similarity = environment.similarity();
    return {TimeLimit(std::move(environment), limit), similarity};
  };
  if (domain == "Acrobot") return limited(DuplicateActions(Acrobot{}, set.copies));
  if (domain == "CartPole")
    return set.kind == ActionSet::Kind::Random ? limited(RandomActions(CartPole{}, set.copies))
                                               : limited(DuplicateActions(CartPole{}, set.copies));
  const DiscretizedActions torques(Pendulum{}, 3);
  return set.kind == ActionSet::Kind::Parts ? limited(SemiDuplicateActions(torques, set.copies, set.effect))
                                            : limited(DuplicateActions(torques, set.copies));
}

/// Random until 500 steps are stored; from there epsilon falls to 0.05 exponentially, by the updates.
struct FallingEpsilon {
  using role = roles::Exploration;
  template <class Choice>
  Index choose(Choice&& choice, Index step, Rng& rng) const {
    const double updates = std::max(0.0, static_cast<double>(step) - 500);
    return rng.uniform() < 0.05 + 0.95 * std::exp(-updates / 2'500) ? choice.random(rng) : choice.greedy();
  }
};

/// How long, and what is looked at.
struct DeepRun {
  Index width, steps;
  Index curve_every = 0;  ///< steps between points of the learning curve; 0: none is kept
  Index score_every = 0;  ///< steps between g-scores, one at the start; 0: none
};

/// 100 observations of the greedy policy.
template <class Agent>
Matrix<float> greedy_states(Agent& agent, Any<> environment, Rng rng) {
  Matrix<float> states(environment.observation_space().size(), 100);
  Vector<float> observation(states.rows());
  environment.reset(rng);
  for (Index i = 0; i < states.cols(); ++i) {
    environment.observe(observation);
    states.col(i) = observation;
    const Step step = environment.step(agent.greedy(observation), rng);
    if (step.terminated || step.truncated) environment.reset(rng);
  }
  return states;
}

Figures learn(const std::string& domain, const ActionSet& set, bool oracle, const DeepRun& how, std::uint64_t seed) {
  const Task task = make_task(domain, set);
  const Index inputs = task.environment.observation_space().size(), actions = task.similarity.rows();
  const Matrix<double> shared = oracle ? task.similarity : Matrix<double>::Identity(actions, actions);
  constexpr double learning_rate = 1e-3;
  value::Dqn agent(nn::Mlp({inputs, how.width, how.width, actions}),
                   {.batch_size = 16,
                    .learning_starts = 500,
                    .max_gradient_norm = std::numeric_limits<double>::infinity(),
                    .seed = seed},
                   value::SimilarityHead{.similarity = shared}, value::DoubleQ{}, value::Polyak{.tau = 0.005},
                   nn::Adam{.learning_rate = learning_rate}, FallingEpsilon{}, data::UniformReplay{.capacity = 50'000});
  struct Watch {
    decltype(agent)& watched;
    const Task& task;
    const DeepRun& how;
    Rng rng;
    std::vector<double> returns{};
    std::size_t told = 0;
    Figures figures{};
    void on_evaluation(const training::RunStatus& status) {
      returns.push_back(status.evaluation_return);
      if (how.curve_every > 0 && status.step % how.curve_every == 0) {
        const std::vector<double> since(returns.begin() + static_cast<std::ptrdiff_t>(told), returns.end());
        figures.push_back({fmt::format("return at step {}", status.step), training::mean(since)});
        told = returns.size();
      }
      if (how.score_every > 0 && status.step % how.score_every == 0) score(status.step);
    }
    void score(Index step) {  // in double: small changes of values near 100
      const nn::Mlp<double> network(watched.network().widths());
      const auto found = value::g_score(network, watched.parameters().template cast<double>(),
                                        greedy_states(watched, task.environment, rng).template cast<double>(),
                                        task.similarity, learning_rate);
      figures.push_back({fmt::format("alike at step {}", step), found.alike});
      figures.push_back({fmt::format("unlike at step {}", step), found.unlike});
      figures.push_back({fmt::format("g at step {}", step), found.g()});
    }
  } watch{agent, task, how, Rng(seed, training::streams::test)};
  if (how.score_every > 0) watch.score(0);
  training::train(agent, task.environment,
                  {.steps = how.steps, .evaluate_every = 1'000, .evaluation_episodes = 10, .seed = seed}, watch);
  watch.figures.push_back({"mean return", training::mean(watch.returns)});
  watch.figures.push_back({"final return", watch.returns.back()});
  return watch.figures;
}

/// Runs of a domain with every set of actions; with one of each action DQN and the oracle are the same.
MeasuredArms learn_all(Study& study, const std::string& domain, const std::vector<ActionSet>& sets, DeepRun how) {
  std::vector<Arm> arms;
  const std::string identity = fmt::format(
      "2 x {}, {} steps, Adam 1e-3, batch 16, tau 0.005, discount 0.99, evaluated every 1000 by 10 episodes", how.width,
      how.steps);
  for (const ActionSet& set : sets)
    for (const bool oracle : {false, true}) {
      if (set.copies == 1 && oracle) continue;
      DeepRun own = how;
      if (set.kind != ActionSet::Kind::Duplicates) own.curve_every = 0;
      if (set.kind != ActionSet::Kind::Duplicates || set.copies != 5) own.score_every = 0;
      arms.push_back({setting_of(set, oracle),
                      [=](Index seed) { return learn(domain, set, oracle, own, static_cast<std::uint64_t>(seed)); },
                      fmt::format("curve every {}, g-score every {}", own.curve_every, own.score_every)});
    }
  return MeasuredArms(study, domain, identity, study.seeds(domain, 10, 20), arms);
}

/// Mean returns over training, and what the oracle gains: "the gap".
struct Gaps {
  const MeasuredArms& found;

  std::vector<double> returns(const ActionSet& set, bool oracle) const {
    return found(setting_of(set, oracle && set.copies > 1), "mean return");
  }
  std::vector<double> of(const ActionSet& set) const { return less(returns(set, true), returns(set, false)); }
};

/// Draws mean returns over training against the number of duplicates, and writes them as a table.
void show_returns(const Study& study, const std::string& name, const std::string& title, const Gaps& gaps,
                  const std::vector<ActionSet>& sets) {
  Rng rng(0, 2);
  tools::Plot plot{.title = title,
                   .x_label = "of each action",
                   .y_label = "mean greedy return over training",
                   .series = {{.label = "DQN"}, {.label = "oracle"}},
                   .log_x = true};
  std::string table = "| actions | DQN | oracle | gap | final return, DQN | oracle |\n|---|---:|---:|---:|---:|---:|\n";
  for (const ActionSet& set : sets) {
    table += "| " + set.describe() + " |";
    for (const bool oracle : {false, true}) {
      const auto mean = mean_of(gaps.returns(set, oracle), rng);
      if (set.kind == ActionSet::Kind::Duplicates)
        add_point(plot.series[oracle ? 1 : 0], static_cast<double>(set.copies), mean);
      table += fmt::format(" {} |", one_digit(mean));
    }
    table += fmt::format(" {} |", one_digit(mean_of(gaps.of(set), rng)));
    for (const bool oracle : {false, true})
      table += fmt::format(" {:.1f} |",
                           mean_of(gaps.found(setting_of(set, oracle && set.copies > 1), "final return"), rng).value);
    table += "\n";
  }
  tools::save_plot(study.folder() / name, plot);
  tools::write_file_atomically(study.folder() / (name + ".md"), table);
}

/// Draws metrics over training, each a line with its interval: (label, setting, metric).
void show_over_training(const Study& study, const std::string& name, tools::Plot plot, const MeasuredArms& found,
                        const std::vector<std::array<std::string, 3>>& lines) {
  Rng rng(0, 3);
  for (const auto& [label, setting, metric] : lines) {
    tools::Series line{.label = label};
    for (const double step : steps_of(found.figures(setting, 0), metric))
      add_point(line, step, mean_of(found(setting, fmt::format("{} at step {}", metric, step)), rng));
    plot.series.push_back(std::move(line));
  }
  tools::save_plot(study.folder() / name, plot);
}

std::vector<ActionSet> duplicated() {
  std::vector<ActionSet> sets;
  for (const Index copies : all_copies) sets.push_back({.copies = copies});
  return sets;
}

/// What is said of the gap in every domain.
std::vector<Claim> gap_claims(const std::string& domain, const Gaps& gaps, Rng& rng) {
  const ActionSet five{.copies = 5}, fifteen{.copies = 15}, fifty{.copies = 50};
  const Estimate at_fifty = mean_of(gaps.of(fifty), rng), wider = difference_of(gaps.of(fifty), gaps.of(five), rng);
  return {{.claim = "On " + domain + " with 50 of each action, sharing updates over duplicates learns faster than DQN",
           .paper = "sharing updates over similar actions speeds learning",
           .measured = "gap: mean return over training, oracle's less DQN's",
           .ours = at_fifty,
           .verdict = above(at_fifty, 0),
           .note = fmt::format("with 15: {}", one_digit(mean_of(gaps.of(fifteen), rng)))},
          {.claim = "On " + domain + " the gap widens as actions are added",
           .paper = "so for larger action spaces",
           .measured = "gap with 50 of each action less gap with 5",
           .ours = wider,
           .verdict = above(wider, 0)}};
}

std::vector<Claim> cart_pole(Study& study) {
  const ActionSet one{}, five{.copies = 5}, fifty{.copies = 50};
  const ActionSet random{.kind = ActionSet::Kind::Random, .copies = 5};
  auto sets = duplicated();
  sets.push_back(random);
  const MeasuredArms found = learn_all(study, "CartPole", sets,
                                       {.width = study.scaled(128, 256),
                                        .steps = study.scaled(15'000, 50'000),
                                        .curve_every = study.scaled(1'000, 2'000),
                                        .score_every = study.scaled(3'000, 5'000)});
  const Gaps gaps{found};
  show_returns(study, "cart_pole", "Double DQN on CartPole-v0 with duplicated actions", gaps, sets);
  std::vector<std::array<std::string, 3>> curves{{"one of each", setting_of(one, false), "return"}};
  for (const Index copies : {5, 50})
    for (const bool oracle : {false, true})
      curves.push_back(
          {fmt::format("{} of each, {}", copies, name_of(oracle)), setting_of({.copies = copies}, oracle), "return"});
  show_over_training(study, "cart_pole_curves",
                     {.title = "Double DQN on CartPole-v0",
                      .x_label = "environment steps",
                      .y_label = "greedy return",
                      .y_range = std::pair(0.0, 200.0)},
                     found, curves);
  std::vector<std::array<std::string, 3>> scores;
  for (const bool oracle : {false, true})
    for (const char* metric : {"alike", "unlike"})
      scores.push_back({fmt::format("{}, {}", name_of(oracle), *metric == 'a' ? "duplicates" : "other actions"),
                        setting_of(five, oracle), metric});
  show_over_training(study, "g_score",
                     {.title = "What an update of one action does to others, CartPole-v0, 5 of each",
                      .x_label = "environment steps",
                      .y_label = "mean change, that of the action itself is 1"},
                     found, scores);

  Rng rng(0, 4);
  std::vector<Claim> claims = gap_claims("CartPole", gaps, rng);
  const auto alone = gaps.returns(one, false);
  const Estimate of_dqn = mean_of(alone, rng), few = mean_of(gaps.of(five), rng);
  claims.push_back(
      {.claim = "On CartPole with 5 of each action sharing updates gains little or nothing",
       .paper = "so for few actions of simple domains",
       .measured = "gap with 5 of each action",
       .ours = few,
       .verdict = within(few, 0.1 * of_dqn.value),
       .note = fmt::format("DQN with one of each: {}; a tenth of it counts as little; DQN with one less DQN with 5: {}",
                           one_digit(of_dqn), one_digit(difference_of(alone, gaps.returns(five, false), rng)))});
  const auto kept = difference_of(gaps.returns(fifty, true), alone, rng);
  const double share = 1 + kept.value / of_dqn.value;
  claims.push_back({.claim = "On CartPole the oracle with 50 of each action learns as DQN does with one",
                    .paper = "none: ours",
                    .measured = "mean return over training, oracle's with 50 less DQN's with one",
                    .ours = kept,
                    .verdict = verdict(share >= 0.85 && share <= 1.15),
                    .note = fmt::format("{:.3f} of it; within 15 % counts", share)});
  const Estimate loss = difference_of(alone, gaps.returns(fifty, false), rng);
  claims.push_back({.claim = "On CartPole DQN learns slower with 50 of each action than with one",
                    .paper = "none in numbers",
                    .measured = "mean return over training, with one less with 50",
                    .ours = loss,
                    .verdict = above(loss, 0)});
  const Estimate control = mean_of(gaps.of(random), rng);
  claims.push_back(
      {.claim = "Where the further actions act at random, sharing among them helps as well",
       .paper = "a control of the paper's code; outcome not known to us",
       .measured = "gap on CartPole with 2 actions and 8 random ones",
       .ours = control,
       .verdict = above(control, 0),
       .note = fmt::format("DQN {}, with 5 of each {}", one_digit(mean_of(gaps.returns(random, false), rng)),
                           one_digit(mean_of(gaps.returns(five, false), rng)))});

  const std::string plain = setting_of(five, false), shared = setting_of(five, true);
  const double end = steps_of(found.figures(plain, 0), "g").back();
  const auto last = fmt::format("g at step {}", end);
  const Estimate first = mean_of(found(plain, "g at step 0"), rng), learned = mean_of(found(plain, last), rng),
                 better = difference_of(found(shared, last), found(plain, last), rng);
  claims.push_back({.claim = "At first an update moves duplicates no more than other actions",
                    .paper = "none: ours, derived",
                    .measured = "g-score at step 0, 5 of each action",
                    .ours = first,
                    .verdict = within(first, 0.03)});
  claims.push_back({.claim = "DQN comes to move duplicates more than other actions",
                    .paper = "DQN generalises over actions to some degree",
                    .measured = fmt::format("g-score at step {}", end),
                    .ours = learned,
                    .verdict = above(learned, 0)});
  claims.push_back({.claim = "The oracle's network does so more",
                    .paper = "none: ours",
                    .measured = "g-score of the oracle less DQN's",
                    .ours = better,
                    .verdict = above(better, 0)});
  return claims;
}

std::vector<Claim> pendulum(Study& study) {
  const auto parts = [](double effect) {
    return ActionSet{.kind = ActionSet::Kind::Parts, .copies = 5, .effect = effect};
  };
  const std::vector<double> effects{0.2, 0.5, 0.8, 0.95, 0.99};
  auto sets = duplicated();
  for (const double effect : effects) sets.push_back(parts(effect));
  const MeasuredArms found =
      learn_all(study, "Pendulum", sets, {.width = study.scaled(128, 256), .steps = study.scaled(15'000, 50'000)});
  const Gaps gaps{found};
  show_returns(study, "pendulum", "Double DQN on Pendulum-v1 with duplicated torques", gaps, sets);
  Rng rng(0, 5);
  tools::Series line;
  for (const double effect : effects) add_point(line, effect, mean_of(gaps.of(parts(effect)), rng));
  add_point(line, 1, mean_of(gaps.of({.copies = 5}), rng));
  tools::save_plot(study.folder() / "pendulum_parts",
                   tools::Plot{.title = "Pendulum-v1, 5 of each torque, 4 of them weaker",
                               .x_label = "effect of the weaker ones; 1: duplicates",
                               .y_label = "gap: oracle's return less DQN's",
                               .series = {line},
                               .reference = tools::ReferenceLine{0, "none"}});
  std::vector<Claim> claims = gap_claims("Pendulum", gaps, rng);
  const Estimate shrinks = difference_of(gaps.of(parts(0.99)), gaps.of(parts(0.2)), rng);
  std::string all;
  for (const double effect : effects)
    all += fmt::format("{}{}: {:.1f}", all.empty() ? "" : ", ", effect, mean_of(gaps.of(parts(effect)), rng).value);
  claims.push_back({.claim = "The oracle's gain shrinks where actions are less alike than it takes them to be",
                    .paper = "none in numbers; settings of its plotting code",
                    .measured = "gap on Pendulum with effect 0.99 less gap with effect 0.2, 5 of each torque",
                    .ours = shrinks,
                    .verdict = above(shrinks, 0),
                    .note = "gaps by effect: " + all});
  return claims;
}

/// In the place of LunarLander, which needs a rigid-body engine.
std::vector<Claim> acrobot(Study& study) {
  const auto sets = duplicated();
  const MeasuredArms found =
      learn_all(study, "Acrobot", sets, {.width = study.scaled(128, 256), .steps = study.scaled(15'000, 50'000)});
  const Gaps gaps{found};
  show_returns(study, "acrobot", "Double DQN on Acrobot-v1 with duplicated torques", gaps, sets);
  Rng rng(0, 6);
  return gap_claims("Acrobot", gaps, rng);
}

std::vector<Claim> reproduce(Study& study) {
  std::vector<Claim> claims;
  for (const auto part : {chain, cart_pole, pendulum, acrobot})
    for (Claim& claim : part(study)) claims.push_back(std::move(claim));
  claims.push_back({.claim = "The gap shows on LunarLander and in Atari games",
                    .paper = "runs of its code; figures not known to us",
                    .measured = "nothing",
                    .ours = certain(std::nan("")),
                    .verdict = Verdict::NotTestable,
                    .note = "needs a rigid-body engine, and 10 million frames a run; Acrobot stands in for it"});
  return claims;
}

}  // namespace

Paper action_generalization() {
  return {"action_generalization",
          "Characterizing the Action-Generalization Gap in Deep Q-Learning (Zhou, Allen, Asadi & Konidaris 2022)",
          reproduce};
}

}  // namespace mellow::suite
