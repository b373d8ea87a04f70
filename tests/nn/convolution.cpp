// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/convolution.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/minatar_network.hpp>
#include <mellow/nn/orthogonal.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sigmoid.hpp>

#include "nn/layers.hpp"

using namespace mellow;
using nn::ConvolutionOptions;
using nn::ImageShape;
using nn::Padding;

namespace {

using Convolution = nn::Convolution<double>;
using Flatten = nn::Flatten<double>;

/// What to subtract from a place of the kernel for the place in the image: the padding before it.
Index padding_before(Index size, Index kernel, Index stride, Padding padding) {
  if (padding == Padding::Valid) return 0;
  return std::max<Index>(((size + stride - 1) / stride - 1) * stride + kernel - size, 0) / 2;
}

/// The definition, number by number.
Matrix<double> by_definition(const ImageShape& image, const ConvolutionOptions& o, const Vector<double>& theta,
                             const Matrix<double>& input, const ImageShape& out) {
  const Index top = padding_before(image.height, o.kernel.height, o.stride.height, o.padding),
              left = padding_before(image.width, o.kernel.width, o.stride.width, o.padding);
  Matrix<double> result(out.size(), input.cols());
  for (Index i = 0; i < input.cols(); ++i)
    for (Index f = 0; f < o.filters; ++f)
      for (Index y = 0; y < out.height; ++y)
        for (Index x = 0; x < out.width; ++x) {
          double sum = theta[o.filters * image.channels * o.kernel.height * o.kernel.width + f];
          for (Index c = 0; c < image.channels; ++c)
            for (Index ky = 0; ky < o.kernel.height; ++ky)
              for (Index kx = 0; kx < o.kernel.width; ++kx) {
                const Index from_y = y * o.stride.height + ky - top, from_x = x * o.stride.width + kx - left;
                if (from_y < 0 || from_y >= image.height || from_x < 0 || from_x >= image.width) continue;
                sum += theta[((f * image.channels + c) * o.kernel.height + ky) * o.kernel.width + kx] *
                       input(c + image.channels * (from_x + image.width * from_y), i);
              }
          result(f + o.filters * (x + out.width * y), i) = sum;
        }
  return result;
}

const std::vector<std::pair<ImageShape, ConvolutionOptions>> shapes{
    {{10, 10, 4}, {.filters = 16}},
    {{10, 10, 4}, {.filters = 16, .padding = Padding::Same}},
    {{5, 7, 1}, {.filters = 3, .kernel = {2, 3}, .stride = {2, 1}}},
    {{5, 7, 2}, {.filters = 2, .kernel = {4, 3}, .stride = {1, 2}, .padding = Padding::Same}},
    {{6, 4, 3}, {.filters = 5, .kernel = 1}},
    {{3, 4, 2}, {.filters = 7, .kernel = {3, 4}}},
    {{2, 2, 3}, {.filters = 2, .kernel = 5, .padding = Padding::Same}},
    {{9, 9, 10}, {.filters = 33, .kernel = 3, .stride = 4, .padding = Padding::Same}},
};

}  // namespace

TEST_CASE("A convolution is its definition, for any kernel, stride and padding") {
  for (const auto& [image, options] : shapes) {
    const Convolution layer(image, options);
    CAPTURE(image.text(), layer.output_image().text());
    Rng rng(1);
    const Vector<double> theta = nn::initialize(layer, rng);
    const Matrix<double> input = normals(layer.inputs(), 3, rng);
    Convolution::Tape tape;
    const auto output = layer.forward(theta, input, tape);
    REQUIRE(output.rows() == layer.output_image().size());
    CHECK((output - by_definition(image, options, theta, input, layer.output_image())).cwiseAbs().maxCoeff() < 1e-13);
  }
}

TEST_CASE("Gradients of convolutions agree with central differences", "[gradient]") {
  for (const auto& [image, options] : shapes)
    if (const Convolution layer(image, options); layer.outputs() < 200)  // rounding of a longer sum drowns a difference
      check_gradients(layer);
  for (const Padding padding : {Padding::Valid, Padding::Same})
    check_gradients(Convolution({5, 6, 4}, {.filters = 6, .padding = padding}));
  const Convolution below({6, 5, 3}, {.filters = 4, .kernel = 2});
  const Convolution above(below.output_image(), {.filters = 3, .stride = 2, .padding = Padding::Same});
  check_gradients(nn::Sequential(below, nn::Tanh{}, above, nn::SiLU{}, Flatten(above.output_image()),
                                 nn::Dense<double>(above.outputs(), 2)));
}

TEST_CASE("A tape serves batches and images of any size in turn") {
  const Convolution small({4, 4, 2}, {.filters = 3, .padding = Padding::Same}), large({8, 8, 2}, {.filters = 3});
  Convolution::Tape tape;
  Rng rng(2);
  for (const auto& [layer, batch] : {std::pair(small, 2), std::pair(large, 5), std::pair(small, 1)}) {
    const Vector<double> theta = nn::initialize(layer, rng);
    const Matrix<double> input = normals(layer.inputs(), batch, rng);
    Convolution::Tape fresh;
    CHECK(layer.forward(theta, input, tape) == layer.forward(theta, input, fresh));
  }
}

TEST_CASE("Parameters of a convolution are those of PyTorch's Conv2d, with its fans") {
  const auto segments = nn::Convolution({10, 8, 4}, {.filters = 16, .kernel = {3, 5}}).segments();
  REQUIRE(segments.size() == 2);
  CHECK(segments[0].name == "weight");
  CHECK(segments[0].shape == std::vector<Index>{16, 4, 3, 5});
  CHECK(segments[0].fan_in == 60);
  CHECK(segments[0].fan_out() == 240);
  CHECK(segments[1].name == "bias");
  CHECK((segments[1].offset == 960 && segments[1].size() == 16 && segments[1].fan_in == 60));
  Rng rng;
  const Vector<double> theta = nn::initialize(Convolution({4, 4, 8}, {.filters = 4}), rng, nn::Orthogonal{.gain = 1});
  const Matrix<double> weights = theta.head(4 * 72).reshaped(72, 4);
  CHECK((weights.transpose() * weights - Matrix<double>::Identity(4, 4)).cwiseAbs().maxCoeff() < 1e-12);
}

TEST_CASE("Flatten puts channels outermost, for any shape") {
  for (const auto& shape : {ImageShape{8, 8, 16}, ImageShape{3, 5, 7}, ImageShape{1, 1, 3}, ImageShape{10, 10, 9}}) {
    const nn::Flatten layer(shape);
    nn::Flatten<>::Tape tape;
    const Matrix<> input = Matrix<>::Random(layer.inputs(), 2);
    const auto output = layer.forward(Vector<>(), input, tape);
    bool same = true;
    for (Index c = 0; c < shape.channels; ++c)
      for (Index p = 0; p < shape.pixels(); ++p)
        same = same && output(p + shape.pixels() * c, 1) == input(c + shape.channels * p, 1);
    CHECK(same);
    Matrix<> back(layer.inputs(), 2);
    MatrixRef<float> d_input = back;
    Vector<> none;
    layer.backward(Vector<>(), tape, output, none, &d_input);
    CHECK(back == input);
  }
}

TEST_CASE("Images that do not fit are refused, by position in a Sequential") {
  CHECK_THROWS_WITH(nn::Convolution({10, 10, 0}), Catch::Contains("the extents of the image must be positive (got 0)"));
  CHECK_THROWS_WITH(nn::Convolution({10, 10, 4}, {.filters = 0}), Catch::Contains("filters must be positive"));
  CHECK_THROWS_WITH(nn::Convolution({10, 10, 4}, {.kernel = {3, 0}}), Catch::Contains("extents of the kernel"));
  CHECK_THROWS_WITH(nn::Convolution({10, 10, 4}, {.stride = -1}), Catch::Contains("strides must be positive"));
  CHECK_THROWS_WITH(nn::Convolution({10, 8, 4}, {.kernel = {3, 9}}),
                    Catch::Contains("nn::Convolution: without padding the kernel must be no wider than the image, 8"));
  CHECK_THROWS_WITH(nn::Convolution({2, 8, 4}), Catch::Contains("no higher than the image, 2 (got 3)"));
  CHECK_THROWS_AS(nn::Flatten({0, 1, 1}), Error);
  const nn::Convolution first({10, 10, 4}, {.filters = 16});
  CHECK_THROWS_WITH(nn::Sequential(first, nn::ReLU{}, nn::Convolution({16, 16, 4}, {.filters = 2})),
                    Catch::Contains("layer 2 must take the images of 8 x 8 x 16 that layer 0 gives (got 16 x 16 x 4)"));
  CHECK_THROWS_WITH(nn::Sequential(first, nn::Flatten({16, 8, 8})), Catch::Contains("layer 1 must take the images"));
  CHECK_THROWS_WITH(nn::Sequential(first, nn::Dense(1000, 2)), Catch::Contains("layer 1 must take the 1024 outputs"));
}

TEST_CASE("MinAtar's networks have the published sizes") {
  const auto reference = nn::minatar_network(4, 6);
  CHECK((reference.inputs() == 400 && reference.outputs() == 6));
  CHECK(reference.parameters() == 16 * 36 + 16 + 1024 * 128 + 128 + 128 * 6 + 6);
  CHECK(reference.segments()[2].name == "3.weight");
  const auto linear = nn::minatar_linear_network<double>(6, 153);
  CHECK((linear.inputs() == 600 && linear.parameters() == 16 * 54 + 16 + 1600 * 153 + 153));
}
