// SPDX-License-Identifier: Apache-2.0
#pragma once

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

}  // namespace mellow::suite::ranks
