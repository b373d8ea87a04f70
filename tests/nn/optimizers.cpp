// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/rng.hpp>
#include <mellow/core/state.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/optimizers.hpp>

#include "support/catch.hpp"

using namespace mellow;
using nn::Adam;
using nn::RAdam;
using nn::RMSProp;
using nn::Sgd;

namespace {
/// Adam as its paper writes it, one number at a time.
struct ReferenceAdam {
  double m = 0, v = 0;
  int t = 0;
  double step(double theta, double g, double rate) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    return theta - rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
};
}  // namespace

TEST_CASE("Adam follows its definition") {
  Rng rng(1);
  const Index n = 3000;  // more than one block
  const Adam adam{.learning_rate = linear(1e-2, 1e-3, 100)};
  Adam::State<double> state;
  state.reset(n);
  Vector<double> theta = Vector<double>::Random(n), expected = theta, gradient(n);
  std::vector<ReferenceAdam> reference(static_cast<std::size_t>(n));
  for (Index t = 0; t < 200; ++t) {
    for (double& g : gradient) g = rng.normal();
    adam.step(state, theta, gradient);
    for (Index i = 0; i < n; ++i)
      expected[i] = reference[static_cast<std::size_t>(i)].step(expected[i], gradient[i], linear(1e-2, 1e-3, 100)(t));
    REQUIRE((theta - expected).cwiseAbs().maxCoeff() < 1e-12);
  }
  CHECK(state.steps == 200);
}

TEST_CASE("Adam's first step is the learning rate in the gradient's direction") {
  Adam::State<double> state;
  state.reset(3);
  Vector<double> theta = Vector<double>::Zero(3);
  Adam{.learning_rate = 0.1}.step(state, theta, Eigen::Vector3d(5, -1e-3, 0));
  CHECK(theta[0] == Approx(-0.1));
  CHECK(theta[1] == Approx(0.1).epsilon(1e-4));
  CHECK(theta[2] == 0);
}

TEST_CASE("Forgetting Adam's moments makes the next step a first step; the schedule goes on") {
  const Adam adam{.learning_rate = linear(1.0, 0.0, 10)};
  Adam::State<double> state;
  state.reset(1);
  Vector<double> theta = Vector<double>::Zero(1);
  for (int i = 0; i < 5; ++i) adam.step(state, theta, Vector<double>::Constant(1, 3.0));
  state.forget({});
  theta.setZero();
  adam.step(state, theta, Vector<double>::Constant(1, -7.0));
  CHECK(theta[0] == Approx(0.5));
  CHECK((state.m_steps == 1 && state.v_steps == 1 && state.steps == 6));
}

TEST_CASE("Moments that decay to nothing do not become denormal") {
  Adam::State<float> state;
  state.reset(4);
  Vector<float> theta = Vector<float>::Zero(4);
  Adam{}.step(state, theta, Vector<float>::Ones(4));
  for (int i = 0; i < 3000; ++i) Adam{}.step(state, theta, Vector<float>::Zero(4));
  CHECK((state.m[0] < 1e-36f && (state.m[0] == 0 || std::isnormal(state.m[0]))));
  CHECK(std::isnormal(state.v[0]));
}

TEST_CASE("Sgd steps against the gradient at its scheduled rate") {
  const Sgd sgd{.learning_rate = linear(1.0, 0.0, 2)};
  Sgd::State<double> state;
  state.reset(2);
  Vector<double> theta = Eigen::Vector2d(1, 2);
  sgd.step(state, theta, Eigen::Vector2d(1, -1));
  CHECK(theta == Eigen::Vector2d(0, 3));
  sgd.step(state, theta, Eigen::Vector2d(1, -1));
  CHECK(theta == Eigen::Vector2d(-0.5, 3.5));
}

TEST_CASE("Adam's float steps are those of double, however long it averages") {
  for (const double beta2 : {0.999, 0.9999, 0.99999, 0.999999})
    for (const double beta1 : {0.9, 0.999}) {
      CAPTURE(beta1, beta2);
      const Adam adam{.learning_rate = 0.1, .beta1 = beta1, .beta2 = beta2};
      Adam::State<float> state;
      Adam::State<double> exact;
      state.reset(50);
      exact.reset(50);
      Rng rng(3);
      Vector<float> theta = Vector<float>::Zero(50), gradient(50);
      Vector<double> expected = Vector<double>::Zero(50);
      for (int i = 0; i < 10; ++i) {
        for (float& g : gradient) g = static_cast<float>(rng.normal());
        adam.step(state, theta, gradient);
        adam.step(exact, expected, gradient.cast<double>());
      }
      CHECK((theta.cast<double>() - expected).cwiseAbs().maxCoeff() < 2e-6);
    }
}

TEST_CASE("AdamW is Adam on weights that shrink by the rate times the decay, biases and normalisations apart") {
  const nn::Mlp<double> network({40, 50, 3});  // a weight that ends within a block, and biases between
  const nn::AdamW adamw{.learning_rate = linear(0.1, 0.05, 3), .weight_decay = 0.3};
  const Adam adam{.learning_rate = adamw.learning_rate};
  nn::AdamW::State<double> state;
  Adam::State<double> plain;
  state.reset(network);
  plain.reset(network);
  Rng rng(1);
  Vector<double> theta = nn::initialize(network, rng), expected = theta;
  for (int i = 0; i < 3; ++i) {
    const Vector<double> gradient = Vector<double>::Random(network.parameters());
    for (const Segment& s : network.segments())
      if (s.kind == Segment::Kind::Weight) expected.segment(s.offset, s.size()) *= 1 - adam.learning_rate(i) * 0.3;
    adam.step(plain, expected, gradient);
    adamw.step(state, theta, gradient);
    CHECK((theta - expected).cwiseAbs().maxCoeff() < 1e-15);
  }
}

TEST_CASE("A decay mask covers the weights of a network, all of a number of parameters, or what it is told") {
  const nn::Mlp network({4, 3, 2});
  const auto covered = [](const nn::DecayMask& mask, Index begin, Index n) {
    std::vector<Index> all;
    mask.for_each_within(begin, n, [&](Index at, Index count) {
      for (Index i = at; i < at + count; ++i) all.push_back(i);
    });
    return all;
  };
  const auto weights = covered(nn::DecayMask(network), 0, network.parameters());
  CHECK(weights.size() == 4 * 3 + 3 * 2);
  CHECK((weights.front() == 0 && weights[11] == 11 && weights[12] == 15 && weights.back() == 20));
  CHECK(covered(nn::DecayMask(network), 10, 7) == std::vector<Index>{10, 11, 15, 16});
  CHECK(covered(nn::DecayMask(network), 12, 3).empty());
  CHECK(covered(nn::DecayMask(Index{3}), 0, 3) == std::vector<Index>{0, 1, 2});
  CHECK(covered(nn::DecayMask({{1, 2}, {4, 6}}), 0, 9) == std::vector<Index>{1, 4, 5});
  CHECK(covered(nn::DecayMask(), 0, 9).empty());
}

TEST_CASE("Sgd's decay, momentum and Nesterov's form follow their definition") {
  const auto two_steps = [](const Sgd& sgd) {  // theta 1, gradients 2 and 3
    sgd.validate();
    Sgd::State<double> state;
    state.reset(1);
    Vector<double> theta = Vector<double>::Ones(1);
    sgd.step(state, theta, Vector<double>::Constant(1, 2.0));
    sgd.step(state, theta, Vector<double>::Constant(1, 3.0));
    return theta[0];
  };
  using enum Sgd::Momentum;
  CHECK(two_steps({.learning_rate = 0.1}) == Approx(1 - 0.2 - 0.3));
  CHECK(two_steps({.learning_rate = 0.1, .momentum = 0.5}) == Approx(1 - 0.2 - 0.1 * (0.5 * 2 + 3)));
  CHECK(two_steps({.learning_rate = 0.1, .momentum = 0.5, .dampening = 0.4}) ==
        Approx(1 - 0.2 - 0.1 * (0.5 * 2 + 0.6 * 3)));
  CHECK(two_steps({.learning_rate = 0.1, .momentum = 0.5, .form = Nesterov}) ==
        Approx(1 - 0.1 * (2 + 0.5 * 2) - 0.1 * (3 + 0.5 * (0.5 * 2 + 3))));
  const double after_one = 1 - 0.1 * (2 + 0.2 * 1);
  CHECK(two_steps({.learning_rate = 0.1, .weight_decay = 0.2}) == Approx(after_one - 0.1 * (3 + 0.2 * after_one)));
}

TEST_CASE("RMSProp's first steps are those of optimizer_reset, section 2") {
  using enum RMSProp::Square;
  const auto first_step = [](double decay, RMSProp::Square square, double epsilon = 1e-16) {
    RMSProp::State<double> state;
    state.reset(1);
    Vector<double> theta = Vector<double>::Zero(1);
    RMSProp{.learning_rate = 1,
            .decay = decay,
            .epsilon = epsilon,
            .square = square,
            .epsilon_place = RMSProp::Epsilon::InsideRoot}
        .step(state, theta, Vector<double>::Constant(1, -7.0));
    return theta[0];
  };
  CHECK(first_step(0.95, Plain) == Approx(4.472136).epsilon(1e-6));
  CHECK(first_step(0.95, Centred) == Approx(4.588315).epsilon(1e-6));
  CHECK(first_step(0.99, Plain) == Approx(10).epsilon(1e-6));
  CHECK(first_step(0.99, Centred) == Approx(10.050378).epsilon(1e-6));
  CHECK(first_step(0.9, Plain) == Approx(3.162278).epsilon(1e-6));
  CHECK(first_step(0.9, Centred) == Approx(3.333333).epsilon(1e-6));
  CHECK(first_step(0.9, Plain, 49.0) == Approx(7 / std::sqrt(4.9 + 49)));
}

TEST_CASE("RMSProp that TensorFlow 1 begins from ones takes short first steps") {
  RMSProp::State<double> state;
  state.reset(1);
  state.mean_square.setOnes();
  Vector<double> theta = Vector<double>::Zero(1);
  RMSProp::nature().step(state, theta, Vector<double>::Constant(1, -0.1));
  CHECK(theta[0] == Approx(0.00025 * 0.1 / std::sqrt(0.95 + 0.05 * 0.01 - 0.005 * 0.005 + 0.01)));
}

TEST_CASE("RAdam's rectification has the values of optimizer_reset, section 2") {
  // Under gradients that are 1 throughout m_hat = 1 and v_hat = 1, so that a step is the rectification itself.
  const auto steps_of = [](double threshold, int steps) {
    const RAdam radam{.learning_rate = 1, .epsilon = 1e-16, .threshold = threshold};
    RAdam::State<double> state;
    state.reset(1);
    std::vector<double> sizes{0};
    Vector<double> theta = Vector<double>::Zero(1);
    for (int i = 0; i < steps; ++i) {
      theta.setZero();
      radam.step(state, theta, Vector<double>::Ones(1));
      sizes.push_back(-theta[0]);
    }
    return sizes;
  };
  const auto paper = steps_of(4, 4000), pytorch = steps_of(5, 6);
  for (const std::size_t i : {1, 2, 3, 4}) CHECK(paper[i] == Approx(1));  // rho_4 = 3.997499
  CHECK(paper[5] == Approx(0.017312).epsilon(1e-4));
  CHECK(paper[6] == Approx(0.025821).epsilon(1e-4));
  CHECK(paper[10] == Approx(0.048998).epsilon(1e-4));
  CHECK(paper[100] == Approx(0.215335).epsilon(1e-5));
  CHECK(paper[1000] == Approx(0.645326).epsilon(1e-5));
  CHECK(paper[4000] == Approx(0.961905).epsilon(1e-5));
  CHECK(pytorch[5] == Approx(1));  // rho_5 = 4.995998
  CHECK(pytorch[6] == Approx(paper[6]));
}

TEST_CASE("Adagrad divides by the root of the sum of squares") {
  nn::Adagrad::State<double> state;
  state.reset(1);
  Vector<double> theta = Vector<double>::Zero(1);
  nn::Adagrad{.learning_rate = 1}.step(state, theta, Vector<double>::Constant(1, -3.0));
  CHECK(theta[0] == Approx(1));
  nn::Adagrad{.learning_rate = 1}.step(state, theta, Vector<double>::Constant(1, -4.0));
  CHECK(theta[0] == Approx(1 + 4.0 / 5));
}

namespace {
std::vector<std::string> paths(const auto& state) {
  std::vector<std::string> paths;
  for (const StatePiece& piece : state_of(state)) paths.push_back(piece.path);
  return paths;
}
using Paths = std::vector<std::string>;

template <class Test>
void for_all_optimizers(const Test& test) {
  test(Sgd{});
  test(Sgd{.momentum = 0.9, .dampening = 0.1, .weight_decay = 0.1});
  test(Sgd{.momentum = 0.9, .form = Sgd::Momentum::Nesterov});
  test(Adam{});
  test(nn::AdamW{});
  test(RAdam{});
  test(RMSProp{});
  test(RMSProp::nature());
  test(RMSProp{.momentum = 0.9});
  test(nn::Adagrad{});
}
}  // namespace

TEST_CASE("An optimiser's state names everything that a step changes") {
  CHECK(paths(Adam::State<float>()) == Paths{"m", "v", "steps", "m_steps", "v_steps"});
  CHECK(paths(nn::AdamW::State<float>()) == Paths{"m", "v", "steps", "m_steps", "v_steps"});
  CHECK(paths(RAdam::State<float>()) == Paths{"m", "v", "steps", "m_steps", "v_steps"});
  CHECK(paths(Sgd::State<float>()) == Paths{"m", "steps", "m_steps"});
  CHECK(paths(RMSProp::State<float>()) == Paths{"mean_square", "mean_gradient", "m", "steps", "mean_steps"});
  CHECK(paths(nn::Adagrad::State<float>()) == Paths{"sum_of_squares", "steps"});
}

TEST_CASE("A reset optimiser goes on as a new one") {
  const nn::Mlp<double> network({30, 50, 2});
  for_all_optimizers([&]<class Optimizer>(const Optimizer& optimizer) {
    CAPTURE(typeid(Optimizer).name());
    typename Optimizer::template State<double> used, fresh;
    used.reset(network);
    fresh.reset(network);
    Rng rng(1);
    Vector<double> theta = nn::initialize(network, rng), same = theta;
    const Vector<double> gradient = Vector<double>::Random(network.parameters());
    for (int i = 0; i < 7; ++i) optimizer.step(used, theta, gradient);
    theta = same;
    used.reset(network);
    optimizer.step(used, theta, gradient);
    optimizer.step(fresh, same, gradient);
    CHECK(theta == same);
    CHECK(first_difference(used, fresh) == "");
    for (int i = 0; i < 3; ++i) optimizer.step(used, theta, gradient);
    Vector<double> once = theta;
    used.forget({});
    fresh.reset(network);
    optimizer.step(used, theta, gradient);
    optimizer.step(fresh, once, gradient);
    CHECK((theta - once).cwiseAbs().maxCoeff() == 0);  // by moments too, at a constant learning rate
  });
}

TEST_CASE("No optimiser's moments become denormal when gradients stay away") {
  for_all_optimizers([]<class Optimizer>(const Optimizer& optimizer) {
    CAPTURE(typeid(Optimizer).name());
    typename Optimizer::template State<float> state;
    state.reset(40);
    Vector<float> theta = Vector<float>::Zero(40);
    optimizer.step(state, theta, Vector<float>::Constant(40, 1e-10f));
    for (int i = 0; i < 3000; ++i) optimizer.step(state, theta, Vector<float>::Zero(40));
    mellow::detail::visit_leaves("", state, [](const std::string& name, const auto& piece) {
      CAPTURE(name);
      if constexpr (requires { piece.array(); })
        for (const float x : piece) REQUIRE((x == 0 || std::isnormal(x)));
    });
    CHECK(theta.allFinite());
  });
}

TEST_CASE("Clipping bounds the norm and keeps the direction") {
  Vector<double> gradient = Eigen::Vector2d(3, 4);
  CHECK(nn::clip_norm(gradient, 10.0) == 5);
  CHECK(gradient == Eigen::Vector2d(3, 4));
  CHECK(nn::clip_norm(gradient, 1.0) == 5);
  CHECK(gradient[0] == Approx(0.6));
  CHECK(gradient[1] == Approx(0.8));
}

TEST_CASE("Clipping knows norms whose squares overflow, and passes on what is not finite") {
  Vector<float> gradient = Eigen::Vector4f(1e20f, -1e20f, 1e20f, 1e20f);
  CHECK(nn::clip_norm(gradient, 1.0f) == Approx(2e20f));
  CHECK((gradient - Eigen::Vector4f(0.5f, -0.5f, 0.5f, 0.5f)).norm() < 1e-6f);
  Vector<double> large = Vector<double>::Constant(4, 1e200);
  CHECK(nn::clip_norm(large, 1.0) == Approx(2e200));
  CHECK(large.norm() == Approx(1));
  Vector<float> broken = Vector<float>::Constant(3, std::nanf(""));
  CHECK(std::isnan(nn::clip_norm(broken, 1.0f)));
}

TEST_CASE("Optimisers refuse numbers that make no sense") {
  CHECK_THROWS_WITH(Adam{.learning_rate = -0.1}.validate(),
                    Catch::Contains("nn::Adam: learning_rate") && Catch::Contains("-0.1"));
  CHECK_THROWS_AS(Sgd{.learning_rate = -1e-9}.validate(), Error);
  CHECK_THROWS_AS(Sgd{.learning_rate = std::nan("")}.validate(), Error);
  CHECK_THROWS_AS(Adam{.beta1 = 1}.validate(), Error);
  CHECK_THROWS_AS(Adam{.beta2 = -0.1}.validate(), Error);
  CHECK_THROWS_AS(Adam{.epsilon = 0}.validate(), Error);
  CHECK_THROWS_AS(Sgd{.momentum = 1}.validate(), Error);
  CHECK_THROWS_AS(Sgd{.dampening = 1.5}.validate(), Error);
  CHECK_THROWS_AS(Sgd{.weight_decay = -1}.validate(), Error);
  CHECK_THROWS_WITH(Sgd{.form = Sgd::Momentum::Nesterov}.validate(), Catch::Contains("needs a momentum"));
  CHECK_THROWS_WITH((Sgd{.momentum = 0.9, .dampening = 0.1, .form = Sgd::Momentum::Nesterov}.validate()),
                    Catch::Contains("no dampening"));
  CHECK_THROWS_WITH(nn::AdamW{.beta1 = 1}.validate(), Catch::Contains("nn::AdamW: beta1"));
  CHECK_THROWS_AS(nn::AdamW{.weight_decay = -0.1}.validate(), Error);
  CHECK_THROWS_AS(RAdam{.threshold = 3}.validate(), Error);
  CHECK_THROWS_AS(RMSProp{.decay = 1}.validate(), Error);
  CHECK_THROWS_AS(RMSProp{.momentum = -0.1}.validate(), Error);
  CHECK_THROWS_AS(RMSProp{.epsilon = 0}.validate(), Error);
  CHECK_THROWS_AS(nn::Adagrad{.epsilon = -1}.validate(), Error);
}

TEST_CASE("An epsilon below all numbers of float still keeps from dividing by 0") {
  const auto stays = [](const auto& optimizer) {
    using Optimizer = std::remove_cvref_t<decltype(optimizer)>;
    typename Optimizer::template State<float> state;
    state.reset(33);
    Vector<float> theta = Vector<float>::Ones(33);
    for (int i = 0; i < 10; ++i) optimizer.step(state, theta, Vector<float>::Zero(33));
    return (theta.array() == 1.0f).all();
  };
  CHECK(stays(Adam{.epsilon = 1e-60}));
  CHECK(stays(RAdam{.epsilon = 1e-60}));
  CHECK(stays(RMSProp{.epsilon = 1e-60}));
  CHECK(stays(nn::Adagrad{.epsilon = 1e-60}));
}

TEST_CASE("A gradient whose square overflows moves no parameter, wherever it stands") {
  const auto moves = [](const auto& optimizer) {
    using Optimizer = std::remove_cvref_t<decltype(optimizer)>;
    const Index n = 33;  // packets and a tail
    typename Optimizer::template State<float> state;
    state.reset(n);
    Vector<float> theta = Vector<float>::Ones(n);
    optimizer.step(state, theta, Vector<float>::Constant(n, 1e22f));
    return !(theta.array() == 1.0f).all();
  };
  CHECK_FALSE(moves(Adam{}));
  CHECK_FALSE(moves(nn::AdamW{.weight_decay = 0.0}));
  CHECK_FALSE(moves(RMSProp{}));
  CHECK_FALSE(moves(nn::Adagrad{}));
}

TEST_CASE("A full reset leaves parameters and copies alone, and goes on as new bit for bit (optimizer_reset T7)") {
  for_all_optimizers([]<class Optimizer>(const Optimizer& optimizer) {
    CAPTURE(typeid(Optimizer).name());
    typename Optimizer::template State<float> used, fresh;
    used.reset(50);
    fresh.reset(50);
    Rng rng(1);
    Vector<float> theta = Vector<float>::Random(50), gradient(50);
    const auto draw = [&] {
      for (float& g : gradient) g = static_cast<float>(rng.normal());
    };
    for (int i = 0; i < 20; ++i) {
      draw();
      optimizer.step(used, theta, gradient);
    }
    const auto copy = used, before = used;
    const Vector<float> kept = theta;
    used.forget({});
    CHECK(theta == kept);
    CHECK(first_difference(copy, before) == "");
    Vector<float> other = theta;
    for (int i = 0; i < 30; ++i) {
      draw();
      optimizer.step(used, theta, gradient);
      optimizer.step(fresh, other, gradient);
      REQUIRE(theta == other);
    }
  });
}

TEST_CASE("RMSProp without bias begins with steps of the learning rate (optimizer_reset section 2)") {
  using enum RMSProp::Square;
  const RMSProp unbiased{.learning_rate = 1, .decay = 0.95, .epsilon = 1e-16, .debias = true};
  RMSProp::State<double> state;
  state.reset(1);
  Vector<double> theta = Vector<double>::Zero(1);
  const auto step = [&](const RMSProp& rmsprop, double gradient) {
    theta.setZero();
    rmsprop.step(state, theta, Vector<double>::Constant(1, gradient));
    return -theta[0];
  };
  CHECK(step(unbiased, -7) == Approx(-1));
  CHECK(step(unbiased, 3) == Approx(3 / std::sqrt((0.05 * 0.95 * 49 + 0.05 * 9) / (1 - 0.95 * 0.95))));
  state.forget({});
  CHECK(step(unbiased, 0.2) == Approx(1));
  state.forget(nn::Moments::counters_only());
  CHECK(step(unbiased, 0.2) == Approx(0.2 / std::sqrt(1.95 * 0.05 * 0.04 / 0.05)));  // the mean counts as one gradient
  RMSProp centred = unbiased;
  centred.square = Centred;
  centred.epsilon_place = RMSProp::Epsilon::InsideRoot;
  centred.epsilon = 0.01;
  state.forget({});
  CHECK(step(centred, -7) == Approx(-7 / 0.1));  // one gradient has no spread
  const double share = 0.05 / (1 - 0.95 * 0.95), square = share * (0.95 * 49 + 9), mean = share * (0.95 * -7 + 3);
  CHECK(step(centred, 3) == Approx(3 / std::sqrt(square - mean * mean + 0.01)));
}
