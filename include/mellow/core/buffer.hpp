// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mellow/core/types.hpp>

namespace mellow {

/// Aligned storage that is reshaped without being reallocated: it grows to the largest shape asked of it and stays
/// there.
template <class Scalar>
class Buffer {
 public:
  using View = Eigen::Map<Matrix<Scalar>, Eigen::AlignedMax>;

  /// A rows x columns view of the storage; the content is unspecified after a change of shape.
  View reshape(Index rows, Index columns) {
    if (rows * columns > storage_.size()) storage_.resize(rows * columns);
    return {storage_.data(), rows, columns};
  }

 private:
  Vector<Scalar> storage_;
};

/// The data of a matrix whose columns lie side by side: its own, or those of a copy where it is a block of a taller
/// one.
template <class Scalar>
const Scalar* side_by_side(const ConstMatrixRef<Scalar>& matrix, Buffer<Scalar>& copy) {
  if (matrix.cols() <= 1 || matrix.outerStride() == matrix.rows()) return matrix.data();
  auto columns = copy.reshape(matrix.rows(), matrix.cols());
  columns = matrix;
  return columns.data();
}

}  // namespace mellow
