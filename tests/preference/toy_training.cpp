// SPDX-License-Identifier: Apache-2.0
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/toy_training.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::preference;

TEST_CASE("A toy's history begins at its reference, and DPO's loss falls along it") {
  Rng rng(3);
  const DisplacementToy toy(rng, {.prompts = 5, .responses = 4, .features = 30});
  const PairHistory history = preference::train(toy, Dpo{}, {.checkpoints = {1, 10, 50}});
  CHECK(history.steps == std::vector<Index>{0, 1, 10, 50});
  CHECK(history.size() == 5);
  CHECK((history.chosen.col(0) - toy.reference_chosen()).cwiseAbs().maxCoeff() < 1e-12);
  CHECK((history.rejected.col(0) - toy.reference_rejected()).cwiseAbs().maxCoeff() < 1e-12);
  const Matrix<double> margin =
      history.chosen - history.reference_chosen - history.rejected + history.reference_rejected;
  for (Index k = 1; k < history.checkpoints(); ++k) CHECK(margin.col(k).mean() > margin.col(k - 1).mean());
  const Matrix<double> whole =
      history.chosen.array().exp() + history.rejected.array().exp() + history.out_of_sample.array();
  CHECK((whole.array() - 1).abs().maxCoeff() < 1e-12);
  // The first step of Adam moves every weight by the learning rate, whatever the loss's scale.
  const PairHistory scaled = preference::train(toy, Dpo{.beta = 0.2}, {.checkpoints = {1}});
  CHECK((scaled.chosen.col(1) - history.chosen.col(1)).cwiseAbs().maxCoeff() < 1e-5);
}

TEST_CASE("Numbers of a toy's training that make no sense are refused") {
  Rng rng(0);
  const DisplacementToy toy(rng);
  CHECK_THROWS_WITH(preference::train(toy, Dpo{}, {.learning_rate = 0}), Catch::Contains("learning_rate"));
  for (const auto& checkpoints : {std::vector<Index>{}, {0, 5}, {5, 5}, {5, 3}})
    CHECK_THROWS_WITH(preference::train(toy, Dpo{}, {.checkpoints = checkpoints}), Catch::Contains("checkpoints"));
}
