// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <mellow/environments/duplicate_actions.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/tools/saved_state.hpp>
#include <mellow/value/similar_actions.hpp>
#include <mellow/value/tabular_q.hpp>

#include "../any_part.hpp"
#include "backup_operators.hpp"
#include "explorations.hpp"
#include "run_agent.hpp"

namespace mellow::suite {
namespace {

/// Traces that add up or start again, as chosen.
struct AnyTraces : AnyPart<roles::Traces, value::Accumulating, value::Replacing> {
  double lambda = 0.9;
  double visited(double trace, double learning_rate) const {
    return std::visit([&](const auto& traces) { return traces.visited(trace, learning_rate); }, chosen);
  }
};

/// What the tabular agents have in common.
class TabularConfig : public AgentConfig {
 public:
  void describe(Settings& settings) override {
    settings.add("discount", options_.discount, "of the next state's value, in [0, 1]");
    settings.add("learning_rate", options_.learning_rate, "by environment steps, in [0, 1]");
    settings.add("initial_value", options_.initial_value, "of every action");
    explorations_.describe(settings);
  }

  std::vector<double> play(const AnyEnvironment& any, const SavedParameters& parameters, Index episodes,
                           Rng rng) const override {
    const Table& environment = of_kind<Table>(any, "a table", needs);
    const Index states = environment.observation_space().n, actions = environment.action_space().n;
    const auto file =
        parameters.is_checkpoint ? tools::load_saved_state(parameters.file) : tools::load_safetensors(parameters.file);
    const auto& tensor = file.at(parameters.is_checkpoint ? "agent.tables" : "table");
    const auto* const numbers = std::get_if<std::vector<double>>(&tensor.values);
    const std::vector<std::int64_t> one{states, actions}, two{2 * states, actions};  // tables
    if (numbers == nullptr || (tensor.shape != one && tensor.shape != two))
      throw Error(parameters.file.string(),
                  fmt::format("should hold one or two tables of {} states x {} actions", states, actions));
    const Eigen::Map<const Matrix<double>> tables(numbers->data(), actions, tensor.shape.front());
    value::TabularQ agent(states, actions);
    if (tensor.shape == one) agent.set_parameters(tables);
    else agent.set_parameters(0.5 * (tables.leftCols(states) + tables.rightCols(states)));  // as TabularQ::values
    return training::evaluate(agent, environment, episodes, rng);
  }

 protected:
  static constexpr auto needs = "observations and actions that are indices";

  template <class... Parts>
  RunSummary run_table(const AnyEnvironment& any, const RunRequest& request, const Parts&... parts) const {
    const Table& environment = of_kind<Table>(any, "a table", needs);
    value::TabularQ agent(environment.observation_space().n, environment.action_space().n, options_,
                          explorations_.part(), parts...);
    return run_agent(std::move(agent), environment, request, [&](const Matrix<double>& table) {
      const std::span numbers(table.data(), static_cast<std::size_t>(table.size()));
      tools::save_safetensors(request.folder / "weights.safetensors",
                              {{"table", {table.cols(), table.rows()}, numbers}});
    });
  }

 private:
  value::TabularQOptions options_{};
  Explorations explorations_{};
};

/// A table whose traces can be chosen.
class TracesConfig : public TabularConfig {
 public:
  void describe(Settings& settings) override {
    TabularConfig::describe(settings);
    settings.add_choice("traces", choice_, {"none", "accumulating", "replacing", "dutch", "similar"},
                        "what shares in an error: earlier steps, or actions that are alike");
    for (const char* name : {"accumulating", "replacing", "dutch"}) {
      settings.begin_alternative("traces", name);
      settings.add("lambda", lambda_, "how far back they reach, in [0, 1]");
    }
    settings.begin_alternative("traces", "similar");
    settings.add("copies", copies_, "how many actions side by side are alike: env.action_copies");
    settings.end_alternative();
  }

 protected:
  template <class Backup>
  RunSummary run_traces(const AnyEnvironment& environment, const RunRequest& request, const Backup& backup) const {
    switch (choice_) {
      case 1:
        return run_table(environment, request, backup, AnyTraces{{.chosen = value::Accumulating{lambda_}}, lambda_});
      case 2:
        return run_table(environment, request, backup, AnyTraces{{.chosen = value::Replacing{lambda_}}, lambda_});
      case 3:
        return run_table(environment, request, backup, value::Dutch{lambda_});
      case 4: {
        const Index actions = of_kind<Table>(environment, "a table", needs).action_space().n;
        return run_table(environment, request, backup,
                         value::SimilarActions{environments::similarity_of_copies(actions, copies_)});
      }
      default:
        return run_table(environment, request, backup);
    }
  }

  bool has_traces() const { return choice_ != 0; }

 private:
  std::size_t choice_ = 0;
  double lambda_ = 0.9;
  Index copies_ = 1;
};

class QLearningConfig final : public TracesConfig {
 public:
  void describe(Settings& settings) override {
    TracesConfig::describe(settings);
    backup_.describe(settings);
  }

  RunSummary run(const AnyEnvironment& environment, const RunRequest& request) const override {
    if (backup_.choice == 0) return run_traces(environment, request, operators::Max{});
    if (has_traces()) throw Error("q_learning", "traces need backup=max: they are cut where it took another action");
    return run_table(environment, request, backup_.part<AnyTableBackup>());
  }

 private:
  BackupOperators backup_{};
};

/// SARSA or its expectation.
template <class Backup>
class OnPolicyConfig final : public TracesConfig {
 public:
  RunSummary run(const AnyEnvironment& environment, const RunRequest& request) const override {
    return run_traces(environment, request, Backup{});
  }
};

class DoubleQLearningConfig final : public TabularConfig {
 public:
  RunSummary run(const AnyEnvironment& environment, const RunRequest& request) const override {
    return run_table(environment, request, value::DoubleQ{});
  }
};

}  // namespace

std::unique_ptr<AgentConfig> make_q_learning() { return std::make_unique<QLearningConfig>(); }
std::unique_ptr<AgentConfig> make_sarsa() { return std::make_unique<OnPolicyConfig<value::Sarsa>>(); }
std::unique_ptr<AgentConfig> make_expected_sarsa() { return std::make_unique<OnPolicyConfig<value::ExpectedSarsa>>(); }
std::unique_ptr<AgentConfig> make_double_q_learning() { return std::make_unique<DoubleQLearningConfig>(); }

}  // namespace mellow::suite
