// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include <mellow/preference/absolute_losses.hpp>
#include <mellow/preference/batch_losses.hpp>
#include <mellow/preference/c2_dpo.hpp>
#include <mellow/preference/dpo.hpp>
#include <mellow/preference/f_dpo.hpp>
#include <mellow/preference/generators.hpp>
#include <mellow/preference/margin_losses.hpp>
#include <mellow/preference/pair_loss.hpp>
#include <mellow/preference/pair_objective.hpp>
#include <mellow/preference/reference_free.hpp>
#include <mellow/preference/token_loss.hpp>
#include <mellow/preference/unpaired.hpp>
#include <mellow/preference/weighed_tokens.hpp>

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
  /// NaN of a loss that holds no constraint.
  double residual(const preference::Pair& pair) const {
    return std::visit(
        [&](const auto& loss) {
          if constexpr (requires { loss.residual(pair); }) return loss.residual(pair);
          else return std::numeric_limits<double>::quiet_NaN();
        },
        chosen);
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

/// A loss that can be asked for by name.
template <class L>
struct NamedLoss {
  const char* name;
  bool has_reference = true;  ///< whether it takes log-ratios to one
  L loss{};
};

/// Those of a pair.
inline auto pair_losses() {
  using namespace preference;
  return std::tuple(
      NamedLoss<Dpo>{"dpo"}, NamedLoss<C2Dpo>{"c2_dpo"}, NamedLoss<SquaredPo>{"squared_po"}, NamedLoss<ChiPo>{"chi_po"},
      NamedLoss<FDpo<ReverseKl>>{"f_dpo_reverse_kl"}, NamedLoss<FDpo<ForwardKl>>{"f_dpo_forward_kl"},
      NamedLoss<FDpo<JensenShannon>>{"f_dpo_js"}, NamedLoss<FDpo<AlphaDivergence>>{"f_dpo_alpha"},
      NamedLoss<FDpo<SquaredHellinger>>{"f_dpo_hellinger"}, NamedLoss<FDpo<ChiSquare>>{"f_dpo_chi_square"},
      NamedLoss<Ipo>{"ipo"}, NamedLoss<LengthNormalizedIpo>{"ipo_per_token"}, NamedLoss<Hinge>{"hinge"},
      NamedLoss<ConservativeDpo>{"conservative_dpo"}, NamedLoss<RobustDpo>{"robust_dpo"},
      NamedLoss<LengthNormalizedDpo>{"dpo_per_token"}, NamedLoss<DpoPositive>{"dpo_positive"},
      NamedLoss<CalDpo>{"cal_dpo"}, NamedLoss<ExoPair>{"exo_pair"}, NamedLoss<DiscoPop>{"disco_pop"},
      NamedLoss<NcaPair>{"nca_pair"}, NamedLoss<BcoPair>{"bco_pair"}, NamedLoss<SppoHard>{"sppo_hard"},
      NamedLoss<ApoZero>{"apo_zero"}, NamedLoss<ApoDown>{"apo_down"}, NamedLoss<Rpo>{"rpo"},
      NamedLoss<Cpo>{"cpo", false}, NamedLoss<SimPo>{"simpo", false}, NamedLoss<AlphaPo>{"alpha_po", false},
      NamedLoss<Orpo>{"orpo", false}, NamedLoss<Slic>{"slic", false});
}

/// Those of single completions, of a batch and of tokens.
inline auto other_losses() {
  using namespace preference;
  return std::tuple(NamedLoss<Kto>{"kto"}, NamedLoss<ApoZeroUnpaired>{"apo_zero_unpaired"}, NamedLoss<Aot>{"aot"},
                    NamedLoss<Tdpo1>{"tdpo1"}, NamedLoss<Tdpo2>{"tdpo2"}, NamedLoss<LengthDesensitized<>>{"ld_dpo"},
                    NamedLoss<Wpo<>>{"wpo"});
}

/// What is minimised on preference pairs, chosen by name.
class PreferenceLosses {
  using Losses = decltype(std::tuple_cat(pair_losses(), other_losses()));
  static constexpr std::size_t count = std::tuple_size_v<Losses>;

  template <class... Ls>
  static AnyPairLoss<Ls...> any_of(const std::tuple<NamedLoss<Ls>...>&);
  using AnyOfPairs = decltype(any_of(pair_losses()));

 public:
  void describe(Settings& settings) {
    std::vector<std::string> known;
    for_each([&](std::size_t, const auto& named) { known.emplace_back(named.name); });
    settings.add_choice("loss", choice_, known, "what is minimised (docs/preference.md)");
    for_each([&](std::size_t, auto& named) {
      auto& loss = named.loss;
      settings.begin_alternative("loss", named.name);
      const auto number = [&](const char* called, double& value, const char* help) {
        settings.add(called, value, help);
      };
      constexpr auto strength = "strength of the penalty, scale of rewards";
      if constexpr (requires { loss.beta; }) number("beta", loss.beta, strength);
      if constexpr (requires { loss.loss.beta; }) number("beta", loss.loss.beta, strength);
      if constexpr (requires { loss.lambda; }) number("lambda", loss.lambda, "weight of the penalty");
      if constexpr (requires { loss.constraint; }) {
        settings.add_choice("constraint", constraint_, {"log", "identity"}, "what is held");
        settings.add_choice("norm", norm_, {"l2", "l1"}, "of the residual");
      }
      if constexpr (requires { loss.generator.alpha; }) number("alpha", loss.generator.alpha, "of the divergence");
      if constexpr (requires { loss.alpha; })
        number("alpha", loss.alpha, "weight of a further term, or of surplus tokens, or bend");
      if constexpr (requires { loss.gamma; }) number("gamma", loss.gamma, "margin that is asked for");
      if constexpr (requires { loss.delta; }) number("delta", loss.delta, "margin that is asked for");
      if constexpr (requires { loss.tau; }) number("tau", loss.tau, "temperature of the mixture");
      if constexpr (requires { loss.label_smoothing; })
        number("label_smoothing", loss.label_smoothing, "how often labels are wrong");
      if constexpr (requires { loss.reward_limit; })
        number("reward_limit", loss.reward_limit, "bound of a reward's size; inf: none");
      if constexpr (requires { loss.desirable_weight; }) {
        number("desirable_weight", loss.desirable_weight, "of chosen completions");
        number("undesirable_weight", loss.undesirable_weight, "of rejected completions");
      }
      if constexpr (requires { loss.unpaired; })
        settings.add("unpaired", loss.unpaired, "whether completions rather than pairs are compared");
    });
    settings.end_alternative();
  }

  /// Whether the one that is chosen takes log-ratios to a reference.
  bool has_reference() const {
    bool has = true;
    for_each([&](std::size_t i, const auto& named) { has = i == choice_ ? named.has_reference : has; });
    return has;
  }

  /// Whether its gradient for a pair depends on the batch's other pairs.
  bool couples_pairs() const {
    bool couples = false;
    visit([&]<class Loss>(const Loss&) { couples = preference::BatchLoss<Loss>; });
    return couples;
  }

  /// Calls use(loss) with the one that is chosen; those of pairs are one type.
  template <class Use>
  void visit(const Use& use) const {
    for_each([&](std::size_t i, const auto& named) {
      if (i != choice_) return;
      auto loss = named.loss;
      if constexpr (requires { loss.constraint; }) {
        loss.constraint = constraint_ == 0 ? preference::Constraint::Log : preference::Constraint::Identity;
        loss.norm = norm_ == 0 ? preference::Norm::L2 : preference::Norm::L1;
      }
      if constexpr (preference::PairLoss<decltype(loss)>)
        use(AnyOfPairs{.chosen = loss, .beta = preference::detail::reward_scale(loss)});
      else use(loss);
    });
  }

 private:
  template <class Use>
  void for_each(const Use& use) {
    visit_all(losses_, use);
  }
  template <class Use>
  void for_each(const Use& use) const {
    visit_all(losses_, use);
  }
  template <class All, class Use>
  static void visit_all(All& all, const Use& use) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (use(I, std::get<I>(all)), ...);
    }(std::make_index_sequence<count>{});
  }

  std::size_t choice_ = 0, constraint_ = 0, norm_ = 0;
  Losses losses_ = std::tuple_cat(pair_losses(), other_losses());
};

}  // namespace mellow::suite
