// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Eigen/Core>

#include <type_traits>

namespace mellow {

using Eigen::Index;

/// A dynamic column vector. Parameters, gradients, single observations.
template <class Scalar = float>
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

/// A dynamic column-major matrix. Batches are `features x batch`: one column a sample.
template <class Scalar = float>
using Matrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic>;

/// @{
/// Views of vectors and matrices that live elsewhere; any contiguous column or block binds without a copy.
/// A template never deduces `Scalar` from one of these (std::type_identity), so that vectors, maps and columns convert
/// to them.
template <class Scalar = float>
using VectorRef = std::type_identity_t<Eigen::Ref<Vector<Scalar>>>;
template <class Scalar = float>
using ConstVectorRef = std::type_identity_t<Eigen::Ref<const Vector<Scalar>>>;
template <class Scalar = float>
using MatrixRef = std::type_identity_t<Eigen::Ref<Matrix<Scalar>>>;
template <class Scalar = float>
using ConstMatrixRef = std::type_identity_t<Eigen::Ref<const Matrix<Scalar>>>;
/// @}

}  // namespace mellow
