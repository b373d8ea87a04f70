// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/image.hpp>

namespace mellow::nn {

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of packets as template arguments, as Eigen itself does

/// Writes the transpose of a rows x columns array, in squares that fit into registers.
template <class Scalar>
void transpose(Index rows, Index columns, const Scalar* from, Scalar* to) {
  using namespace Eigen::internal;
  using Part = typename unpacket_traits<typename packet_traits<Scalar>::type>::half;
  constexpr Index side = unpacket_traits<Part>::size;
  const Index whole_rows = rows - rows % side, whole_columns = columns - columns % side;
  for (Index j = 0; j < whole_columns; j += side)
    for (Index i = 0; i < whole_rows; i += side) {
      PacketBlock<Part, side> block;
      for (Index k = 0; k < side; ++k) block.packet[k] = ploadu<Part>(from + i + (j + k) * rows);
      ptranspose(block);
      for (Index k = 0; k < side; ++k) pstoreu(to + j + (i + k) * columns, block.packet[k]);
    }
  for (Index j = 0; j < columns; ++j)
    for (Index i = j < whole_columns ? whole_rows : 0; i < rows; ++i) to[j + i * columns] = from[i + j * rows];
}

#pragma GCC diagnostic pop

}  // namespace detail

/// Puts an image into the order of PyTorch, its channels outermost: index = x + width * (y + height * channel). A layer
/// of `Sequential` without parameters.
///
/// Between convolutions and a dense layer it does what PyTorch's `Flatten` does: the weights of both networks then mean
/// the same, and the layers after it are counted alike. A network that never meets PyTorch learns as well without it.
template <class Scalar_ = float>
class Flatten {
 public:
  using Scalar = Scalar_;                           ///< of values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// What a backward pass needs: how many images there were.
  class Tape {
    friend class Flatten;
    Index batch_ = 0;
    Buffer<Scalar> value_;
  };

  /// Throws Error for an extent that is not positive.
  explicit Flatten(ImageShape image) : image_(image) {
    for (const Index extent : {image.height, image.width, image.channels})
      require(extent > 0, "nn::Flatten", "the extents of the image must be positive", extent);
  }

  Index inputs() const { return image_.size(); }        ///< numbers of an image
  Index outputs() const { return image_.size(); }       ///< the same
  Index parameters() const { return 0; }                ///< none
  ImageShape input_image() const { return image_; }     ///< how a column of the input lies
  std::vector<Segment> segments() const { return {}; }  ///< none

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass.
  Output forward(const ConstVectorRef<Scalar>&, const ConstMatrixRef<Scalar>& input, Tape& tape) const {
    assert(input.rows() == inputs());
    auto value = tape.value_.reshape(outputs(), tape.batch_ = input.cols());
    for (Index i = 0; i < tape.batch_; ++i)
      detail::transpose(image_.channels, image_.pixels(), input.col(i).data(), value.col(i).data());
    return {value.data(), outputs(), tape.batch_};
  }

  /// With `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>&, Tape& tape, const ConstMatrixRef<Scalar>& d_output, VectorRef<Scalar>,
                MatrixRef<Scalar>* d_input = nullptr) const {
    assert(d_output.rows() == outputs() && d_output.cols() == tape.batch_);
    if (d_input == nullptr) return;
    for (Index i = 0; i < tape.batch_; ++i)
      detail::transpose(image_.pixels(), image_.channels, d_output.col(i).data(), d_input->col(i).data());
  }

 private:
  ImageShape image_;
};

}  // namespace mellow::nn
