// SPDX-License-Identifier: Apache-2.0
// Losses of preferences take nothing from the heap.
#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/reference_free.hpp>
#include <mellow/preference/sum.hpp>
#include <mellow/preference/token_losses.hpp>
#include <mellow/preference/unpaired.hpp>

#include "allocation/counter.hpp"
#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::preference;

TEST_CASE("Preference losses do not allocate") {
  const Index n = 1000;
  const Vector<float> chosen = Vector<float>::LinSpaced(n, -50, -1), rejected = chosen.reverse(),
                      reference = Vector<float>::Constant(n, -20), labels = (chosen.array() > -25).cast<float>();
  Vector<float> d_chosen = Vector<float>::Zero(n), d_rejected = d_chosen, d_kl = d_chosen, d_other = d_chosen;
  Matrix<float> logits = Matrix<float>::Random(20, 5), of_reference = Matrix<float>::Random(20, 5), d_logits(20, 5);
  const PairBatch<float> batch{chosen, rejected, reference, reference, {}, {}, labels};
  const UnpairedBatch<float> unpaired{chosen, reference, labels, rejected, reference};
  const TdpoGradients<float> gradients{d_chosen, d_rejected, d_kl, d_other};
  SortScratch<float> scratch;
  Aot{}.add(batch, 1.0, d_chosen, d_rejected, scratch);  // makes its scratch

  const std::size_t before = heap_allocations();
  for (int i = 0; i < 3; ++i) {
    pair_loss(Dpo{}, batch, d_chosen, d_rejected);
    pair_loss(C2Dpo{.constraint = Constraint::Identity}, batch, d_chosen, d_rejected);
    pair_loss(SquaredPo{}, batch, d_chosen, d_rejected);
    pair_loss(Sum(Dpo{}, Weighted<Nll>{.weight = 0.1}), batch, d_chosen, d_rejected);
    add_pair_loss(Nll{}, batch, 0.5, d_chosen, d_rejected);
    Aot{}.add(batch, 1.0, d_chosen, d_rejected, scratch);
    TokenMeanNll{}.add(batch, 1.0, d_chosen);
    unpaired_loss(Kto{}, unpaired, d_chosen);
    tdpo_loss(Tdpo2{}, batch, labels, labels, gradients);
    sequential_kl<float>(of_reference, logits, d_logits);
    ld_weights<float>(10, 0.5, d_kl);
  }
  CHECK(heap_allocations() == before);
}
