// SPDX-License-Identifier: Apache-2.0
#include "ranks.hpp"

#ifdef MELLOW_HAS_MPI
#include <cstdlib>
#include <mpi.h>
#endif

namespace mellow::suite::ranks {

#ifdef MELLOW_HAS_MPI

namespace {

bool begun() {
  int flag = 0;
  MPI_Initialized(&flag);
  return flag != 0;
}

}  // namespace

Session::Session(int& argc, char**& argv) {
  const auto set = [](const char* name) { return std::getenv(name) != nullptr; };
  if (!set("OMPI_COMM_WORLD_SIZE") && !set("PMI_SIZE") && !set("PMIX_RANK")) return;  // nobody's mpirun; it takes 0.5 s
  int provided = 0;  // threads run the agents, the main thread alone calls MPI
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
}

Session::~Session() {
  if (begun()) MPI_Finalize();
}

Index rank() {
  int rank = 0;
  if (begun()) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

Index size() {
  int size = 1;
  if (begun()) MPI_Comm_size(MPI_COMM_WORLD, &size);
  return size;
}

void wait_for_all() {
  if (begun()) MPI_Barrier(MPI_COMM_WORLD);
}

#else

Session::Session(int&, char**&) {}
Session::~Session() = default;
Index rank() { return 0; }
Index size() { return 1; }
void wait_for_all() {}

#endif

}  // namespace mellow::suite::ranks
