// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/core/types.hpp>

/// Attention's two products for a single query, where packing operands for a matrix product would cost more than the
/// product.
namespace mellow::language::detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of packets as template arguments, as Eigen itself does

/// scores_t = sum_c keys[c step + t] query_c for t below `height`, a multiple of a packet's numbers; `scores` is aligned.
template <class Scalar>
void scores_of_one(const Scalar* query, Index width, const Scalar* keys, Index step, Index height, Scalar* scores) {
  using namespace Eigen::internal;
  using Packet = typename packet_traits<Scalar>::type;
  constexpr Index lanes = unpacket_traits<Packet>::size;
  const auto packets = [&]<int count>(Index t) {
    Packet sums[count];
    for (auto& sum : sums) sum = pzero(sum);
    for (Index c = 0; c < width; ++c) {
      const Packet factor = pset1<Packet>(query[c]);
      for (int i = 0; i < count; ++i) sums[i] = pmadd(ploadu<Packet>(keys + c * step + t + i * lanes), factor, sums[i]);
    }
    for (int i = 0; i < count; ++i) pstore(scores + t + i * lanes, sums[i]);
  };
  Index t = 0;
  for (; t + 4 * lanes <= height; t += 4 * lanes) packets.template operator()<4>(t);
  if (t + 2 * lanes <= height) packets.template operator()<2>(t), t += 2 * lanes;
  if (t < height) packets.template operator()<1>(t);
}

/// output_c = sum_t weights_t values[t stride + c] for t below n and c below `width`, a multiple of a packet's numbers.
template <class Scalar>
void weighted_sum(const Scalar* weights, Index n, const Scalar* values, Index stride, Index width, Scalar* output) {
  using namespace Eigen::internal;
  using Packet = typename packet_traits<Scalar>::type;
  constexpr Index lanes = unpacket_traits<Packet>::size;
  constexpr int chains = 4;  // sums side by side, since each must wait for its last addition
  for (Index c = 0; c < width; c += lanes) {
    Packet sums[chains];
    for (auto& sum : sums) sum = pzero(sum);
    Index t = 0;
    for (; t + chains <= n; t += chains)
      for (int i = 0; i < chains; ++i)
        sums[i] = pmadd(ploadu<Packet>(values + (t + i) * stride + c), pset1<Packet>(weights[t + i]), sums[i]);
    for (; t < n; ++t) sums[0] = pmadd(ploadu<Packet>(values + t * stride + c), pset1<Packet>(weights[t]), sums[0]);
    pstoreu(output + c, padd(padd(sums[0], sums[1]), padd(sums[2], sums[3])));
  }
}

#pragma GCC diagnostic pop

}  // namespace mellow::language::detail
