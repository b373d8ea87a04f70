// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cassert>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/gemm.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/image.hpp>
#include <mellow/nn/patches.hpp>

namespace mellow::nn {

/// The numbers of a `Convolution`.
struct ConvolutionOptions {
  Index filters = 16;                ///< channels of the output, > 0
  Extent kernel = 3;                 ///< height and width, or one number for both; no larger than the padded image
  Extent stride = 1;                 ///< pixels from place to place, down and across
  Padding padding = Padding::Valid;  ///< see Padding
};

/// A two-dimensional convolution, a layer of `Sequential` over images that lie as `ImageShape` says:
///
///     y(f, x, y) = b(f) + sum_{c, i, j} W(f, c, j, i) input(c, x stride + i, y stride + j)
///
///     nn::Sequential network(nn::Convolution({10, 10, 4}, {.filters = 16}), nn::ReLU{}, nn::Flatten({8, 8, 16}),
///                            nn::Dense(1024, 6));
///
/// Parameters "weight" (filters x channels x kernel height x kernel width) and "bias" lie as those of PyTorch's
/// `Conv2d`, so that its state_dict comes and goes as it is; images do not (`Flatten` turns one into PyTorch's order).
/// One matrix product does all patches of a batch; the tape keeps them, of (kernel height x kernel width x channels)
/// numbers a pixel of the output.
template <class Scalar_ = float>
class Convolution {
  using Gemm = mellow::detail::Gemm<Scalar_>;

 public:
  using Scalar = Scalar_;                           ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;  ///< what `forward` gives: a view

  /// What a backward pass needs: the patches, and the kernel in their order.
  class Tape {
    friend class Convolution;
    Index batch_ = 0;
    Buffer<Scalar> patches_, kernel_, value_, padded_;                        // of all images but `padded_`, of one
    Buffer<Scalar> d_patches_, d_kernel_, d_bias_of_places_, d_output_copy_;  // `d_patches_` of one
  };

  /// Throws Error for an image or an option that is not positive, or a kernel larger than the padded image.
  explicit Convolution(ImageShape input, ConvolutionOptions options = {})
      : patches_(checked(input, options), options.kernel, options.stride, options.padding), filters_(options.filters) {}

  Index inputs() const { return patches_.image.size(); }                  ///< numbers of an image
  Index outputs() const { return patches_.count() * filters_; }           ///< numbers of an image of the output
  Index parameters() const { return filters_ * (inputs_of_unit() + 1); }  ///< length of theta
  ImageShape input_image() const { return patches_.image; }               ///< how a column of the input lies
  ImageShape output_image() const { return {patches_.rows, patches_.columns, filters_}; }  ///< and one of the output

  /// The named pieces of theta.
  std::vector<Segment> segments() const {
    const Index in = inputs_of_unit();
    return {{"weight",
             {filters_, patches_.image.channels, patches_.kernel.height, patches_.kernel.width},
             0,
             in,
             Segment::Kind::Weight},
            {"bias", {filters_}, filters_ * in, in, Segment::Kind::Bias}};
  }

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass.
  Output forward(const ConstVectorRef<Scalar>& theta, const ConstMatrixRef<Scalar>& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == inputs());
    const Index batch = tape.batch_ = input.cols(), length = inputs_of_unit(), places = patches_.count();
    Scalar* const kernel = tape.kernel_.reshape(filters_, length).data();
    for_weights([&](Index ours, Index theirs) { kernel[ours] = theta[theirs]; });
    if (patches_.pads()) tape.padded_.reshape(patches_.padded.size(), 1).setZero();
    Scalar* const patches = tape.patches_.reshape(length, places * batch).data();
    for (Index i = 0; i < batch; ++i)
      patches_.gather(input.col(i).data(), tape.padded_.data(), patches + i * length * places);
    Scalar* const value = tape.value_.reshape(outputs(), batch).data();
    Gemm::add(filters_, places * batch, length, {kernel, 1, filters_}, {patches, 1, length},
              {value, 1, filters_, true, theta.data() + filters_ * length});
    return {value, outputs(), batch};
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const;

 private:
  static const ImageShape& checked(const ImageShape& input, const ConvolutionOptions& options) {
    constexpr auto where = "nn::Convolution";
    for (const Index extent : {input.height, input.width, input.channels})
      require(extent > 0, where, "the extents of the image must be positive", extent);
    require(options.filters > 0, where, "filters must be positive", options.filters);
    for (const Index extent : {options.kernel.height, options.kernel.width})
      require(extent > 0, where, "the extents of the kernel must be positive", extent);
    for (const Index step : {options.stride.height, options.stride.width})
      require(step > 0, where, "the strides must be positive", step);
    if (options.padding == Padding::Valid) {
      require(options.kernel.height <= input.height, where,
              fmt::format("without padding the kernel must be no higher than the image, {}", input.height),
              options.kernel.height);
      require(options.kernel.width <= input.width, where,
              fmt::format("without padding the kernel must be no wider than the image, {}", input.width),
              options.kernel.width);
    }
    return input;
  }

  Index inputs_of_unit() const { return patches_.length(); }

  /// Calls body(ours, theirs) with the place of every weight in a filters x length matrix in the order of patches, by
  /// which the product goes, and in theta.
  template <class Body>
  void for_weights(const Body& body) const {
    const Index channels = patches_.image.channels, area = patches_.kernel.height * patches_.kernel.width;
    for (Index filter = 0; filter < filters_; ++filter)
      for (Index channel = 0; channel < channels; ++channel)
        for (Index place = 0; place < area; ++place)
          body(filter + filters_ * (channel + channels * place), (filter * channels + channel) * area + place);
  }

  detail::Patches patches_;
  Index filters_;
};

template <class Scalar>
void Convolution<Scalar>::backward(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                   const ConstMatrixRef<Scalar>& d_output, VectorRef<Scalar> gradient,
                                   MatrixRef<Scalar>* d_input) const {
  const Index batch = tape.batch_, length = inputs_of_unit(), places = patches_.count();
  assert(theta.size() == parameters() && d_output.rows() == outputs() && d_output.cols() == batch &&
         gradient.size() == parameters());
  static_cast<void>(theta);  // the tape has the kernel as the products want it
  const Scalar* const delta = contiguous(d_output, tape.d_output_copy_);
  Scalar* const d_kernel = tape.d_kernel_.reshape(filters_, length).data();
  Gemm::set(filters_, length, places * batch, {delta, 1, filters_}, {tape.patches_.data(), length, 1},
            {d_kernel, 1, filters_});
  for_weights([&](Index ours, Index theirs) { gradient[theirs] += d_kernel[ours]; });

  auto of_places = tape.d_bias_of_places_.reshape(outputs(), 1);  // first over the batch: longer columns, fewer loops
  of_places = d_output.col(0);
  for (Index i = 1; i < batch; ++i) of_places += d_output.col(i);
  auto d_bias = gradient.tail(filters_);
  for (Index place = 0; place < places; ++place) d_bias += of_places.middleRows(place * filters_, filters_);

  if (d_input == nullptr) return;
  const Scalar* const kernel = tape.kernel_.data();
  Scalar* const d_patches = tape.d_patches_.reshape(length, places).data();
  if (patches_.pads()) tape.padded_.reshape(patches_.padded.size(), 1);
  for (Index i = 0; i < batch; ++i) {
    Gemm::set(length, places, filters_, {kernel, filters_, 1}, {delta + i * outputs(), 1, filters_},
              {d_patches, 1, length});
    patches_.scatter(d_patches, tape.padded_.data(), d_input->col(i).data());
  }
}

}  // namespace mellow::nn
