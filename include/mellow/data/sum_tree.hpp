// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <vector>

#include <mellow/core/memory.hpp>
#include <mellow/core/state.hpp>
#include <mellow/core/types.hpp>

namespace mellow::data {

/// Numbers w_0 .. w_{n-1} >= 0 in a tree of sums: changing one and finding the one at a place of the running sum take
/// O(log n). A node has eight children, which fill a cache line, and is recomputed from them, so that errors of
/// rounding do not add up over time.
class SumTree {
 public:
  /// n zeros.
  explicit SumTree(Index n) : size_(n) {
    Index width = n, places = 0;
    do {
      width = (width + fan - 1) / fan;
      begin_.push_back(places);
      places += width * fan;
    } while (width > 1);
    reset_for_random_reads(sums_, static_cast<std::size_t>(places));
  }

  SumTree() : SumTree(0) {}

  Index size() const { return size_; }                            ///< n
  double operator[](Index i) const { return sums_[slot(0, i)]; }  ///< w_i
  /// Sum of all.
  double total() const {
    double sum = 0;
    for (Index i = 0; i < fan; ++i) sum += sums_[slot(levels() - 1, i)];
    return sum;
  }

  /// w_i = weight.
  void set(Index i, double weight) {
    set(Eigen::Map<const Vector<Index>>(&i, 1), Eigen::Map<const Vector<double>>(&weight, 1));
  }

  /// Sets many, the later of equal places last. Goes up level by level, since the places are far apart: the memory
  /// answers for all of them at once.
  void set(const ConstVectorRef<Index>& places, const ConstVectorRef<double>& weights) {
    for (const Index i : places) __builtin_prefetch(&sums_[slot(0, i)], 1);
    for (Index k = 0; k < places.size(); ++k) {
      assert(places[k] >= 0 && places[k] < size_ && weights[k] >= 0);
      sums_[slot(0, places[k])] = weights[k];
    }
    for (Index level = 0; level + 1 < levels(); ++level) {
      const Index shift = fan_bits * (level + 1);  // from a leaf to its ancestor: place / fan^(level + 1)
      for (const Index i : places) __builtin_prefetch(&sums_[slot(level + 1, i >> shift)], 1);
      for (Index at = 0; at < places.size(); ++at) {
        const Index parent = places[at] >> shift;
        if (at + 1 < places.size() && places[at + 1] >> shift == parent) continue;  // the next one does it
        const double* const children = &sums_[slot(level, parent * fan)];
        double sum = 0;
        for (Index k = 0; k < fan; ++k) sum += children[k];
        sums_[slot(level + 1, parent)] = sum;
      }
    }
  }

  /// The i with w_0 + .. + w_{i-1} <= mass < w_0 + .. + w_i, for 0 <= mass < total(); never one of weight 0.
  Index find(double mass) const {
    Index found;
    find(Eigen::Map<Vector<double>>(&mass, 1), Eigen::Map<Vector<Index>>(&found, 1));
    return found;
  }

  /// Finds many, level by level; the masses are used up.
  void find(VectorRef<double> masses, VectorRef<Index> found) const {
    found.setZero();
    for (Index level = levels() - 1; level >= 0; --level) {
      for (Index k = 0; k < masses.size(); ++k) {
        const double* const children = &sums_[slot(level, found[k] * fan)];
        double mass = masses[k];
        Index child = 0;
        const auto halve = [&](double left, Index half) {  // without a branch: which half it is cannot be predicted
          const bool right = mass >= left;
          mass -= right ? left : 0.0;
          child += right ? half : 0;
        };
        halve((children[0] + children[1]) + (children[2] + children[3]), 4);
        halve(children[child] + children[child + 1], 2);
        halve(children[child], 1);
        if (children[child] == 0) {  // rounding: the last one that holds anything
          for (child = fan - 1; child > 0 && children[child] == 0;) --child;
          mass = 0;
        }
        masses[k] = mass;
        found[k] = found[k] * fan + child;
        if (level > 0) __builtin_prefetch(&sums_[slot(level - 1, found[k] * fan)]);
      }
    }
  }

  template <class Self, class Visit>
  static void visit_state(Self& self, Visit&& visit) {
    visit("sums", self.sums_);
  }

 private:
  static constexpr Index fan_bits = 3, fan = 1 << fan_bits;  ///< children of a node; `find` halves them

  Index levels() const { return static_cast<Index>(begin_.size()); }
  std::size_t slot(Index level, Index i) const {
    return static_cast<std::size_t>(begin_[static_cast<std::size_t>(level)] + i);
  }

  Index size_;
  std::vector<Index> begin_;  // where each level begins; the leaves are level 0, the last level has one node's children
  std::vector<double> sums_;
};

}  // namespace mellow::data
