// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>

#include <mellow/language/attention.hpp>
#include <mellow/language/key_value_cache.hpp>

#include "support/catch.hpp"

using namespace mellow;
using language::Attention;

namespace {

/// The last query's output, coefficient by coefficient.
template <class Scalar>
Vector<Scalar> by_definition(const Matrix<Scalar>& projections, Index heads, Index key_value_heads, Index width) {
  const Index n = projections.cols(), keys_at = heads * width, values_at = keys_at + key_value_heads * width;
  Vector<Scalar> output(heads * width);
  for (Index h = 0; h < heads; ++h) {
    const Index own = h / (heads / key_value_heads) * width;
    const Vector<Scalar> scores = projections.middleRows(keys_at + own, width)
                                      .transpose()
                                      .lazyProduct(projections.col(n - 1).segment(h * width, width)) /
                                  std::sqrt(static_cast<Scalar>(width));
    const Vector<Scalar> p = (scores.array() - scores.maxCoeff()).exp();
    output.segment(h * width, width) = projections.middleRows(values_at + own, width).lazyProduct(p) / p.sum();
  }
  return output;
}

template <class Scalar>
void expect_attention(Index n, Index heads, Index key_value_heads, Index width, Scalar tolerance) {
  CAPTURE(n, heads, key_value_heads, width);
  const Attention attention(heads, key_value_heads, width);
  const Matrix<Scalar> projections = Matrix<Scalar>::Random(attention.query_rows() + 2 * attention.key_rows(), n);
  const Vector<Scalar> expected = by_definition(projections, heads, key_value_heads, width);
  Attention::Workspace<Scalar> workspace;

  Matrix<Scalar> outputs(attention.query_rows(), n);
  const Attention::Columns<const Scalar> queries{projections.data(), projections.rows()};
  const auto keys = queries.from(attention.query_rows(), 0);
  attention.forward<Scalar>(queries, n, keys, keys.from(attention.key_rows(), 0), {outputs.data(), outputs.rows()},
                            nullptr, workspace);
  CHECK((outputs.col(n - 1) - expected).cwiseAbs().maxCoeff() <= tolerance);

  language::KeyValueCache<Scalar> cache(2, n, 1, attention.key_rows());
  const auto cached = cache.tokens(0, 1);
  std::fill_n(cached.keys, language::detail::padded<Scalar>(n) * attention.key_rows(),
              std::numeric_limits<Scalar>::quiet_NaN());  // what was never stored must not be read
  for (Index t = 0; t < n; ++t) cache.store(0, 1, t, projections.col(t).data() + attention.query_rows());
  Vector<Scalar> output(attention.query_rows());
  attention.forward_one<Scalar>(projections.col(n - 1).data(), cached, n, output.data(), workspace);
  CHECK((output - expected).cwiseAbs().maxCoeff() <= tolerance);
}

}  // namespace

// discounted_reasoning.md, section 5.4
TEST_CASE("Attention of sequences, and of one query over a cache, is its definition for every length and width") {
  for (const Index n : {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 47, 48, 63, 64, 65, 81, 130})
    for (const Index width : {2, 4, 6, 8, 12, 16, 20, 32, 33}) {
      expect_attention<double>(n, 2, 1, width, 1e-14);
      expect_attention<float>(n, 3, 3, width, 2e-6f);
    }
}

TEST_CASE("Scores of any size become weights without overflow; what is masked counts nothing") {
  using language::detail::exponentiate;
  alignas(64) float scores[48] = {3e38f, -3e38f, 3e38f, 0.0f};
  for (Index t = 4; t < 48; ++t) scores[t] = std::numeric_limits<float>::quiet_NaN();
  const auto [largest, sum] = exponentiate(scores, Index{4}, Index{48}, 0.25f);
  CHECK(largest == 3e38f);
  CHECK(sum == 2.0f);
  CHECK(scores[0] == 1.0f);
  CHECK(scores[2] == 1.0f);
  for (Index t = 4; t < 48; ++t) CHECK(scores[t] == 0.0f);
  CHECK(scores[1] <= 1e-37f);
}
