// SPDX-License-Identifier: Apache-2.0
// C2-DPO (Asadi et al. 2026) on a small transformer: DPO with a penalty on what happens to the pair's probability mass, so
// that the chosen completion gains what the rejected one loses. Compare with dpo.
#include <mellow/language/preference_training.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/preference/c2_dpo.hpp>

#include "addition/test_bed.hpp"

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    preference::C2Dpo loss;
    loss.lambda = 1e-2;  // log-ratios of a small model are small
    std::string constraint = "log", norm = "l2";
    AdditionOptions options{.output = "results/c2_dpo"};
    CommandLine line(
        "Aligns a small transformer that learned addition from an imperfect teacher, with C2-DPO; shows what becomes "
        "of "
        "the probability of the pairs.");
    options.add_to(line)
        .option("--beta", loss.beta, "strength of the KL penalty", {.minimum = 1e-6})
        .option("--lambda", loss.lambda, "weight of the penalty", {.minimum = 0.0})
        .option("--constraint", constraint, "what is held", {"log", "identity"})
        .option("--norm", norm, "of its residual", {"l1", "l2"})
        .parse(argc, argv);
    loss.constraint = constraint == "log" ? preference::Constraint::Log : preference::Constraint::Identity;
    loss.norm = norm == "l1" ? preference::Norm::L1 : preference::Norm::L2;

    const AdditionTestBed bed(options);
    language::PreferenceTraining learner(bed.model(), bed.theta(), bed.pairs(), bed.held_out(), loss,
                                         {.batch = bed.batch()},
                                         nn::AdamW{.learning_rate = options.learning_rate, .weight_decay = 0});
    language::RecordPairs record(learner, bed.quarters());
    tools::Recorder recorder(options.output, bed.recording("C2-DPO on pairs of long addition"));
    training::fit(learner, {.steps = options.steps, .evaluate_every = 20, .seed = options.seed}, recorder, record);
    bed.report(learner.parameters(), record.history(), loss.beta);
  });
}
