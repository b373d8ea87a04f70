// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <mpi.h>
#include <span>
#include <type_traits>

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

namespace mellow::tools {

/// Replaces numbers by their sums over the processes of a communicator, which all must call it with as many. All get the
/// same bits. `Scalar` is float or double.
template <class Scalar>
void sum_over_processes(std::span<Scalar> numbers, MPI_Comm communicator = MPI_COMM_WORLD) {
  static_assert(std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>);
  const MPI_Datatype type = std::is_same_v<Scalar, float> ? MPI_FLOAT : MPI_DOUBLE;
  constexpr std::size_t most = std::size_t{1} << 30;  // MPI counts in int
  for (; !numbers.empty(); numbers = numbers.subspan(std::min(most, numbers.size())))
    MPI_Allreduce(MPI_IN_PLACE, numbers.data(), static_cast<int>(std::min(most, numbers.size())), type, MPI_SUM,
                  communicator);
}

/// How the processes of `mpirun` train one language model: each works on a part of every batch, and the gradients are
/// summed, so that all take the step of the whole batch, to rounding. A part for roles::Reduction:
///
///     MPI_Init(&argc, &argv);
///     language::Supervised learner(model, theta, data, held_out, {.batch = 64}, tools::MpiReduction{});
///
/// Model, parameters, data and seed must be the same in all processes. One alone should record and make checkpoints. The
/// one header that needs MPI (libopenmpi-dev, target MPI::MPI_CXX): nothing else includes it.
struct MpiReduction {
  using role = roles::Reduction;
  MPI_Comm communicator = MPI_COMM_WORLD;  ///< whose processes share the work

  /// There are.
  Index processes() const {
    int size = 1;
    MPI_Comm_size(communicator, &size);
    return size;
  }
  /// This one's number.
  Index process() const {
    int rank = 0;
    MPI_Comm_rank(communicator, &rank);
    return rank;
  }
  /// Replaces gradient and figures by their sums.
  template <class Gradient>
  void sum(Gradient&& gradient, std::span<double> figures) const {
    sum_over_processes(std::span(gradient.data(), static_cast<std::size_t>(gradient.size())), communicator);
    sum_over_processes(figures, communicator);
  }
};

}  // namespace mellow::tools
