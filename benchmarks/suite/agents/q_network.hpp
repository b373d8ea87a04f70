// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <memory>
#include <vector>

#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>

#include "../agent.hpp"

namespace mellow::suite {

/// A network of action values that is one of several types, chosen at run time (a virtual call a batch), so that an agent
/// is compiled once for all of them; a mellow::NoisyNetwork whether or not it has noise.
class QNetwork {
  struct TapeOf;

 public:
  using Scalar = float;
  using Output = Eigen::Map<const Matrix<float>>;

  /// Of the network that it was first used with.
  class Tape {
   public:
    Tape();
    Tape(Tape&&) noexcept;
    Tape& operator=(Tape&&) noexcept;
    ~Tape();

   private:
    friend class QNetwork;
    std::unique_ptr<TapeOf> of_;
  };

  template <class N>
    requires(!std::same_as<N, QNetwork> && Network<N>)
  explicit QNetwork(N network);

  Index inputs() const;
  Index outputs() const;
  Index parameters() const;
  std::vector<Segment> segments() const;
  Output forward(const ConstVectorRef<float>& theta, const Matrix<float>& input, Tape& tape) const;
  void backward(const ConstVectorRef<float>& theta, Tape& tape, const ConstMatrixRef<float>& d_output,
                VectorRef<float> gradient) const;
  void draw_noise(Tape& tape, Rng& rng) const;
  void silence(Tape& tape) const;

 private:
  struct Model;
  template <Network N>
  struct ModelOf;

  TapeOf& tape_of(Tape& tape) const;

  std::shared_ptr<const Model> model_;
};

/// The network of a deep Q agent, chosen by name.
struct QNetworks {
  std::size_t choice = 0;             ///< mlp, minatar, minatar_linear
  std::vector<Index> hidden{64, 64};  ///< widths of an mlp's hidden layers
  bool dueling = false;               ///< whether a value and advantages make the outputs
  bool noisy = false;                 ///< whether the dense layers above the torso are noisy

  void describe(Settings& settings);
  /// For an environment of vectors and discrete actions, with `numbers` outputs an action. Throws Error where its
  /// observations are not those that the network is for.
  QNetwork make(const Control& environment, Index numbers) const;
};

}  // namespace mellow::suite
