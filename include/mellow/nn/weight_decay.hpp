// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include <mellow/nn/parameter_layout.hpp>

namespace mellow::nn {

/// Which parameters weight decay acts on. For a network the weights, not biases nor what a normalisation scales and
/// shifts by; for a mere number of parameters all. An optimiser's `state.decay` may be set to any other.
class DecayMask {
 public:
  /// Parameters begin .. end - 1.
  struct Range {
    /// @{
    /// First parameter, and the one after the last.
    Index begin, end;
    /// @}
  };

  DecayMask() = default;
  /// Those of the ranges, which are in order and do not overlap.
  explicit DecayMask(std::vector<Range> ranges) : ranges_(std::move(ranges)) {}
  /// Those that decay by default.
  explicit DecayMask(const ParameterLayout& layout) {
    if (layout.segments.empty()) ranges_.push_back({0, layout.size});
    for (const Segment& segment : layout.segments)
      if (segment.kind == Segment::Kind::Weight) ranges_.push_back({segment.offset, segment.offset + segment.size()});
  }

  const std::vector<Range>& ranges() const { return ranges_; }  ///< what decays, in order

  /// Calls body(at, count) for each stretch of decaying parameters within begin .. begin + n - 1.
  template <class Body>
  void for_each_within(Index begin, Index n, const Body& body) const {
    const Index end = begin + n;
    auto range = std::ranges::upper_bound(ranges_, begin, {}, &Range::end);
    for (; range != ranges_.end() && range->begin < end; ++range) {
      const Index at = std::max(begin, range->begin);
      body(at, std::min(end, range->end) - at);
    }
  }

 private:
  std::vector<Range> ranges_;
};

}  // namespace mellow::nn
