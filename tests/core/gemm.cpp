// SPDX-License-Identifier: Apache-2.0
#include <mellow/core/gemm.hpp>

#include "support/catch.hpp"

using namespace mellow;

namespace {
template <class Scalar>
void expect_products(Index m, Index n, Index k, Scalar tolerance) {
  using RowMajor = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Matrix<Scalar> a = Matrix<Scalar>::Random(m, k), b = Matrix<Scalar>::Random(k, n),
                       start = Matrix<Scalar>::Random(m, n);
  const RowMajor a_rows = a, b_rows = b;
  const Matrix<Scalar> expected = start + a.lazyProduct(b);  // coefficient by coefficient
  const auto check = [&](const auto& left, const auto& right) {
    Matrix<Scalar> c = start;
    add_product(c, left, right);
    CHECK((c - expected).cwiseAbs().maxCoeff() <= tolerance * static_cast<Scalar>(k));
    RowMajor rows = start;
    add_product(rows, left, right);
    CHECK((rows - expected).cwiseAbs().maxCoeff() <= tolerance * static_cast<Scalar>(k));
  };
  check(a, b);
  check(a_rows, b);
  check(a, b_rows);
  check(a_rows, b_rows);
}
}  // namespace

TEST_CASE("add_product agrees with the definition for every shape and layout") {
  const Index sizes[] = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 48, 64, 65};
  for (const Index m : sizes)
    for (const Index n : sizes)
      for (const Index k : {1, 3, 4, 16, 63, 64, 130}) {
        expect_products<float>(m, n, k, 1e-6f);
        expect_products<double>(m, n, k, 1e-15);
      }
  expect_products<float>(257, 100, 300, 1e-6f);
}

TEST_CASE("add_product adds to a block of a matrix and leaves the rest alone") {
  Matrix<float> all = Matrix<float>::Ones(10, 12);
  const Matrix<float> a = Matrix<float>::Random(5, 3), b = Matrix<float>::Random(3, 7);
  add_product(all.block(2, 3, 5, 7), a, b);
  Matrix<float> expected = Matrix<float>::Ones(10, 12);
  expected.block(2, 3, 5, 7) += a * b;
  CHECK((all - expected).cwiseAbs().maxCoeff() < 1e-6f);
}

TEST_CASE("A bias comes to each column, for every shape, on top of what is there or in its place") {
  using Gemm = detail::Gemm<double>;
  for (const Index m : {1, 2, 3, 7, 8, 16, 33, 64, 65})
    for (const Index n : {1, 2, 5, 16, 33, 70})
      for (const Index k : {1, 16, 64, 130}) {
        CAPTURE(m, n, k);
        const Matrix<double> a = Matrix<double>::Random(k, m), b = Matrix<double>::Random(k, n),
                             start = Matrix<double>::Random(m, n);
        const Vector<double> bias = Vector<double>::Random(m);
        const Matrix<double> product = (a.transpose().lazyProduct(b)).colwise() + bias;
        for (const bool overwrite : {false, true}) {
          Matrix<double> c = start;
          Gemm::add(m, n, k, {a.data(), k, 1}, {b.data(), 1, k}, {c.data(), 1, m, overwrite, bias.data()});
          const Matrix<double> expected = overwrite ? product : product + start;
          CHECK((c - expected).cwiseAbs().maxCoeff() <= 1e-14 * static_cast<double>(k));
        }
      }
}

TEST_CASE("Nothing is added for an empty depth") {
  Matrix<float> c = Matrix<float>::Ones(3, 3);
  add_product(c, Matrix<float>(3, 0), Matrix<float>(0, 3));
  CHECK(c == Matrix<float>::Ones(3, 3));
}
