// SPDX-License-Identifier: Apache-2.0
#include "addition_runs.hpp"

#include <cmath>
#include <numeric>
#include <utility>
#include <variant>

#include <mellow/language/long_addition.hpp>
#include <mellow/language/preference_training.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/language/sampled_pairs.hpp>
#include <mellow/language/supervised.hpp>
#include <mellow/language/transformer.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/variance_scaling.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/generators.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/tools/atomic_file.hpp>
#include <mellow/tools/plot.hpp>
#include <mellow/tools/saved_state.hpp>
#include <mellow/training/fit.hpp>

#include "displacement_runs.hpp"

namespace mellow::suite {
namespace {

using language::LongAddition;
using language::TokenizedPair;
using Model = language::Transformer<>;

constexpr auto experiment = "long addition";
constexpr Index supervised_steps = 2'500, batch = 32, prompts = 1'000, held_out_prompts = 300, samples = 8;

/// Streams of a seed.
enum Stream : std::uint64_t { Task, Teaching, Pairing, Judging };

LongAddition task_of(Index seed) {
  Rng rng(static_cast<std::uint64_t>(seed), Task);
  return LongAddition(rng);
}

Model model_of(const LongAddition& task) { return Model({.vocabulary = task.vocabulary_size()}); }

language::Sampler<Model> sampler_of(const LongAddition& task) {
  return language::Sampler(model_of(task), {.new_tokens = task.completion_length(), .stop = {LongAddition::eos}});
}

double share_right(Index seed, const Vector<float>& theta) {
  const LongAddition task = task_of(seed);
  auto sampler = sampler_of(task);
  Rng rng(static_cast<std::uint64_t>(seed), Judging);  // the same prompts each time
  return language::share_right(sampler, theta, task, {.prompts = 300, .samples = 1}, rng);
}

/// Pairs as arrays, which can be saved.
struct PairTokens {
  std::vector<Token> tokens;   // prompt, chosen, rejected of each
  std::vector<Index> lengths;  // of these

  PairTokens() = default;
  explicit PairTokens(const std::vector<TokenizedPair>& pairs) {
    for (const auto& pair : pairs)
      for (const auto* part : {&pair.prompt, &pair.chosen, &pair.rejected}) {
        tokens.insert(tokens.end(), part->begin(), part->end());
        lengths.push_back(std::ssize(*part));
      }
  }
  std::vector<TokenizedPair> pairs() const {
    std::vector<TokenizedPair> result(lengths.size() / 3);
    auto at = tokens.begin();
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      TokenizedPair& pair = result[i / 3];
      auto& part = i % 3 == 0 ? pair.prompt : i % 3 == 1 ? pair.chosen : pair.rejected;
      part.assign(at, at + lengths[i]);
      at += lengths[i];
    }
    return result;
  }
  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("tokens", self.tokens);
    visit("lengths", self.lengths);
  }
};

/// What alignments of a seed begin with.
struct Reference {
  Vector<float> theta;
  PairTokens pairs, held_out;

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("theta", self.theta);
    visit("pairs", self.pairs);
    visit("held_out", self.held_out);
  }
};

/// The supervised stage, and pairs of what the model then samples.
Reference make_reference(Index seed) {
  const LongAddition task = task_of(seed);
  const Model model = model_of(task);
  Rng rng(static_cast<std::uint64_t>(seed), Teaching);
  language::TokenSequences data;
  for (Index i = 0; i < batch * supervised_steps; ++i) {  // each is seen once
    const auto prompt = task.prompt(rng);
    data.add(prompt, task.teacher_completion(prompt, rng));
  }
  language::Supervised learner(
      model, nn::initialize(model, rng, nn::Normal{.deviation = 0.05}), std::move(data), {}, {.batch = batch},
      nn::AdamW{.learning_rate = warm_up(50, cosine(2e-3, 1e-4, supervised_steps - 50)), .weight_decay = 0});
  training::fit(learner, {.steps = supervised_steps, .evaluate_every = 0, .seed = static_cast<std::uint64_t>(seed)});
  Rng pairing(static_cast<std::uint64_t>(seed), Pairing);
  auto sampler = sampler_of(task);
  const auto pairs_of = [&](Index count) {
    return PairTokens(
        language::sample_pairs(sampler, learner.parameters(), task, {.prompts = count, .samples = samples}, pairing));
  };
  Reference made{.theta = learner.parameters(), .pairs = {}, .held_out = {}};
  made.pairs = pairs_of(prompts);
  made.held_out = pairs_of(held_out_prompts);
  return made;
}

const std::string reference_identity = fmt::format(
    "6 digits, hard share 0.3; transformer of width 64, 2 layers, 4 heads; {} steps of {}, AdamW 2e-3, warm-up 50, "
    "cosine to "
    "1e-4, no decay, clip 1; pairs of {} and {} prompts, {} samples each; right of 300",
    supervised_steps, batch, prompts, held_out_prompts, samples);

/// The run that makes a reference and keeps it beside its figures.
Run reference_run(Study& study, Index seed);

/// A seed's reference, as it was kept; otherwise it is made and kept.
Reference reference_of(Study& study, Index seed) {
  const auto file = study.kept(reference_run(study, seed), ".safetensors");
  if (file.there) {
    Reference kept;
    tools::load_state(file.path, kept);
    return kept;
  }
  Reference made = make_reference(seed);
  tools::save_state(file.path, made);
  return made;
}

Run reference_run(Study& study, Index seed) {
  return {.experiment = experiment,
          .setting = "reference",
          .number = seed,
          .identity = reference_identity,
          .work = [&study, seed] {
            const Reference reference = reference_of(study, seed);
            return Figures{{right_at(0), share_right(seed, reference.theta)},
                           {pairs_learned, static_cast<double>(reference.pairs.lengths.size()) / 3},
                           {"held-out pairs", static_cast<double>(reference.held_out.lengths.size()) / 3}};
          }};
}

/// Adds what a history holds of its pairs after each epoch.
void add_figures(Figures& figures, const preference::PairHistory& history, const std::vector<Index>& steps, Pairs of) {
  for (const Index epoch : addition_epochs) {
    const auto found = std::ranges::find(history.steps, steps[static_cast<std::size_t>(epoch)]);
    const Index k = std::distance(history.steps.begin(), found);
    const Vector<double> a_w = history.chosen.col(k) - history.reference_chosen.col(k),
                         a_l = history.rejected.col(k) - history.reference_rejected.col(k);
    figures.push_back({chosen_at(epoch, of), rounded(statistics::Median{}(a_w))});
    figures.push_back({rejected_at(epoch, of), rounded(statistics::Median{}(a_l))});
    figures.push_back({fell_at(epoch, of), rounded((a_w.array() < 0).cast<double>().mean())});
    figures.push_back({accuracy_at(epoch, of), rounded((a_w.array() > a_l.array()).cast<double>().mean())});
  }
}

/// What a loss makes of a seed's reference.
template <preference::PairLoss L>
Figures align(const Reference& reference, Index seed, const L& loss) {
  const auto pairs = reference.pairs.pairs(), held_out = reference.held_out.pairs();
  const Model model = model_of(task_of(seed));
  const Index n = std::ssize(pairs), of_batch = std::min(batch, n);
  std::vector<Index> steps{0};  // until each pair was seen so often
  for (Index epoch = 1; epoch <= addition_epochs.back(); ++epoch)
    steps.push_back((epoch * n + of_batch - 1) / of_batch);
  language::PreferenceTraining learner(model, reference.theta, pairs, held_out, loss, {.batch = of_batch},
                                       nn::Adam{.learning_rate = 3e-4});
  const std::vector<Index> recorded{steps[1], steps[2], steps[3], steps[4], steps[8]};
  language::RecordPairs learned(learner, recorded), unseen(learner, recorded, language::RecordedPairs::HeldOut);
  Figures right;
  struct Judge {
    std::function<void(Index)> judge;
    void on_step(const training::RunStatus& status) const { judge(status.step); }
  } judge{[&](Index step) {
    for (const Index epoch : addition_epochs)
      if (step == steps[static_cast<std::size_t>(epoch)])
        right.push_back({right_at(epoch), rounded(share_right(seed, learner.parameters()))});
  }};
  training::fit(learner, {.steps = steps.back(), .evaluate_every = 0, .seed = static_cast<std::uint64_t>(seed)},
                learned, unseen, judge);
  Figures figures;
  add_figures(figures, learned.history(), steps, Pairs::Training);
  add_figures(figures, unseen.history(), steps, Pairs::HeldOut);
  figures.insert(figures.end(), right.begin(), right.end());
  const Matrix<double> chosen = learned.history().chosen;  // of epochs 0, 1, 2, 3, 4, 8
  const auto first = falls(chosen.leftCols(2)), always = falls(chosen.leftCols(5));
  figures.push_back({pairs_learned, static_cast<double>(n)});
  figures.push_back({fell_first, static_cast<double>(first.count())});
  figures.push_back({fell_always, static_cast<double>(always.count())});
  return figures;
}

using Loss =
    std::variant<preference::Dpo, preference::Ipo, preference::ChiPo, preference::SquaredPo, preference::C2Dpo>;

Loss loss_of(const std::string& name) {
  using namespace preference;
  if (name == "DPO") return Dpo{};
  if (name == "IPO") return Ipo{};
  if (name == "chiPO") return ChiPo{};
  if (name == "SquaredPO") return SquaredPo{};
  for (const auto constraint : {Constraint::Log, Constraint::Identity})
    for (const auto norm : {Norm::L1, Norm::L2})
      for (const auto& [lambda, text] : {std::pair(2e-4, "2e-4"), std::pair(1e-2, "1e-2")})
        if (name == c2_name(constraint == Constraint::Log ? "Log" : "I", norm == Norm::L1 ? "l1" : "l2", text))
          return C2Dpo{.lambda = lambda, .constraint = constraint, .norm = norm};
  throw Error("suite::run_addition", "there is no such loss", name);
}

std::string at(Index epoch, Pairs of, const char* what) {
  return fmt::format("{} pairs, epoch {}: {}", of == Pairs::Training ? "training" : "held-out", epoch, what);
}

}  // namespace

std::string chosen_at(Index epoch, Pairs of) { return at(epoch, of, "median a_w"); }
std::string rejected_at(Index epoch, Pairs of) { return at(epoch, of, "median a_l"); }
std::string fell_at(Index epoch, Pairs of) { return at(epoch, of, "share with a_w < 0"); }
std::string accuracy_at(Index epoch, Pairs of) { return at(epoch, of, "accuracy"); }
std::string right_at(Index epoch) { return fmt::format("epoch {}: right samples", epoch); }

std::string c2_name(const std::string& constraint, const std::string& norm, const std::string& lambda) {
  return fmt::format("C2-DPO {} {}, {}", constraint, norm, lambda);
}

std::vector<double> AdditionRuns::operator()(const std::string& metric) const {
  std::vector<double> values;
  for (const Figures& of_seed : seeds) values.push_back(figure(of_seed, metric));
  return values;
}

std::vector<double> AdditionRuns::share_fell_always() const {
  auto shares = (*this)(fell_always);
  const auto pairs = (*this)(pairs_learned);
  for (std::size_t i = 0; i < shares.size(); ++i) shares[i] /= pairs[i];
  return shares;
}

std::vector<double> AdditionRuns::share_kept_falling() const {
  return kept_falling((*this)(fell_always), (*this)(fell_first));
}

const AdditionRuns& Addition::operator[](const std::string& loss) const {
  const auto found = std::ranges::find(losses, loss, &AdditionRuns::loss);
  if (found == losses.end()) throw Error("suite::Addition", "this loss was not asked for", loss);
  return *found;
}

Addition run_addition(Study& study, const std::vector<std::string>& losses) {
  const Index seeds = study.seeds(experiment, 5, 20);
  std::vector<Run> references, runs;
  for (Index seed = 0; seed < seeds; ++seed) {
    references.push_back(reference_run(study, seed));
    for (const std::string& name : losses)
      runs.push_back({.experiment = experiment,
                      .setting = name,
                      .number = seed,
                      .identity = reference_identity + "; Adam 3e-4, clip 1, beta 0.1, 8 epochs of 32 pairs a step",
                      .work = [&study, seed, loss = loss_of(name)] {
                        const Reference reference = reference_of(study, seed);
                        return std::visit([&](const auto& l) { return align(reference, seed, l); }, loss);
                      }});
  }
  Addition result{.reference = {.loss = "reference", .seeds = study.measure("long addition: supervised", references)},
                  .losses = {}};
  const auto found = study.measure("long addition: losses", runs);
  for (std::size_t k = 0; k < losses.size(); ++k) {
    AdditionRuns of_loss{.loss = losses[k], .seeds = {}};
    for (std::size_t seed = 0; seed < static_cast<std::size_t>(seeds); ++seed)
      of_loss.seeds.push_back(found[seed * losses.size() + k]);
    result.losses.push_back(std::move(of_loss));
  }
  return result;
}

void draw_addition(const Study& study, const Addition& addition, const std::vector<std::string>& names,
                   const std::pair<double, double>& close) {
  tools::Plot right{
      .title = "Long addition, over-training", .x_label = "epoch", .y_label = "share of samples that are right"},
      chosen{.title = "Chosen completions of long addition, training pairs",
             .x_label = "epoch",
             .y_label = "median log pi(y_w) - log reference",
             .reference = tools::ReferenceLine{0, "the reference"}};
  const auto add = [](tools::Series& line, Index epoch, const std::vector<double>& values) {
    Rng rng(0);
    const auto estimate = mean_of(values, rng);
    line.x.push_back(static_cast<double>(epoch));
    line.y.push_back(estimate.value);
    line.low.push_back(estimate.low);
    line.high.push_back(estimate.high);
  };
  for (const std::string& name : names) {
    const AdditionRuns& runs = addition[name];
    tools::Series of_right{.label = name}, of_chosen{.label = name};
    add(of_right, 0, addition.reference(right_at(0)));
    add(of_chosen, 0, std::vector<double>(runs.seeds.size(), 0.0));
    for (const Index epoch : addition_epochs) {
      add(of_right, epoch, runs(right_at(epoch)));
      add(of_chosen, epoch, runs(chosen_at(epoch)));
    }
    right.series.push_back(std::move(of_right));
    chosen.series.push_back(std::move(of_chosen));
  }
  tools::save_plot(study.folder() / "addition_right", right);
  tools::save_plot(study.folder() / "addition_chosen", chosen);
  chosen.title = "Chosen completions of long addition, close to the reference";
  chosen.y_range = close;
  tools::save_plot(study.folder() / "addition_close", chosen);
}

void tabulate_addition(const Study& study, const Addition& addition) {
  std::string text =
      "| loss | median a_w after epochs 1, 2, 4, 8 | a_w < 0, epoch 4 | median a_l, epoch 4 | accuracy on held-out "
      "pairs, "
      "epoch 4 | right samples after epochs 1, 2, 4, 8 |\n|---|---|---|---|---|---|\n";
  const auto mean = [](const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  };
  for (const AdditionRuns& runs : addition.losses) {
    std::vector<std::string> chosen, right;
    for (const Index epoch : addition_epochs) {
      chosen.push_back(fmt::format("{:.2f}", mean(runs(chosen_at(epoch)))));
      right.push_back(fmt::format("{:.3f}", mean(runs(right_at(epoch)))));
    }
    text += fmt::format("| {} | {} | {:.1f} % | {:.2f} | {:.3f} | {} |\n", runs.loss, fmt::join(chosen, ", "),
                        100 * mean(runs(fell_at(4))), mean(runs(rejected_at(4))),
                        mean(runs(accuracy_at(4, Pairs::HeldOut))), fmt::join(right, ", "));
  }
  tools::write_file_atomically(study.folder() / "addition.md", text);
}

}  // namespace mellow::suite
