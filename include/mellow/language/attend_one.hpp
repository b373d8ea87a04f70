// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <limits>

#include <mellow/core/gemm.hpp>
#include <mellow/core/types.hpp>

/// Attention in packets: the softmax of a column of scores, and all that a single query asks for, where packing operands
/// for a matrix product would cost more than the product.
namespace mellow::language::detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of packets as template arguments, as Eigen itself does

/// Numbers of a packet.
template <class Scalar>
inline constexpr Index lanes = Eigen::internal::packet_traits<Scalar>::size;

/// The least multiple of a packet's numbers that is not below n: columns of such a height need no scalar rests.
template <class Scalar>
constexpr Index padded(Index n) {
  return (n + lanes<Scalar> - 1) / lanes<Scalar> * lanes<Scalar>;
}

/// What `exponentiate` finds.
template <class Scalar>
struct Exponentials {
  Scalar largest;  ///< score
  Scalar sum;      ///< of what the scores became
};

/// Makes each of the first `valid` scores x of a column exp(scale (x - largest)), the others up to `height` 0. The
/// column is aligned, its height a multiple of a packet's numbers.
template <class Scalar>
Exponentials<Scalar> exponentiate(Scalar* scores, Index valid, Index height, Scalar scale) {
  using namespace Eigen::internal;
  using Packet = typename packet_traits<Scalar>::type;
  constexpr Index step = lanes<Scalar>;
  const Index whole = valid / step * step, end = padded<Scalar>(valid);
  const Packet is_valid =
      pcmp_lt(plset<Packet>(static_cast<Scalar>(whole)), pset1<Packet>(static_cast<Scalar>(valid)));  // of the last
  Packet highest = pset1<Packet>(-std::numeric_limits<Scalar>::infinity());
  if (whole < end) highest = pselect(is_valid, pload<Packet>(scores + whole), highest);
  for (Index t = 0; t < whole; t += step) highest = pmax(highest, pload<Packet>(scores + t));
  const Scalar largest = predux_max(highest);

  const Packet shift = pset1<Packet>(largest), factor = pset1<Packet>(scale);
  Packet sums = pzero(shift);
  for (Index t = 0; t < end; t += step) {
    Packet power = pexp<Packet>(pmul(psub(pload<Packet>(scores + t), shift), factor));
    if (t == whole) power = pselect(is_valid, power, pzero(power));
    pstore(scores + t, power);
    sums = padd(sums, power);
  }
  std::fill(scores + end, scores + std::max(end, height), Scalar(0));
  return {largest, predux(sums)};
}

/// scores_t = sum_c keys[t / lanes key_block + c lanes + t % lanes] query_c for t below n and some after it; `scores` is
/// aligned.
template <class Scalar>
void scores_of_one(const Scalar* query, Index width, const Scalar* keys, Index key_block, Index n, Scalar* scores) {
  using namespace Eigen::internal;
  using Packet = typename packet_traits<Scalar>::type;
  const auto blocks = [&]<int count>() {
    Packet sums[count];
    for (auto& sum : sums) sum = pzero(sum);
    for (Index c = 0; c < width; ++c) {
      const Packet factor = pset1<Packet>(query[c]);
      for (int i = 0; i < count; ++i)
        sums[i] = pmadd(pload<Packet>(keys + i * key_block + c * lanes<Scalar>), factor, sums[i]);
    }
    for (int i = 0; i < count; ++i) pstore(scores + i * lanes<Scalar>, sums[i]);
    keys += count * key_block;
    scores += count * lanes<Scalar>;
  };
  Index left = padded<Scalar>(n) / lanes<Scalar>;
  for (; left >= 4; left -= 4) blocks.template operator()<4>();
  if (left == 3) blocks.template operator()<3>();
  else if (left == 2) blocks.template operator()<2>();
  else if (left == 1) blocks.template operator()<1>();
}

/// output_c = factor sum_t weights_t values[t stride + c] for t below n and c below `width`.
template <class Scalar>
void weighted_sum(const Scalar* weights, Index n, const Scalar* values, Index stride, Index width, Scalar factor,
                  Scalar* output) {
  using namespace Eigen::internal;
  using Packet = typename packet_traits<Scalar>::type;
  constexpr int chains = 4;  // sums side by side, since each must wait for its last addition
  Index c = 0;
  for (; c + lanes<Scalar> <= width; c += lanes<Scalar>) {
    Packet sums[chains];
    for (auto& sum : sums) sum = pzero(sum);
    Index t = 0;
    for (; t + chains <= n; t += chains)
      for (int i = 0; i < chains; ++i)
        sums[i] = pmadd(ploadu<Packet>(values + (t + i) * stride + c), pset1<Packet>(weights[t + i]), sums[i]);
    for (; t < n; ++t) sums[0] = pmadd(ploadu<Packet>(values + t * stride + c), pset1<Packet>(weights[t]), sums[0]);
    pstoreu(output + c, pmul(padd(padd(sums[0], sums[1]), padd(sums[2], sums[3])), pset1<Packet>(factor)));
  }
  if (c == width) return;
  mellow::detail::Gemm<Scalar>::set(width - c, 1, n, {values + c, 1, stride}, {weights, 1, n}, {output + c, 1, width});
  for (; c < width; ++c) output[c] *= factor;
}

#pragma GCC diagnostic pop

}  // namespace mellow::language::detail
