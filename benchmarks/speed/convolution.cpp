// SPDX-License-Identifier: Apache-2.0
// Forward and backward pass of MinAtar's network on a batch of 32, whole; of its convolution alone; and Eigen's GEMM on
// plain matrices of the convolution's products, against which its rate is judged.
#include <mellow/core/rng.hpp>
#include <mellow/nn/initializers.hpp>
#include <mellow/nn/minatar_network.hpp>

#include "shapes.hpp"

namespace {

using namespace mellow;

constexpr Index batch = 32;

/// A column an image of zeros and a tenth of ones, as in MinAtar.
Matrix<> observations(Index size) {
  Rng rng;
  Matrix<> columns(size, batch);
  for (float& x : columns.reshaped()) x = rng.uniform() < 0.1 ? 1.0f : 0.0f;
  return columns;
}

/// Times both passes of a network, without the gradient in its input unless that is `wanted`.
template <Network Net>
void add(const std::string& name, const Net& network, bool wanted, double flop) {
  benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
    Rng rng;
    const Vector<> theta = nn::initialize(network, rng);
    const Matrix<> input = observations(network.inputs()), d_output = Matrix<>::Random(network.outputs(), batch);
    Matrix<> d_input(network.inputs(), batch);
    MatrixRef<float> to_input = d_input;
    Vector<> gradient(network.parameters());
    typename Net::Tape tape;
    for (auto _ : state) {
      network.forward(theta, input, tape);
      gradient.setZero();
      network.backward(theta, tape, d_output, gradient, wanted ? &to_input : nullptr);
      benchmark::ClobberMemory();
    }
    speed::report_rate(state, "passes/s", 1);
    speed::report_rate(state, "flop/s", flop);
  });
}

/// The products of a convolution alone, of matrices that lie as its own do.
void gemm(benchmark::State& state, Index filters, Index length, Index places, bool wanted, double flop) {
  const Matrix<> kernel = Matrix<>::Random(filters, length), patches = Matrix<>::Random(length, places),
                 d_output = Matrix<>::Random(filters, places);
  Matrix<> output(filters, places), d_kernel(filters, length), d_patches(length, places);
  for (auto _ : state) {
    output.noalias() = kernel * patches;
    d_kernel.noalias() = d_output * patches.transpose();
    if (wanted) d_patches.noalias() = kernel.transpose() * d_output;
    benchmark::ClobberMemory();
  }
  speed::report_rate(state, "flop/s", flop);
}

void add_convolution(const std::string& name, const nn::ImageShape& image, const nn::ConvolutionOptions& options,
                     bool wanted) {
  const nn::Convolution layer(image, options);
  const Index places = layer.output_image().pixels() * batch, length = layer.segments().front().fan_in;
  const double flop = 2.0 * static_cast<double>((wanted ? 3 : 2) * places * length * options.filters);
  add(name, layer, wanted, flop);
  benchmark::RegisterBenchmark((name + "/gemm").c_str(), [=, filters = options.filters](benchmark::State& state) {
    gemm(state, filters, length, places, wanted, flop);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const auto network = nn::minatar_network(4, 6);
  // Of all products twice, forward and in the weights; of those above the convolution also in the inputs.
  add("minatar_network", network, false, 2.0 * batch * (2 * 64 * 36 * 16 + 3 * (1024 * 128 + 128 * 6)));
  add("minatar_linear_network", nn::minatar_linear_network(4, 3 * 51), false,
      2.0 * batch * (2 * 100 * 36 * 16 + 3 * 1600 * 153));
  add_convolution("convolution_minatar", {10, 10, 4}, {.filters = 16}, false);
  add_convolution("convolution_minatar_same", {10, 10, 4}, {.filters = 16, .padding = nn::Padding::Same}, false);
  add_convolution("convolution_inner", {10, 10, 32}, {.filters = 64}, true);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
