// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <mellow/preference/absolute_losses.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/generators.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/pair_loss.hpp>
#include <mellow/preference/reference_free.hpp>

#include "../settings.hpp"

namespace mellow::suite {

/// A loss of pairs that is one of several, chosen at run time. Loops over pairs are those of the loss that it holds.
template <preference::PairLoss... Ls>
struct AnyPairLoss {
  std::variant<Ls...> chosen{};
  double beta = 1.0;  ///< of the rewards that metrics report: the loss's

  void validate() const {
    std::visit([](const auto& loss) { preference::detail::validate_loss(loss); }, chosen);
  }
  bool clips(const preference::Pair& pair) const {
    return std::visit([&](const auto& loss) { return preference::detail::clips(loss, pair); }, chosen);
  }
  preference::PairTerm operator()(const preference::Pair& pair) const {
    return std::visit([&](const auto& loss) { return loss(pair); }, chosen);
  }
  template <class Use>
  void specialised(const Use& use) const {
    std::visit(
        [&](const auto& loss) {
          if constexpr (requires { loss.specialised(use); }) loss.specialised(use);
          else use(loss);
        },
        chosen);
  }
};

/// What is minimised on preference pairs, chosen by name.
class PreferenceLosses {
  template <class... Ls>
  struct List {
    using Any = AnyPairLoss<Ls...>;
    std::tuple<Ls...> all;
  };
  template <class G>
  using F = preference::FDpo<G>;
  using Losses =
      List<preference::Dpo, preference::C2Dpo, preference::SquaredPo, preference::ChiPo, F<preference::ReverseKl>,
           F<preference::ForwardKl>, F<preference::JensenShannon>, F<preference::AlphaDivergence>,
           F<preference::SquaredHellinger>, F<preference::ChiSquare>, preference::Ipo, preference::LengthNormalizedIpo,
           preference::Hinge, preference::ConservativeDpo, preference::RobustDpo, preference::LengthNormalizedDpo,
           preference::DpoPositive, preference::CalDpo, preference::ExoPair, preference::DiscoPop, preference::NcaPair,
           preference::BcoPair, preference::SppoHard, preference::ApoZero, preference::ApoDown, preference::Rpo,
           preference::Cpo, preference::SimPo, preference::AlphaPo, preference::Orpo, preference::Slic>;
  static constexpr std::size_t count = std::tuple_size_v<decltype(Losses::all)>;

  /// In the order above; what a plus stands before has no reference.
  static constexpr const char* names[count] = {"dpo",
                                               "c2_dpo",
                                               "squared_po",
                                               "chi_po",
                                               "f_dpo_reverse_kl",
                                               "f_dpo_forward_kl",
                                               "f_dpo_js",
                                               "f_dpo_alpha",
                                               "f_dpo_hellinger",
                                               "f_dpo_chi_square",
                                               "ipo",
                                               "ipo_per_token",
                                               "hinge",
                                               "conservative_dpo",
                                               "robust_dpo",
                                               "dpo_per_token",
                                               "dpo_positive",
                                               "cal_dpo",
                                               "exo_pair",
                                               "disco_pop",
                                               "nca_pair",
                                               "bco_pair",
                                               "sppo_hard",
                                               "apo_zero",
                                               "apo_down",
                                               "rpo",
                                               "+cpo",
                                               "+simpo",
                                               "+alpha_po",
                                               "+orpo",
                                               "+slic"};
  static std::string name(std::size_t i) { return names[i] + (names[i][0] == '+' ? 1 : 0); }

 public:
  using Any = Losses::Any;

  void describe(Settings& settings) {
    std::vector<std::string> known;
    for (std::size_t i = 0; i < count; ++i) known.push_back(name(i));
    settings.add_choice("loss", choice_, known, "what is minimised (docs/preference.md)");
    for_each([&](std::size_t i, auto& loss) {
      settings.begin_alternative("loss", name(i));
      const auto number = [&](const char* called, double& value, const char* help) {
        settings.add(called, value, help);
      };
      if constexpr (requires { loss.beta; }) number("beta", loss.beta, "strength of the penalty, scale of rewards");
      if constexpr (requires { loss.lambda; }) number("lambda", loss.lambda, "weight of the penalty");
      if constexpr (requires { loss.constraint; }) {
        settings.add_choice("constraint", constraint_, {"log", "identity"}, "what is held");
        settings.add_choice("norm", norm_, {"l2", "l1"}, "of the residual");
      }
      if constexpr (requires { loss.generator.alpha; }) number("alpha", loss.generator.alpha, "of the divergence");
      if constexpr (requires { loss.alpha; }) number("alpha", loss.alpha, "weight of the likelihood, or bend");
      if constexpr (requires { loss.gamma; }) number("gamma", loss.gamma, "margin that is asked for");
      if constexpr (requires { loss.delta; }) number("delta", loss.delta, "margin that is asked for");
      if constexpr (requires { loss.tau; }) number("tau", loss.tau, "temperature of the mixture");
      if constexpr (requires { loss.label_smoothing; })
        number("label_smoothing", loss.label_smoothing, "how often labels are wrong");
      if constexpr (requires { loss.reward_limit; })
        number("reward_limit", loss.reward_limit, "bound of a reward's size; inf: none");
    });
    settings.end_alternative();
  }

  /// Whether the one that is chosen takes log-ratios to a reference.
  bool has_reference() const { return names[choice_][0] != '+'; }

  /// The one that is chosen.
  Any loss() const {
    Any made;
    auto mine = *this;
    mine.for_each([&](std::size_t i, auto& loss) {
      if (i != choice_) return;
      if constexpr (requires { loss.constraint; }) {
        loss.constraint = constraint_ == 0 ? preference::Constraint::Log : preference::Constraint::Identity;
        loss.norm = norm_ == 0 ? preference::Norm::L2 : preference::Norm::L1;
      }
      made.chosen = loss;
      made.beta = preference::detail::reward_scale(loss);
    });
    return made;
  }

 private:
  template <class Use>
  void for_each(const Use& use) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (use(I, std::get<I>(losses_.all)), ...);
    }(std::make_index_sequence<count>{});
  }

  std::size_t choice_ = 0, constraint_ = 0, norm_ = 0;
  Losses losses_{};
};

}  // namespace mellow::suite
