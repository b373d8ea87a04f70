// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/nn/adagrad.hpp>
#include <mellow/nn/adam.hpp>
#include <mellow/nn/adamw.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/nn/radam.hpp>
#include <mellow/nn/rmsprop.hpp>
#include <mellow/nn/sgd.hpp>
#include <mellow/nn/variance_scaling.hpp>

#include "../any_part.hpp"
#include "../settings.hpp"

namespace mellow::suite {

/// How parameters move, chosen by name; for all agents that train a network.
struct Optimizers {
  using Part = AnyOptimizer<nn::Adam, nn::AdamW, nn::RAdam, nn::RMSProp, nn::Adagrad, nn::Sgd>;

  std::size_t choice = 0;
  nn::Adam adam{};
  nn::AdamW adamw{};
  nn::RAdam radam{};
  nn::RMSProp rmsprop{};
  nn::Adagrad adagrad{};
  nn::Sgd sgd{};

  void describe(Settings& settings) {
    settings.add_choice("optimizer", choice, {"adam", "adamw", "radam", "rmsprop", "adagrad", "sgd"},
                        "how a gradient changes parameters");
    const auto moments = [&](const char* name, auto& part) {
      settings.begin_alternative("optimizer", name);
      settings.add("learning_rate", part.learning_rate, "by gradient steps");
      settings.add("beta1", part.beta1, "decay of the first moment");
      settings.add("beta2", part.beta2, "decay of the second moment");
      settings.add("epsilon", part.epsilon, "added to the root");
    };
    moments("adam", adam);
    moments("adamw", adamw);
    settings.add("weight_decay", adamw.weight_decay, "decoupled from the gradient");
    moments("radam", radam);
    settings.add("threshold", radam.threshold, "of rho, above which the step is rectified");
    settings.begin_alternative("optimizer", "rmsprop");
    settings.add("learning_rate", rmsprop.learning_rate, "by gradient steps");
    settings.add("decay", rmsprop.decay, "of the means");
    settings.add("epsilon", rmsprop.epsilon, "keeps the divisor from zero");
    settings.add("momentum", rmsprop.momentum, "share of the former step that is kept");
    settings.add_choice("square", rmsprop.square, {"plain", "centred"},
                        "what the squares are taken about: zero, or the gradient's mean");
    settings.add_choice("epsilon_place", rmsprop.epsilon_place, {"outside_root", "inside_root"},
                        "where epsilon is added: to the root as in PyTorch, or under it as in TensorFlow");
    settings.add("debias", rmsprop.debias, "whether young means are divided by what they lack");
    settings.begin_alternative("optimizer", "adagrad");
    settings.add("learning_rate", adagrad.learning_rate, "by gradient steps");
    settings.add("epsilon", adagrad.epsilon, "added to the root");
    settings.begin_alternative("optimizer", "sgd");
    settings.add("learning_rate", sgd.learning_rate, "by gradient steps");
    settings.add("momentum", sgd.momentum, "share of the former step that is kept");
    settings.add_choice("form", sgd.form, {"classical", "nesterov"}, "what the momentum does to the step");
    settings.add("dampening", sgd.dampening, "share of the gradient that the momentum leaves out");
    settings.add("weight_decay", sgd.weight_decay, "of the parameters' squares, in the loss");
    settings.end_alternative();
  }

  Part part() const {
    switch (choice) {
      case 1:
        return {{.chosen = adamw}};
      case 2:
        return {{.chosen = radam}};
      case 3:
        return {{.chosen = rmsprop}};
      case 4:
        return {{.chosen = adagrad}};
      case 5:
        return {{.chosen = sgd}};
      default:
        return {{.chosen = adam}};
    }
  }
};

/// How parameters are drawn, chosen by name.
struct Initializers {
  using Part = AnyInitializer<nn::PyTorchDefault, nn::He, nn::Glorot, nn::LeCun, nn::Orthogonal>;

  std::size_t choice = 0;

  void describe(Settings& settings) {
    settings.add_choice("initializer", choice, {"pytorch", "he", "glorot", "lecun", "orthogonal"},
                        "how parameters are drawn");
  }

  Part part() const {
    switch (choice) {
      case 1:
        return {{.chosen = nn::He{}}};
      case 2:
        return {{.chosen = nn::Glorot{}}};
      case 3:
        return {{.chosen = nn::LeCun{}}};
      case 4:
        return {{.chosen = nn::Orthogonal{}}};
      default:
        return {{.chosen = nn::PyTorchDefault{}}};
    }
  }
};

}  // namespace mellow::suite
