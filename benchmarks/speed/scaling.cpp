// SPDX-License-Identifier: Apache-2.0
// How speed changes as work grows: DQN updates over the network's width and over the batch, steps over the number of
// environments, draws over the size of a replay. A CSV file of all figures, and a plot each, beside what the speed would
// be if cost were in proportion to the work.
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include <mellow/data/prioritized_replay.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/cart_pole.hpp>
#include <mellow/environments/puddle_world.hpp>
#include <mellow/environments/vectorized.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/plot.hpp>

#include "agents.hpp"
#include "shapes.hpp"

namespace {

using namespace mellow;

/// How a speed is measured.
struct Effort {
  double seconds = 0.1;  ///< of one measurement
  Index repeats = 5;     ///< measurements, of which the fastest counts
};

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// How often `work()` runs in a second of processor time.
template <class Work>
double calls_per_second(const Effort& effort, Work work) {
  const auto time = [&](Index calls) {
    const double start = processor_seconds();
    for (Index i = 0; i < calls; ++i) work();
    return processor_seconds() - start;
  };
  Index calls = 1;
  double taken = time(calls);
  for (; taken < 0.2 * effort.seconds; taken = time(calls)) calls *= 4;
  calls = std::max<Index>(1, static_cast<Index>(static_cast<double>(calls) * effort.seconds / taken));
  double best = 0;
  for (Index i = 0; i < effort.repeats; ++i) best = std::max(best, static_cast<double>(calls) / time(calls));
  return best;
}

/// One measured curve: speeds, and the work that a unit of them takes.
struct Curve {
  std::string label;
  std::vector<double> x{}, speed{}, work{};

  void add(double at, double units_per_second, double work_of_a_unit) {
    x.push_back(at);
    speed.push_back(units_per_second);
    work.push_back(work_of_a_unit);
  }
  /// The speed at each x if all work went as fast as where it goes fastest.
  std::vector<double> in_proportion() const {
    double best = 0;
    for (std::size_t i = 0; i < x.size(); ++i) best = std::max(best, speed[i] * work[i]);
    std::vector<double> result;
    for (const double w : work) result.push_back(best / w);
    return result;
  }
};

/// What is measured over one quantity.
struct Study {
  std::string name, title, x_label, y_label;
  std::vector<Curve> curves;
};

/// Updates a second over the width of two hidden layers.
Study over_width(const Effort& effort) {
  Study study{"width", "DQN updates, 8-w-w-4", "width w", "updates/s", {}};
  for (const Index batch : {64, 256}) {
    Curve& curve = study.curves.emplace_back(Curve{fmt::format("batch {}", batch)});
    for (Index width = 16; width <= 512; width *= 2) {
      const speed::Shape shape{"", {8, width, width, 4}, batch};
      auto agent = speed::train(shape, 300);
      Rng rng;
      const double updates = calls_per_second(effort, [&] { agent.learn(rng); });
      curve.add(static_cast<double>(width), updates, speed::flop(shape));
    }
  }
  return study;
}

/// Samples learned from a second over the batch.
Study over_batch(const Effort& effort) {
  Study study{"batch", "DQN updates, 8-w-w-4", "batch", "samples/s", {}};
  for (const Index width : {64, 256}) {
    Curve& curve = study.curves.emplace_back(Curve{fmt::format("width {}", width)});
    for (Index batch = 8; batch <= 1024; batch *= 2) {
      auto agent = speed::train({"", {8, width, width, 4}, batch}, 300);
      Rng rng;
      const double updates = calls_per_second(effort, [&] { agent.learn(rng); });
      curve.add(static_cast<double>(batch), updates * static_cast<double>(batch), 1);
    }
  }
  return study;
}

template <class E>
Curve steps_together(const std::string& label, const E& environment, const Effort& effort) {
  Curve curve{label};
  for (Index n = 1; n <= 4096; n *= 4) {
    environments::Vectorized<E> environments(environment, n);
    Rng rng;
    environments.reset(rng);
    Matrix<Index> actions(n, 16);  // drawn beforehand
    for (Index& action : actions.reshaped()) action = environment.action_space().sample(rng);
    Index t = 0;
    const double steps = calls_per_second(effort, [&] { environments.step(actions.col(++t % 16)); });
    curve.add(static_cast<double>(n), steps * static_cast<double>(n), 1);
  }
  return curve;
}

/// Steps a second, each environment's counted, over their number.
Study over_environments(const Effort& effort) {
  using namespace environments;
  return {"environments",
          "Environments stepped together",
          "environments",
          "steps/s",
          {steps_together("CartPole, vectorised", TimeLimit(CartPole{}, 500), effort),
           steps_together("PuddleWorld, one by one", TimeLimit(PuddleWorld{}, 1000), effort)}};
}

/// Samples drawn a second, 64 at a time and of four numbers each, over the size of a full replay.
Study over_replay(const Effort& effort, Index largest) {
  constexpr Index batch_size = 64, features = 4;
  Study study{"replay", "Batches of 64 from a full replay", "capacity", "samples/s", {{"uniform"}, {"prioritised"}}};
  data::Batch<float> batch;
  batch.resize(features, batch_size);
  Rng rng(2);
  for (float& error : batch.errors) error = static_cast<float>(rng.normal());
  for (Index capacity = 1'000; capacity <= largest; capacity *= 10) {
    const auto measure = [&](const auto& replay, Curve& curve) {
      auto state = replay.template make_state<float>(features);
      speed::fill(replay, state, features);
      const double batches = calls_per_second(effort, [&] {
        replay.sample(state, batch, rng);
        if constexpr (requires { replay.set_priorities(state, batch); }) replay.set_priorities(state, batch);
      });
      curve.add(static_cast<double>(capacity), batches * batch_size, 1);
    };
    measure(data::UniformReplay{.capacity = capacity}, study.curves[0]);
    measure(data::PrioritizedReplay{.capacity = capacity}, study.curves[1]);
  }
  return study;
}

/// Prints a study, adds it to the table and draws it.
void report(const Study& study, const std::filesystem::path& folder, tools::CsvWriter& csv) {
  tools::Plot plot{.title = study.title, .x_label = study.x_label, .y_label = study.y_label};
  plot.log_x = plot.log_y = true;
  for (const Curve& curve : study.curves) {
    const auto in_proportion = curve.in_proportion();
    for (std::size_t i = 0; i < curve.x.size(); ++i) {
      fmt::print("{:<14} {:<24} {:>10} {:>12.4g} {} {:>5.0f} % of the best\n", study.name, curve.label, curve.x[i],
                 curve.speed[i], study.y_label, 100 * curve.speed[i] / in_proportion[i]);
      csv.row({study.name, curve.label, curve.x[i], curve.speed[i], study.y_label, curve.speed[i] / in_proportion[i]});
    }
    plot.series.push_back({.label = curve.label, .x = curve.x, .y = curve.speed});
    plot.series.push_back({.label = curve.label + ", in proportion", .x = curve.x, .y = in_proportion});
  }
  std::fflush(stdout);
  tools::save_plot(folder / ("scaling_" + study.name), plot);
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Effort effort;
    Index largest = 10'000'000;
    std::filesystem::path output = "results/scaling";
    CommandLine("Measures how speed changes as networks, batches, environments and replays grow.")
        .option("--seconds", effort.seconds, "processor time of one measurement", {.minimum = 1e-3})
        .option("--repeats", effort.repeats, "measurements a point, of which the fastest counts", {.minimum = 1})
        .option("--largest-replay", largest, "capacity; 1e7 takes 0.4 GB", {.minimum = 1'000})
        .option("--output", output, "folder for scaling.csv and the plots")
        .parse(argc, argv);
    tools::CsvWriter csv(output / "scaling.csv", {"study", "curve", "x", "speed", "unit", "of_best"});
    report(over_width(effort), output, csv);
    report(over_batch(effort), output, csv);
    report(over_environments(effort), output, csv);
    report(over_replay(effort, largest), output, csv);
    csv.finish();
  });
}
