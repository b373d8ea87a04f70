// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <mellow/core/types.hpp>
#include <mellow/language/attention.hpp>

namespace mellow::language::detail {

/// Attention within each of some sequences, whose queries, keys and values lie one below the other, in a column a token.
template <class Scalar, class Positions>
struct SequenceAttention {
  using Columns = Attention::Columns<Scalar>;
  using ConstColumns = Attention::Columns<const Scalar>;

  const Attention& attention;
  const Positions& positions;  // which may turn queries and keys

  /// The turn of a query and the key below it.
  void turn(Scalar* projections, Index position) const {
    if constexpr (Positions::turns) positions.turn(projections, attention.heads() + attention.key_heads(), position);
  }

  /// Turns and attends. Sequence s begins at column starts[s] - starts[0], the last of these is the end.
  void forward(std::span<const Index> starts, Columns projections, Columns attended, Scalar* log_sums,
               Attention::Workspace<Scalar>& workspace) const {
    for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
      const Index at = starts[s] - starts[0], length = starts[s + 1] - starts[s];
      const Columns own = projections.from(0, at);
      for (Index i = 0; i < length; ++i) turn(own.from(0, i).data, i);
      const ConstColumns queries{own.data, own.stride}, keys = queries.from(attention.query_rows(), 0);
      attention.forward<Scalar>(queries, length, keys, keys.from(attention.key_rows(), 0), attended.from(0, at),
                                log_sums + at * attention.heads(), workspace);
    }
  }

  /// Writes the derivatives by the projections as they were before they were turned.
  void backward(std::span<const Index> starts, ConstColumns projections, const Scalar* log_sums,
                ConstColumns d_attended, Columns d_projections, Attention::Workspace<Scalar>& workspace) const {
    for (std::size_t s = 0; s + 1 < starts.size(); ++s) {
      const Index at = starts[s] - starts[0], length = starts[s + 1] - starts[s];
      const ConstColumns own = projections.from(0, at);
      const Columns d_own = d_projections.from(0, at);
      attention.backward<Scalar>(own, length, own.from(attention.query_rows(), 0), log_sums + at * attention.heads(),
                                 d_attended.from(0, at), d_own, d_own.from(attention.query_rows(), 0), workspace);
      if constexpr (Positions::turns)
        for (Index i = 0; i < length; ++i)
          positions.turn_back(d_own.from(0, i).data, attention.heads() + attention.key_heads(), i);
    }
  }
};

}  // namespace mellow::language::detail
