// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <type_traits>

#include <mellow/core/types.hpp>

namespace mellow {

/// Aligned storage that is reshaped without being reallocated: it grows to the largest shape asked of it and stays
/// there.
template <class Scalar>
class Buffer {
 public:
  using View = Eigen::Map<Matrix<Scalar>, Eigen::AlignedMax>;  ///< a matrix in the storage

  /// A rows x columns view of the storage; the content is unspecified after a change of shape.
  View reshape(Index rows, Index columns) {
    if (rows * columns > storage_.size()) storage_.resize(rows * columns);
    return {storage_.data(), rows, columns};
  }
  /// The storage, as large as the largest shape so far.
  Scalar* data() { return storage_.data(); }

 private:
  Vector<Scalar> storage_;
};

/// The data of a matrix as one array, column by column: its own where it lies in memory so and outlives the call, else
/// that of a copy.
template <class Scalar, class Input>
const Scalar* contiguous(Input&& matrix, Buffer<Scalar>& copy) {
  using Plain = std::remove_cvref_t<Input>;
  constexpr bool lies_in_memory = (int{Eigen::internal::traits<Plain>::Flags} & Eigen::DirectAccessBit) != 0 &&
                                  (Plain::IsVectorAtCompileTime || !Plain::IsRowMajor) &&
                                  (Plain::InnerStrideAtCompileTime == 1);
  constexpr bool is_plain = std::is_base_of_v<Eigen::PlainObjectBase<Plain>, Plain>;
  if constexpr (lies_in_memory && is_plain && std::is_lvalue_reference_v<Input>) {
    return matrix.data();
  } else {
    if constexpr (lies_in_memory && !is_plain)
      if (matrix.cols() <= 1 || matrix.outerStride() == matrix.rows()) return matrix.data();
    auto columns = copy.reshape(matrix.rows(), matrix.cols());
    columns = matrix;
    return columns.data();
  }
}

}  // namespace mellow
