// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <mellow/core/error.hpp>
#include <mellow/core/types.hpp>

namespace mellow::value {

/// The numbers of a deep Q agent; its parts carry their own.
struct DqnOptions {
  double discount = 0.99;           ///< of the next state's value, in [0, 1]
  Index batch_size = 64;            ///< transitions an update, > 0
  Index learning_starts = 1'000;    ///< transitions observed before the first update, >= 0
  Index update_every = 1;           ///< transitions between learning, > 0
  Index updates = 1;                ///< gradient steps each time it learns, > 0
  double max_gradient_norm = 10.0;  ///< longer gradients are scaled down to it, > 0; infinity leaves them alone
  std::uint64_t seed = 0;           ///< of the initial parameters

  /// Throws Error for a number out of range.
  void validate() const {
    constexpr auto where = "value::Dqn";
    require(discount >= 0 && discount <= 1, where, "discount must lie in [0, 1]", discount);
    require(batch_size > 0, where, "batch_size must be positive", batch_size);
    require(learning_starts >= 0, where, "learning_starts must not be negative", learning_starts);
    require(update_every > 0, where, "update_every must be positive", update_every);
    require(updates > 0, where, "updates must be positive", updates);
    require(max_gradient_norm > 0, where, "max_gradient_norm must be positive", max_gradient_norm);
  }
};

}  // namespace mellow::value
