// SPDX-License-Identifier: Apache-2.0
#include "ranks.hpp"

#ifdef MELLOW_HAS_MPI
#include <mellow/tools/mpi_reduction.hpp>
#endif

#include <cstdlib>

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

Index rank() { return begun() ? tools::MpiReduction{}.process() : 0; }

Index size() { return begun() ? tools::MpiReduction{}.processes() : 1; }

void wait_for_all() {
  if (begun()) MPI_Barrier(MPI_COMM_WORLD);
}

bool all(bool one) {
  int flag = one ? 1 : 0;
  if (begun()) MPI_Allreduce(MPI_IN_PLACE, &flag, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
  return flag != 0;
}

bool first_says(bool one) {
  int flag = one ? 1 : 0;
  if (begun()) MPI_Bcast(&flag, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return flag != 0;
}

void sum(std::span<float> gradient, std::span<double> figures) {
  if (begun()) tools::MpiReduction{}.sum(gradient, figures);
}

void abort() {
  if (begun()) MPI_Abort(MPI_COMM_WORLD, EXIT_FAILURE);
  std::exit(EXIT_FAILURE);
}

#else

Session::Session(int&, char**&) {}
Session::~Session() = default;
Index rank() { return 0; }
Index size() { return 1; }
void wait_for_all() {}
bool all(bool one) { return one; }
bool first_says(bool one) { return one; }
void sum(std::span<float>, std::span<double>) {}
void abort() { std::exit(EXIT_FAILURE); }

#endif

}  // namespace mellow::suite::ranks
