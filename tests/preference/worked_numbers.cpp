// SPDX-License-Identifier: Apache-2.0
// The worked numbers of c2_dpo.md, section 2, and squared_po.md, section 6.4: a batch of three pairs, by automatic
// differentiation in double.
#include <array>

#include "preference/losses.hpp"
#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::preference;

namespace {

using Three = std::array<double, 3>;

const std::array<Pair, 3> pairs{Pair{-12.0, -14.5, -11.2, -13.9, 10, 12}, Pair{-20.5, -18.0, -21.0, -19.5, 16, 15},
                                Pair{-8.25, -9.75, -8.0, -8.5, 5, 6}};

void check_numbers(const char* name, const PairLoss auto& loss, const Three& values, const Three& d_chosen) {
  INFO(name);
  for (std::size_t i = 0; i < 3; ++i) {
    const PairTerm term = loss(pairs[i]);
    CHECK(term.value == Approx(values[i]).margin(6e-9).epsilon(1e-10));
    CHECK(term.d_chosen == Approx(d_chosen[i]).margin(6e-9).epsilon(1e-9));
  }
}

void check_rejected(const PairLoss auto& loss, const Three& d_rejected) {
  for (std::size_t i = 0; i < 3; ++i) CHECK(loss(pairs[i]).d_rejected == Approx(d_rejected[i]).margin(6e-9));
}

}  // namespace

TEST_CASE("C2-DPO's numbers (c2_dpo.md 2)") {
  const double lambda = 2e-4;
  const Three dpo{0.70319718, 0.74439666, 0.64439666}, d_dpo{-0.05049998, -0.05249792, -0.04750208};
  check_numbers("DPO", Dpo{}, dpo, d_dpo);
  check_rejected(Dpo{}, {0.05049998, 0.05249792, 0.04750208});
  const C2Dpo log2{.lambda = lambda}, log1{.lambda = lambda, .norm = Norm::L1};
  const C2Dpo sum2{.lambda = lambda, .constraint = Constraint::Identity};
  const C2Dpo sum1{.lambda = lambda, .constraint = Constraint::Identity, .norm = Norm::L1};
  check_numbers("Log l2", log2, {0.70358918, 0.74519666, 0.64484666}, {-0.05105998, -0.05169792, -0.04810208});
  check_rejected(log2, {0.04993998, 0.05329792, 0.04690208});
  check_numbers("Log l1", log1, {0.70347718, 0.74479666, 0.64469666}, {-0.05069998, -0.05229792, -0.04770208});
  check_rejected(log1, {0.05029998, 0.05269792, 0.04730208});
  check_numbers("I l2", sum2, {0.70332079, 0.74477615, 0.64445130}, {-0.05079059, -0.05245612, -0.04767301});
  check_rejected(sum2, {0.05047613, 0.05300711, 0.04746394});
  check_numbers("I l1", sum1, {0.70335441, 0.74467216, 0.64450119}, {-0.05068481, -0.05248275, -0.04766560});
  check_rejected(sum1, {0.05048481, 0.05268275, 0.04746560});
  const Three g_log{-1.4, 2.0, -1.5}, g_sum{-0.7861538275, 1.3774764563, -0.5226637062};
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(log2.residual(pairs[i]) == Approx(g_log[i]));
    CHECK(sum2.residual(pairs[i]) == Approx(g_sum[i]).margin(1e-10));
  }
}

TEST_CASE("The family's numbers (squared_po.md 6.4)") {
  check_numbers("cDPO", ConservativeDpo{.label_smoothing = 0.1}, {0.70119718, 0.73439666, 0.65439666},
                {-0.04049998, -0.04249792, -0.03750208});
  check_numbers("robust", RobustDpo{.label_smoothing = 0.1}, {0.70569718, 0.75689666, 0.63189666},
                {-0.06299998, -0.06499792, -0.06000208});
  check_numbers("IPO sums", Ipo{}, {27.04, 36, 16}, {-10.4, -12, -8});
  check_numbers("IPO trl", LengthNormalizedIpo{}, {25.3009, 25.69222656, 23.44173611},
                {-1.006, -0.63359375, -1.93666667});
  check_numbers("hinge", Hinge{}, {1.02, 1.10, 0.90}, {-0.1, -0.1, -0.1});
  check_numbers("EXO", ExoPair{}, {2.79581333, 2.93500427, 2.58995403}, {-0.17315155, -0.17473168, -0.16974416});
  check_numbers("NCA", NcaPair{}, {1.39271901, 1.41316800, 1.36238747}, {-0.02799840, -0.02312539, -0.02593745});
  check_numbers("BCO", BcoPair{}, {1.39754408, 1.43941670, 1.33832434}, {-0.05199893, -0.04875026, -0.05062497});
  check_numbers("SPPO hard", SppoHard{}, {53, 62.5, 41.625}, {-11.6, -9, -10.5});
  check_numbers("APO zero", ApoZero{}, {1.00499384, 1.02493245, 0.97504030}, {-0.02496004, -0.02498438, -0.02499609});
  check_numbers("APO down", ApoDown{}, {0.98501049, 1.03747658, 0.96877114}, {-0.00003746, 0.00004678, 0.00005849});
  check_numbers("DiscoPOP", DiscoPop{}, {0.83041486, 0.78740201, 0.87379212}, {0.08115166, 0.01634399, -0.03067098});
  check_numbers("forward KL", FDpo<ForwardKl>{}, {0.71352171, 0.71250094, 0.58890380},
                {-0.11352132, -0.03090782, -0.05714744});
  check_numbers("JS", FDpo<JensenShannon>{}, {0.69985013, 0.70687329, 0.65991879},
                {-0.03472919, -0.01913437, -0.02715912});
  check_numbers("alpha 0.5", FDpo<AlphaDivergence>{}, {0.70744454, 0.72426004, 0.62233684},
                {-0.07565010, -0.04013292, -0.05250004});
  check_numbers("chiPO", ChiPo{}, {0.70823342, 0.90304879, 0.62131349}, {-0.07355149, -0.15751098, -0.08231608});
  check_numbers("SquaredPO", SquaredPo{}, {0.72809538, 0.69471991, 0.51133497},
                {-0.20717785, -0.01518710, -0.06425031});
  check_rejected(SquaredPo{}, {0.15077589, -0.00558702, 0.31437081});
  check_numbers("DPOP", DpoPositive{.beta = 0.1, .lambda = 5}, {0.92503699, 0.74439666, 0.70572530},
                {-0.36208995, -0.05249792, -0.30374980});
  check_numbers("SimPO", SimPo{.beta = 2, .gamma = 0.5}, {0.96373535, 1.07828555, 1.00549248},
                {-0.12370694, -0.08247772, -0.25365424});
  check_numbers("CPO, no NLL", Cpo{.alpha = 0}, {0.57593942, 0.82593942, 0.62095705},
                {-0.04378235, -0.05621765, -0.04625702});
  check_numbers("ORPO", Orpo{}, {1.26872130, 1.35644460, 1.72087854}, {-0.10711248, -0.06707345, -0.21256905});
  check_numbers("Cal-DPO", CalDpo{}, {53.79813887, 63.81326169, 41.93826169},
                {-12.14983400, -9.73105858, -10.76894142});
  check_numbers("RPO", Rpo{}, {1.90319718, 2.02564666, 2.29439666}, {-0.15049998, -0.11499792, -0.24750208});
  check_numbers("sigmoid_norm", LengthNormalizedDpo{}, {0.69464831, 0.69659059, 0.68526185},
                {-0.00500750, -0.00313574, -0.00992083});
}

TEST_CASE("SquaredPO's slope and saturation (squared_po.md 1.6, 1.7)") {
  const SquaredLog g;
  const double slopes[][2] = {{-3, 80.342148}, {-1, 5.436564}, {-0.5, 2.473082}, {0, 1},
                              {0.5, 0.303265}, {1, 0},         {2, -0.135335}};
  for (const auto& [a, slope] : slopes) CHECK(g.score(a).slope == Approx(slope).margin(6e-7));
  CHECK(g.score(1.0).value == Approx(0.3678794).margin(1e-7));
  const double displaced[][2] = {{0.5, 0.1893921}, {1, 1.2059830}, {2, 20.3614488}, {3, 236.03}};
  for (const auto& [x, z] : displaced)
    CHECK(0.1 * (g.score(-x).value - g.score(-2 * x).value) == Approx(z).epsilon(1e-5));
  // Beyond the clip: finite, a constant factor, said so.
  CHECK(g.score(-60.0).slope == Approx(std::exp(50.0)).epsilon(1e-12));
  CHECK(0.1 * (g.score(-60.0).value - g.score(-70.0).value) == Approx(5.18e21).epsilon(1e-2));
  CHECK(std::abs(0.1 * (g.score(-60.0).value - g.score(-70.0).value)) < 1e22);
  CHECK(SquaredPo{}.clips({.chosen = -60}));
  CHECK_FALSE(SquaredPo{}.clips({.chosen = -40}));
}

TEST_CASE("Each exponent is bounded where the sheet says (squared_po.md 1.7)") {
  // x: what stands in the exponent, of a = x / scale. The last are the score and its slope beyond the bound.
  const auto check = [](const char* name, const auto& g, double scale, double bound, double value, double slope) {
    INFO(name);
    const auto at = [&](double x) { return g.score(x / scale); };
    CHECK_FALSE(g.clips((bound - 0.01) / scale));
    CHECK(g.clips((bound + 0.01) / scale));
    CHECK(at(bound - 0.01).value / at(bound - 1.01).value == Approx(std::exp(1.0)).epsilon(1e-12));
    CHECK(at(bound + 1.0).value == Approx(value).epsilon(1e-12));
    CHECK(at(bound + 100.0).value == Approx(value).epsilon(1e-12));
    CHECK(at(bound + 1.0).slope == slope);
  };
  const double e80 = std::exp(80.0);
  check("forward KL", ForwardKl{}, -1.0, 80.0, -e80, 0.0);
  check("alpha", AlphaDivergence{.alpha = 0.75}, -0.25, 80.0, -4.0 * e80, 0.0);
  check("Hellinger", SquaredHellinger{}, -0.5, 80.0, -e80, 0.0);
  check("chi-square", ChiSquare{}, 1.0, 80.0, 2.0 * e80, 0.0);
  check("chiPO", ChiSquareKl{}, 1.0, 88.0, std::exp(88.0), 1.0);
  CHECK(SquaredLog{}.clips(-50.01));
  CHECK_FALSE(SquaredLog{}.clips(-49.99));
  CHECK(ChiPo{}.clips({.chosen = 88.01}));
  CHECK_FALSE(ChiPo{}.clips({.chosen = 87.99}));
}

TEST_CASE("The collapse path and its cure (c2_dpo.md 2.5)") {
  const double delta[] = {0.1, 1e-3, 1e-6, 1e-12, 1e-30};
  const double dpo[] = {0.584631, 0.406256, 0.224094, 0.0611852, 0.00099950};
  const double c2[] = {0.594174, 0.492147, 0.567657, 1.435437, 8.590074};
  const auto at = [](double x) { return Pair{.chosen = -x, .rejected = -2 * x}; };
  for (int i = 0; i < 5; ++i) {
    const Pair pair = at(-std::log(delta[i]));
    CHECK(Dpo{}(pair).value == Approx(dpo[i]).epsilon(2e-6));
    CHECK(C2Dpo{}(pair).value == Approx(c2[i]).epsilon(2e-6));
  }
  CHECK(C2Dpo{}(at(8.384839)).value == Approx(0.485877).epsilon(2e-6));
  const PairTerm least = C2Dpo{}(at(8.384839));
  CHECK(std::abs(least.d_chosen + 2 * least.d_rejected) < 1e-8);
  // Coercive along each ray with c1 + c2 != 0, where DPO falls to 0.
  for (const auto& [c1, c2_] : {std::pair{1.0, 2.0}, {0.5, 3.0}, {-1.0, 2.0}, {3.0, 1.0}}) {
    const auto on = [&](double x) { return C2Dpo{}({.chosen = -c1 * x, .rejected = -c2_ * x}).value; };
    CHECK(on(1e4) > on(1e3));
    CHECK(on(1e4) > 100.0);
  }
}
