// SPDX-License-Identifier: Apache-2.0
// TD Convergence: An Optimization Perspective (Asadi et al. 2023): its counter-example and theorems, simulated. The table
// and plots of docs/papers/td_convergence.md.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <mellow/environments/random_linear.hpp>
#include <mellow/operators/max.hpp>
#include <mellow/operators/mellowmax.hpp>
#include <mellow/tools/command_line.hpp>
#include <mellow/tools/csv.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/value/convex_td.hpp>
#include <mellow/value/expected_td.hpp>
#include <mellow/value/sampled_td.hpp>

using namespace mellow;
using value::ConvexTd;
using value::ExactUpdate;
using value::ExpectedTd;
using value::GradientUpdate;

namespace {

/// Gradient steps an update of the target; 0 stands for exact minimisation.
constexpr Index exact = 0;

std::string label(Index k) { return k == exact ? "exact" : fmt::format("K = {}", k); }

/// The update that `k` stands for, by the learning rate given.
template <class H>
Vector<double> update_once(const H& h, const Vector<double>& theta, Index k, double learning_rate) {
  return k == exact ? ExactUpdate{}(h, theta) : GradientUpdate{.steps = k, .learning_rate = learning_rate}(h, theta);
}

double median(std::vector<double> x) {
  std::ranges::sort(x);
  const std::size_t half = x.size() / 2;
  return x.size() % 2 == 1 ? x[half] : 0.5 * (x[half - 1] + x[half]);
}

Vector<double> random_direction(Index n, Rng& rng) {
  Vector<double> x(n);
  for (double& v : x) v = rng.normal();
  return x.normalized();
}

/// How large the experiments are.
struct Scale {
  Index grid = 50;         ///< discounts, and shares of the first state, of the map
  Index processes = 200;   ///< random Markov reward processes of the studies of rates
  Index seeds = 20;        ///< of each family of objectives
  Index repeats = 20;      ///< of each learning rate with samples
  Index updates = 20'000;  ///< of the target with samples

  static Scale quick() { return {.grid = 20, .processes = 40, .seeds = 5, .repeats = 5, .updates = 4'000}; }
};

// ---------------------------------------------------------------------------------------------------------------------
// 1. Where the two-state example converges: 50 x 50 discounts and shares of the first state.

/// A point of the map.
struct Point {
  double end, discount, first;
  Index k;
  double to_boundary;  ///< of the share from the closed form's threshold, > 0 where it should converge
  int outcome;         ///< 1: |theta| shrank a hundredfold; -1: it grew as much; 0: neither in the time given
};

/// Simulates a point: updates the parameter until it has grown or shrunk a hundredfold.
int simulate(const ExpectedTd<>& td, Index k) {
  constexpr double learning_rate = 0.1;  // below 1 / L = 1/4 everywhere; with 1 / M_w every K would be exact
  constexpr Index most = 500'000;
  Vector<double> theta = Vector<double>::Ones(1);
  for (Index i = 0; i < most; ++i) {
    theta = update_once(td, theta, k, learning_rate);
    if (theta.norm() < 1e-2) return 1;
    if (theta.norm() > 1e2) return -1;
  }
  return 0;
}

/// The share of the first state below which exact updates converge (the paper's section 4).
double threshold(double discount, double end) {
  return (4 - 4 * discount * (1 - end)) / (3 + 2 * discount - 4 * discount * (1 - end));
}

std::vector<Point> two_state_map(const Scale& scale) {
  std::vector<Point> points;
  for (const double end : {0.05, 0.1, 0.25, 0.5})
    for (const Index k : {Index{1}, Index{5}, Index{20}, exact})
      for (Index i = 0; i < scale.grid; ++i)
        for (Index j = 0; j < scale.grid; ++j) {
          const double discount = static_cast<double>(i) / static_cast<double>(scale.grid - 1);
          const double first = static_cast<double>(j) / static_cast<double>(scale.grid - 1);
          const ExpectedTd td(
              environments::tsitsiklis_van_roy({.discount = discount, .end = end, .first_weight = first}));
          points.push_back({end, discount, first, k, threshold(discount, end) - first, simulate(td, k)});
        }
  return points;
}

// ---------------------------------------------------------------------------------------------------------------------
// 2. and 3. Rates and gradient steps on random processes.

/// A random process and how fast updates by `k` steps are.
struct Rate {
  Index process, k;
  double certified = 0;  ///< sigma_K, or F_theta / F_w
  double worst = 0;      ///< largest ratio of distances to the fixed point, of one update
  double mean = 0;       ///< geometric mean of the ratios
  double steps = 0;      ///< gradient steps until the distance is 1e-8 of the first; of exact updates their number
  std::vector<double> distances{};
};

/// Processes for which F_theta < F_w, with discount 0.3, where these are common.
std::vector<ExpectedTd<>> certified_processes(Index count, Rng& rng) {
  std::vector<ExpectedTd<>> kept;
  while (static_cast<Index>(kept.size()) < count) {
    ExpectedTd<> td(environments::random_linear_mrp({.states = 6, .features = 3, .discount = 0.3}, rng));
    if (td.force_constants().certified()) kept.push_back(std::move(td));
  }
  return kept;
}

Rate measure(const ExpectedTd<>& td, Index process, Index k, const Vector<double>& direction) {
  const auto forces = td.force_constants();
  const Vector<double> fixed = td.fixed_point();
  Rate rate{.process = process, .k = k, .certified = k == exact ? forces.exact_rate() : forces.rate(k)};
  Vector<double> theta = fixed + direction;
  rate.distances.push_back(1.0);
  constexpr double reached = 1e-8;  // a rounding of 1e-16 in theta is then 1e-8 of a ratio
  while (rate.distances.back() > reached && rate.distances.size() < 100'000) {
    theta = update_once(td, theta, k, forces.learning_rate());
    const double distance = (theta - fixed).norm();
    rate.worst = std::max(rate.worst, distance / rate.distances.back());
    rate.distances.push_back(distance);
  }
  const auto updates = static_cast<double>(rate.distances.size() - 1);
  rate.mean = std::pow(rate.distances.back(), 1.0 / updates);
  rate.steps = updates * static_cast<double>(std::max<Index>(k, 1));
  return rate;
}

std::vector<Rate> rates(const Scale& scale, const std::vector<Index>& ks) {
  Rng rng(1);
  const auto processes = certified_processes(scale.processes, rng);
  std::vector<Rate> result;
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const Vector<double> direction = random_direction(3, rng);
    for (const Index k : ks) result.push_back(measure(processes[i], static_cast<Index>(i), k, direction));
  }
  return result;
}

// ---------------------------------------------------------------------------------------------------------------------
// 4. Other losses, and control.

/// What became of one objective.
struct FamilyRun {
  std::string family;
  Index seed, k;
  double ridge, optimization_force, target_force, smoothness;
  bool certified;
  double residual;  ///< |dH/dw(theta, theta)| at the end
  Index updates;
  double worst = 0;       ///< largest ratio of distances to the fixed point, of one update
  double rate_bound = 0;  ///< sigma_K
};

/// Runs exact updates, and 1 and 10 gradient steps, until |dH/dw(theta, theta)| < 1e-8.
template <class H>
void run_family(const std::string& name, Index seed, double ridge, const H& h, std::vector<FamilyRun>& runs) {
  const auto forces = h.force_constants();
  const value::TdIterationOptions options{.updates = 20'000, .tolerance = 1e-8};
  const Vector<double> start = Vector<double>::Zero(h.parameters());
  const auto fixed = value::td_iteration(h, start, ExactUpdate{}, {.updates = 20'000, .tolerance = 1e-11});
  for (const Index k : {Index{1}, Index{10}, exact}) {
    double worst = 0, last = 0;
    const auto watch = [&](Index update, const Vector<double>& theta) {
      const double distance = (theta - fixed.theta).norm();
      if (update > 0 && last > 1e-6) worst = std::max(worst, distance / last);
      last = distance;
    };
    const GradientUpdate update{.steps = std::max<Index>(k, 1), .learning_rate = forces.learning_rate()};
    const auto run = k == exact ? value::td_iteration(h, start, ExactUpdate{}, options, watch)
                                : value::td_iteration(h, start, update, options, watch);
    runs.push_back({name, seed, k, ridge, forces.optimization_force, forces.target_force, forces.smoothness,
                    forces.certified(), run.residual, run.updates, fixed.converged ? worst : std::nan(""),
                    k == exact ? forces.exact_rate() : forces.rate(k)});
  }
}

/// An objective with little ridge, mostly not certified, and with the first of 1/2, 1, 2, .. that certifies.
template <class Make>
void run_ridges(const std::string& name, Index seed, const Make& make, std::vector<FamilyRun>& runs) {
  constexpr double little = 0.1;
  run_family(name, seed, little, make(little), runs);
  double ridge = 0.5;
  while (!make(ridge).force_constants().certified()) ridge *= 2;
  run_family(name, seed, ridge, make(ridge), runs);
}

std::vector<FamilyRun> families(const Scale& scale) {
  std::vector<FamilyRun> runs;
  for (Index seed = 0; seed < scale.seeds; ++seed) {
    Rng rng(static_cast<std::uint64_t>(seed), 4);
    auto mrp = environments::random_linear_mrp({.states = 20, .features = 10, .discount = 0.9}, rng);
    run_ridges(
        "Huber", seed,
        [&](double ridge) {
          return ConvexTd(value::PredictionTargets(mrp), value::ErrorLoss{value::TdLoss::huber()}, ridge);
        },
        runs);
    for (double& r : mrp.rewards) r = rng.uniform(0, 1 - mrp.discount);  // values lie in [0, 1]
    run_ridges(
        "logistic", seed,
        [&](double ridge) { return ConvexTd(value::PredictionTargets(mrp), value::LogisticLoss{}, ridge); }, runs);
    const auto control = environments::random_linear_control(
        environments::garnet({.states = 20, .actions = 4, .branching = 5}, rng), 10, 0.9, rng);
    run_ridges(
        "control, max", seed,
        [&](double ridge) {
          return ConvexTd(value::ControlTargets<operators::Max>(control), value::ErrorLoss{}, ridge);
        },
        runs);
    run_ridges(
        "control, mellowmax", seed,
        [&](double ridge) {
          return ConvexTd(value::ControlTargets(control, operators::Mellowmax{.omega = 5}), value::ErrorLoss{}, ridge);
        },
        runs);
  }
  return runs;
}

// ---------------------------------------------------------------------------------------------------------------------
// 5. With samples: how near a fixed learning rate comes, and a decayed one.

/// Mean squared distance to the fixed point in the second half of a run.
struct SampledRun {
  double learning_rate;  ///< 0: decayed, 0.2 / (1 + t / 200)
  Index seed;
  double square;
};

std::vector<SampledRun> sampled(const Scale& scale) {
  Rng rng(5);
  environments::LinearMrp mrp;
  do mrp = environments::random_linear_mrp({.states = 6, .features = 3, .discount = 0.3}, rng);
  while (!ExpectedTd(mrp).force_constants().certified());
  const Vector<double> fixed = ExpectedTd(mrp).fixed_point();
  std::vector<SampledRun> runs;
  for (const double learning_rate : {0.2, 0.1, 0.05, 0.025, 0.0125, 0.0})
    for (Index seed = 0; seed < scale.repeats; ++seed) {
      value::SampledTd td(mrp, 8, Rng(static_cast<std::uint64_t>(seed), 5));
      Vector<double> theta = fixed;
      double square = 0;
      Index counted = 0;
      for (Index t = 0; t < scale.updates; ++t) {
        const double alpha = learning_rate > 0 ? learning_rate : 0.2 / (1.0 + static_cast<double>(t) / 200.0);
        theta = GradientUpdate{.steps = 5, .learning_rate = alpha}(td, theta);
        if (t < scale.updates / 2) continue;
        square += (theta - fixed).squaredNorm();
        ++counted;
      }
      runs.push_back({learning_rate, seed, square / static_cast<double>(counted)});
    }
  return runs;
}

/// Slope of log y over log x, by least squares.
double log_slope(const std::vector<double>& x, const std::vector<double>& y) {
  double mean_x = 0, mean_y = 0, xy = 0, xx = 0;
  const auto n = static_cast<double>(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    mean_x += std::log(x[i]) / n;
    mean_y += std::log(y[i]) / n;
  }
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (std::log(x[i]) - mean_x) * (std::log(y[i]) - mean_y);
    xx += (std::log(x[i]) - mean_x) * (std::log(x[i]) - mean_x);
  }
  return xy / xx;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    bool quick = false;
    std::filesystem::path output = "results/td_convergence";
    CommandLine("Simulates the counter-example and the theorems.")
        .option("--quick", quick, "a fraction of the work")
        .option("--output", output, "folder")
        .parse(argc, argv);
    const Scale scale = quick ? Scale::quick() : Scale{};
    const auto map = two_state_map(scale);
    Index judged = 0, agree = 0, undecided = 0;
    for (const Point& p : map) {
      if (std::abs(p.to_boundary) < 1e-3) continue;
      ++judged;
      agree += p.outcome == (p.to_boundary > 0 ? 1 : -1);
      undecided += p.outcome == 0;
    }
    fmt::print("map: {} points, {} judged, {} agree, {} undecided\n", map.size(), judged, agree, undecided);
    const std::vector<Index> ks{1, 2, 3, 5, 10, 20, 50, 100, exact};
    const auto all = rates(scale, ks);
    for (const Index k : ks) {
      std::vector<double> mean, steps, worst;
      double over = 0;
      for (const Rate& r : all)
        if (r.k == k) {
          mean.push_back(r.mean);
          steps.push_back(r.steps);
          worst.push_back(r.worst);
          over = std::max(over, r.worst / r.certified);
        }
      fmt::print("{:<8} median rate {:.4f} worst {:.4f} worst/certified {:.6f} steps {:.1f}\n", label(k), median(mean),
                 median(worst), over, median(steps));
    }
    const auto runs = families(scale);
    for (const std::string family : {"Huber", "logistic", "control, max", "control, mellowmax"})
      for (const bool certified : {false, true})
        for (const Index k : {Index{1}, Index{10}, exact}) {
          int n = 0, reached = 0;
          double over = 0;
          std::vector<double> ridge, rate, worst;
          for (const auto& r : runs)
            if (r.family == family && r.certified == certified && r.k == k) {
              ++n;
              reached += r.residual < 1e-8;
              over = std::max(over, r.worst / r.rate_bound);
              ridge.push_back(r.ridge);
              worst.push_back(r.worst);
            }
          if (n)
            fmt::print("{:<20} certified {} {:<7} {}/{} reached, ridge {:.2f}, worst ratio {:.3f}, over {:.4f}\n",
                       family, certified, label(k), reached, n, median(ridge), median(worst), over);
        }
    const auto samples = sampled(scale);
    std::vector<double> x, y;
    for (const double a : {0.2, 0.1, 0.05, 0.025, 0.0125, 0.0}) {
      std::vector<double> s;
      for (const auto& r : samples)
        if (r.learning_rate == a) s.push_back(r.square);
      fmt::print("alpha {} square {:.6f}\n", a, median(s));
      if (a > 0) {
        x.push_back(a);
        y.push_back(median(s));
      }
    }
    fmt::print("slope {}\n", log_slope(x, y));
  });
}
