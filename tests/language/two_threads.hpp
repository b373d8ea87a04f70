// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <barrier>
#include <span>
#include <vector>

#include <mellow/core/parts.hpp>
#include <mellow/core/types.hpp>

/// Takes the sums of two threads, as two processes would.
struct TwoThreads {
  using role = mellow::roles::Reduction;

  struct Shared {
    std::barrier<> all{2};
    std::array<mellow::Vector<double>, 2> gradients;
    std::array<std::vector<double>, 2> figures;
  };
  Shared* shared;
  mellow::Index number;

  mellow::Index processes() const { return 2; }
  mellow::Index process() const { return number; }
  void sum(mellow::VectorRef<double> gradient, std::span<double> figures) const {
    const auto own = static_cast<std::size_t>(number);
    shared->gradients[own] = gradient;
    shared->figures[own].assign(figures.begin(), figures.end());
    shared->all.arrive_and_wait();
    gradient = shared->gradients[0] + shared->gradients[1];
    for (std::size_t k = 0; k < figures.size(); ++k) figures[k] = shared->figures[0][k] + shared->figures[1][k];
    shared->all.arrive_and_wait();
  }
};
