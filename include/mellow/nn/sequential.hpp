// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include <mellow/core/buffer.hpp>
#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/core/types.hpp>
#include <mellow/nn/dense.hpp>
#include <mellow/nn/image.hpp>
#include <mellow/nn/layer.hpp>

namespace mellow::nn {

/// Layers one after the other, without a virtual call: `Dense`, `Convolution`, `LayerNorm`, activations, and any network
/// (an Mlp, a Sequential).
///
///     nn::Sequential network(nn::Dense(4, 64), nn::LayerNorm(64), nn::SiLU{}, nn::Dense(64, 2));
///
/// The parameters of the layers follow one another, named by position as in PyTorch: "0.weight", "0.bias", "1.weight",
/// ... Choose Mlp where all hidden layers are alike and widths are known at run time only.
template <class... Layers>
class Sequential {
  static constexpr std::size_t count = sizeof...(Layers), first = detail::first_network<Layers...>();
  static constexpr bool are_layers = (Layer<Layers> && ...), fits = are_layers && first < count;

  /// Says in words what is wrong with the layers.
  static consteval bool check() {
    static_assert(are_layers,
                  "mellow: a layer given to nn::Sequential is neither an activation (value, multiply_by_derivative, "
                  "keeps_input) nor a mellow::Network whose backward takes a MatrixRef<Scalar>* for d loss / d input");
    static_assert(fits || !are_layers,
                  "mellow: nn::Sequential needs a layer that knows its width: activations alone do not");
    static_assert(!(detail::foreign_scalar<Layers, typename detail::ScalarOfLayers<Layers...>::type> || ...),
                  "mellow: the layers given to nn::Sequential differ in their Scalar");
    return true;
  }
  static_assert(check());

 public:
  using Scalar = typename detail::ScalarOfLayers<Layers...>::type;  ///< of parameters and values
  using Output = Eigen::Map<const Matrix<Scalar>>;                  ///< what `forward` gives: a view

  /// What a backward pass needs: the input (seen, not copied) and what each layer keeps.
  class Tape {
    friend class Sequential;
    Index batch_ = 0;
    std::array<const Scalar*, count + 1> values_{};  // of layer i the input, and of layer i - 1 the output
    std::tuple<detail::LayerTape<Layers, Scalar>...> layers_;
    Buffer<Scalar> deltas_[2], input_copy_, d_output_copy_;
  };

  /// Throws Error, naming two layers, where one does not take what the other gives: its width, the shape of its images.
  explicit Sequential(Layers... layers);

  Index inputs() const { return widths_.front(); }      ///< width of the input
  Index outputs() const { return widths_.back(); }      ///< width of the output
  Index parameters() const { return offsets_.back(); }  ///< length of theta
  const auto& layers() const { return layers_; }        ///< as a tuple

  /// The named pieces of theta.
  std::vector<Segment> segments() const;

  /// Draws the noise of the passes that follow, layer by layer, where a layer has any.
  void draw_noise(Tape& tape, Rng& rng) const
    requires(NoisyNetwork<Layers> || ...)
  {
    for_layers([&]<class L>(auto i, const L& layer) {
      if constexpr (NoisyNetwork<L>) layer.draw_noise(std::get<i>(tape.layers_).tape, rng);
    });
  }
  /// Takes the noise away from the passes that follow.
  void silence(Tape& tape) const
    requires(NoisyNetwork<Layers> || ...)
  {
    for_layers([&]<class L>(auto i, const L& layer) {
      if constexpr (NoisyNetwork<L>) layer.silence(std::get<i>(tape.layers_).tape);
    });
  }

  /// inputs x batch -> outputs x batch. The view lives in the tape until its next forward pass. A matrix, or a block of
  /// one, is not copied and must stay as it is until the backward pass; any other expression is.
  template <class Input>
  Output forward(const ConstVectorRef<Scalar>& theta, Input&& input, Tape& tape) const {
    assert(theta.size() == parameters() && input.rows() == inputs());
    tape.values_[0] = contiguous(std::forward<Input>(input), tape.input_copy_);
    tape.batch_ = input.cols();
    return forward(theta, tape);
  }

  /// Adds d loss / d theta into `gradient`; with `d_input` (inputs x batch) given, writes d loss / d input there.
  void backward(const ConstVectorRef<Scalar>& theta, Tape& tape, const ConstMatrixRef<Scalar>& d_output,
                VectorRef<Scalar> gradient, MatrixRef<Scalar>* d_input = nullptr) const;

 private:
  using Array = Eigen::Map<Eigen::Array<Scalar, Eigen::Dynamic, 1>>;
  using ConstArray = Eigen::Map<const Eigen::Array<Scalar, Eigen::Dynamic, 1>>;

  Output forward(const ConstVectorRef<Scalar>& theta, Tape& tape) const;

  /// Calls body(position, layer) for every layer, its position known at compile time.
  template <class Body>
  void for_layers(const Body& body) const {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (body(std::integral_constant<std::size_t, i>(), std::get<i>(layers_)), ...);
    }(std::make_index_sequence<count>());
  }
  template <class Body>
  void for_layers_backwards(const Body& body) const {
    [&]<std::size_t... i>(std::index_sequence<i...>) {
      (body(std::integral_constant<std::size_t, count - 1 - i>(), std::get<count - 1 - i>(layers_)), ...);
    }(std::make_index_sequence<count>());
  }

  /// The part of parameters or gradient that is layer i's.
  template <class V>
  auto part(V& vector, std::size_t i) const {
    return vector.segment(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }

  std::tuple<Layers...> layers_;
  std::array<Index, count + 1> widths_{};   // of layer i's input
  std::array<Index, count + 1> offsets_{};  // of layer i's parameters
};

template <class... Layers>
Sequential<Layers...>::Sequential(Layers... layers) : layers_(std::move(layers)...) {
  if constexpr (fits) {
    widths_.front() = std::get<first>(layers_).inputs();
    std::size_t below = first;
    std::optional<ImageShape> image;  // that the last network below gives
    for_layers([&]<class L>(auto i, const L& layer) {
      widths_[i + 1] = widths_[i];
      offsets_[i + 1] = offsets_[i];
      if constexpr (NetworkLayer<L>) {
        require(layer.inputs() == widths_[i], "nn::Sequential",
                fmt::format("layer {} must take the {} outputs of layer {}", i.value, widths_[i], below),
                layer.inputs());
        if constexpr (TakesImage<L>)
          if (image.has_value() && *image != layer.input_image())
            throw Error(
                "nn::Sequential",
                fmt::format("layer {} must take the images of {} that layer {} gives", i.value, image->text(), below),
                layer.input_image().text());
        if constexpr (GivesImage<L>) image = layer.output_image();
        else image.reset();
        widths_[i + 1] = layer.outputs();
        offsets_[i + 1] += layer.parameters();
        below = i;
      }
    });
  }
}

template <class... Layers>
std::vector<Segment> Sequential<Layers...>::segments() const {
  std::vector<Segment> all;
  for_layers([&]<class L>(auto i, const L& layer) {
    if constexpr (NetworkLayer<L>)
      for (Segment segment : layer.segments()) {
        segment.name = std::to_string(i) + "." + segment.name;
        segment.offset += offsets_[i];
        all.push_back(std::move(segment));
      }
  });
  return all;
}

template <class... Layers>
auto Sequential<Layers...>::forward(const ConstVectorRef<Scalar>& theta, Tape& tape) const -> Output {
  const Index batch = tape.batch_;
  for_layers([&]<class L>(auto i, const L& layer) {
    auto& kept = std::get<i>(tape.layers_);
    const Scalar* const x = tape.values_[i];
    if constexpr (NetworkLayer<L>) {
      const Eigen::Map<const Matrix<Scalar>> input(x, widths_[i], batch);
      tape.values_[i + 1] = contiguous(layer.forward(part(theta, i), input, kept.tape), kept.copy);
    } else {
      const Index size = widths_[i] * batch;
      Array y(kept.values.reshape(widths_[i], batch).data(), size);
      y = layer.value(ConstArray(x, size));
      tape.values_[i + 1] = y.data();
    }
  });
  return {tape.values_.back(), outputs(), batch};
}

template <class... Layers>
void Sequential<Layers...>::backward(const ConstVectorRef<Scalar>& theta, Tape& tape,
                                     const ConstMatrixRef<Scalar>& d_output, VectorRef<Scalar> gradient,
                                     MatrixRef<Scalar>* d_input) const {
  const Index batch = tape.batch_;
  assert(tape.values_[0] != nullptr && d_output.rows() == outputs() && d_output.cols() == batch &&
         gradient.size() == parameters());
  const Scalar* delta = contiguous(d_output, tape.d_output_copy_);  // d loss / d output of the present layer
  Scalar* own = nullptr;                                            // the same where it lies in one of the tape's two
  int free = 0;                                                     // the other one
  for_layers_backwards([&]<class L>(auto i, const L& layer) {
    const auto next = [&] { return tape.deltas_[std::exchange(free, 1 - free)].reshape(widths_[i], batch); };
    auto& kept = std::get<i>(tape.layers_);
    if constexpr (NetworkLayer<L>) {
      const Eigen::Map<const Matrix<Scalar>> d_y(delta, widths_[i + 1], batch);
      if constexpr (i == 0) {
        layer.backward(part(theta, i), kept.tape, d_y, part(gradient, i), d_input);
      } else {
        MatrixRef<Scalar> d_x = next();
        const bool wanted = i > first || d_input != nullptr;
        layer.backward(part(theta, i), kept.tape, d_y, part(gradient, i), wanted ? &d_x : nullptr);
        delta = own = d_x.data();
      }
    } else if (i > first || d_input != nullptr) {
      const Index size = widths_[i] * batch;
      if (own == nullptr) {
        own = next().data();
        Array(own, size) = ConstArray(delta, size);
        delta = own;
      }
      Array d(own, size);
      layer.multiply_by_derivative(ConstArray(tape.values_[L::keeps_input ? i : i + 1], size), d);
    }
  });
  if (first > 0 && d_input != nullptr) *d_input = Eigen::Map<const Matrix<Scalar>>(delta, inputs(), batch);
}

}  // namespace mellow::nn
