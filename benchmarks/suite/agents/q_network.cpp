// SPDX-License-Identifier: Apache-2.0
#include "q_network.hpp"

#include <utility>

#include <mellow/nn/activation.hpp>
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/dense.hpp>
#include <mellow/nn/dueling.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/minatar_network.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/noisy.hpp>
#include <mellow/nn/sequential.hpp>

namespace mellow::suite {

struct QNetwork::TapeOf {
  virtual ~TapeOf() = default;
};

struct QNetwork::Model {
  virtual ~Model() = default;
  virtual Index inputs() const = 0;
  virtual Index outputs() const = 0;
  virtual Index parameters() const = 0;
  virtual std::vector<Segment> segments() const = 0;
  virtual std::unique_ptr<TapeOf> make_tape() const = 0;
  virtual Output forward(const ConstVectorRef<float>& theta, const Matrix<float>& input, TapeOf& tape) const = 0;
  virtual void backward(const ConstVectorRef<float>& theta, TapeOf& tape, const ConstMatrixRef<float>& d_output,
                        VectorRef<float> gradient) const = 0;
  virtual void draw_noise(TapeOf& tape, Rng& rng) const = 0;
  virtual void silence(TapeOf& tape) const = 0;
};

template <Network N>
struct QNetwork::ModelOf final : Model {
  struct Kept final : TapeOf {
    typename N::Tape tape;
  };
  static typename N::Tape& kept(TapeOf& tape) { return static_cast<Kept&>(tape).tape; }

  explicit ModelOf(N n) : network(std::move(n)) {}

  Index inputs() const override { return network.inputs(); }
  Index outputs() const override { return network.outputs(); }
  Index parameters() const override { return network.parameters(); }
  std::vector<Segment> segments() const override { return network.segments(); }
  std::unique_ptr<TapeOf> make_tape() const override { return std::make_unique<Kept>(); }
  Output forward(const ConstVectorRef<float>& theta, const Matrix<float>& input, TapeOf& tape) const override {
    return network.forward(theta, input, kept(tape));
  }
  void backward(const ConstVectorRef<float>& theta, TapeOf& tape, const ConstMatrixRef<float>& d_output,
                VectorRef<float> gradient) const override {
    network.backward(theta, kept(tape), d_output, gradient);
  }
  void draw_noise(TapeOf& tape, Rng& rng) const override { mellow::draw_noise(network, kept(tape), rng); }
  void silence(TapeOf& tape) const override { mellow::silence(network, kept(tape)); }

  N network;
};

QNetwork::Tape::Tape() = default;
QNetwork::Tape::Tape(Tape&&) noexcept = default;
QNetwork::Tape& QNetwork::Tape::operator=(Tape&&) noexcept = default;
QNetwork::Tape::~Tape() = default;

template <class N>
  requires(!std::same_as<N, QNetwork> && Network<N>)
QNetwork::QNetwork(N network) : model_(std::make_shared<ModelOf<N>>(std::move(network))) {}

QNetwork::TapeOf& QNetwork::tape_of(Tape& tape) const {
  if (tape.of_ == nullptr) tape.of_ = model_->make_tape();
  return *tape.of_;
}

Index QNetwork::inputs() const { return model_->inputs(); }
Index QNetwork::outputs() const { return model_->outputs(); }
Index QNetwork::parameters() const { return model_->parameters(); }
std::vector<Segment> QNetwork::segments() const { return model_->segments(); }
QNetwork::Output QNetwork::forward(const ConstVectorRef<float>& theta, const Matrix<float>& input, Tape& tape) const {
  return model_->forward(theta, input, tape_of(tape));
}
void QNetwork::backward(const ConstVectorRef<float>& theta, Tape& tape, const ConstMatrixRef<float>& d_output,
                        VectorRef<float> gradient) const {
  model_->backward(theta, tape_of(tape), d_output, gradient);
}
void QNetwork::draw_noise(Tape& tape, Rng& rng) const { model_->draw_noise(tape_of(tape), rng); }
void QNetwork::silence(Tape& tape) const { model_->silence(tape_of(tape)); }

namespace {

using nn::Dense, nn::Dueling, nn::NoisyDense, nn::ReLU, nn::Sequential;

constexpr Index minatar_side = 10, minatar_cells = minatar_side * minatar_side, minatar_units = 128;

/// One or two linear layers above a torso of this width: those of the outputs, or of a value and of advantages.
template <class Layer, class Finish>
QNetwork with_linear_top(bool dueling, Index below, Index numbers, Index outputs, const Finish& finish) {
  if (dueling) return finish(Dueling(Layer(below, numbers), Layer(below, outputs)));
  return finish(Layer(below, outputs));
}

/// The same of layers with a hidden one of their own.
template <class Layer, class Finish>
QNetwork with_hidden_top(bool dueling, Index below, Index numbers, Index outputs, const Finish& finish) {
  const auto top = [&](Index out) {
    return Sequential(Layer(below, minatar_units), ReLU{}, Layer(minatar_units, out));
  };
  if (dueling) return finish(Dueling(top(numbers), top(outputs)));
  return finish(top(outputs));
}

}  // namespace

void QNetworks::describe(Settings& settings) {
  settings.add_choice("network", choice, {"mlp", "minatar", "minatar_linear"},
                      "what values are computed by: dense layers, or convolutions of MinAtar's grids");
  settings.add("hidden", hidden, "widths of the hidden layers");
  settings.only_with("network", {"mlp"});
  settings.add("dueling", dueling, "whether a value and advantages make the outputs (Wang et al. 2016)");
  settings.add("noisy", noisy, "whether the layers above the shared ones are noisy (Fortunato et al. 2018)");
}

QNetwork QNetworks::make(const Control& environment, Index numbers) const {
  const Index inputs = environment.observation_space().size(), outputs = numbers * environment.action_space().n;
  if (choice == 0) {
    std::vector<Index> widths{inputs};
    widths.insert(widths.end(), hidden.begin(), hidden.end());
    if (!dueling && !noisy) {
      widths.push_back(outputs);
      return QNetwork(nn::Mlp<>(widths));
    }
    if (hidden.empty()) throw Error("hidden", "must name a layer where the network is dueling or noisy");
    const auto finish = [&](auto top) {
      return QNetwork(Sequential(nn::Mlp<float, ReLU, ReLU>(widths), std::move(top)));
    };
    return noisy ? with_linear_top<NoisyDense<>>(dueling, hidden.back(), numbers, outputs, finish)
                 : with_linear_top<Dense<>>(dueling, hidden.back(), numbers, outputs, finish);
  }
  const char* const name = choice == 1 ? "minatar" : "minatar_linear";
  if (inputs % minatar_cells != 0)
    throw Error("network", fmt::format("{} needs grids of 10 x 10 cells: numbers of an observation", name), inputs);
  const Index channels = inputs / minatar_cells;
  if (choice == 1 && !dueling && !noisy) return QNetwork(nn::minatar_network(channels, outputs));
  if (choice == 2 && !dueling && !noisy) return QNetwork(nn::minatar_linear_network(channels, outputs));
  const nn::Convolution<> convolution(
      {minatar_side, minatar_side, channels},
      {.filters = 16, .kernel = 3, .padding = choice == 1 ? nn::Padding::Valid : nn::Padding::Same});
  const nn::Flatten<> flatten(convolution.output_image());
  const auto finish = [&](auto top) { return QNetwork(Sequential(convolution, ReLU{}, flatten, std::move(top))); };
  const Index below = flatten.outputs();
  if (choice == 1)
    return noisy ? with_hidden_top<NoisyDense<>>(dueling, below, numbers, outputs, finish)
                 : with_hidden_top<Dense<>>(dueling, below, numbers, outputs, finish);
  return noisy ? with_linear_top<NoisyDense<>>(dueling, below, numbers, outputs, finish)
               : with_linear_top<Dense<>>(dueling, below, numbers, outputs, finish);
}

}  // namespace mellow::suite
