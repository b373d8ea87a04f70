// SPDX-License-Identifier: Apache-2.0
// SquaredPO (Pipano et al. 2026) on a small transformer: a divergence under which it pays less to lower the chosen
// completion too. Compare with dpo.
#include <mellow/language/preference_training.hpp>
#include <mellow/language/record_pairs.hpp>
#include <mellow/preference/f_dpo.hpp>

#include "addition/test_bed.hpp"

using namespace mellow;

int main(int argc, char** argv) {
  return run_main([&] {
    preference::SquaredPo loss;
    AdditionOptions options{.output = "results/squared_po"};
    CommandLine line(
        "Aligns a small transformer that learned addition from an imperfect teacher, with SquaredPO; shows what "
        "becomes of "
        "the probability of the pairs.");
    options.add_to(line).option("--beta", loss.beta, "strength of the KL penalty", {.minimum = 1e-6}).parse(argc, argv);

    const AdditionTestBed bed(options);
    language::PreferenceTraining learner(bed.model(), bed.theta(), bed.pairs(), bed.held_out(), loss,
                                         {.batch = bed.batch()},
                                         nn::AdamW{.learning_rate = options.learning_rate, .weight_decay = 0});
    language::RecordPairs record(learner, bed.quarters());
    tools::Recorder recorder(options.output, bed.recording("SquaredPO on pairs of long addition"));
    training::fit(learner, {.steps = options.steps, .evaluate_every = 20, .seed = options.seed}, recorder, record);
    bed.report(learner.parameters(), record.history(), loss.beta);
  });
}
