// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

/// The processes that `mpirun` started, where the suite was built with MPI; else one.
namespace mellow::suite::ranks {

/// Whether the suite was built with MPI.
inline constexpr bool with_mpi =
#ifdef MELLOW_HAS_MPI
    true;
#else
    false;
#endif

/// Begins and ends what MPI needs, under `mpirun`; made once, in main.
class Session {
 public:
  Session(int& argc, char**& argv);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();
};

Index rank();         ///< of this process, from 0
Index size();         ///< how many there are
void wait_for_all();  ///< returns when all ranks have come here

/// @{
/// Of all ranks together, which all must call it.
bool all(bool one);                                              ///< whether it is true for all
bool first_says(bool one);                                       ///< what the first rank says
void sum(std::span<float> gradient, std::span<double> figures);  ///< both become their sums
/// @}

/// Ends all ranks, where one cannot go on with what they do together.
[[noreturn]] void abort();

/// The ranks as processes that train one model: a part for roles::Reduction.
struct Reduction {
  using role = roles::Reduction;
  bool shared = false;  ///< whether they do; otherwise each trains its own

  Index processes() const { return shared ? size() : 1; }
  Index process() const { return shared ? rank() : 0; }
  template <class Gradient>
  void sum(Gradient&& gradient, std::span<double> figures) const {
    if (shared) ranks::sum(std::span(gradient.data(), static_cast<std::size_t>(gradient.size())), figures);
  }
};

}  // namespace mellow::suite::ranks
