// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <span>

#include <mellow/nn/convolution.hpp>
#include <mellow/nn/flatten.hpp>
#include <mellow/nn/gelu.hpp>
#include <mellow/nn/layer_norm.hpp>
#include <mellow/nn/mlp.hpp>
#include <mellow/nn/sequential.hpp>
#include <mellow/nn/sigmoid.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/tools/weights.hpp>

#include "support/catch.hpp"
#include "support/python.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;

TEST_CASE("Weights go to a PyTorch state_dict and back as they are", "[slow]") {
  const std::string python = python_with("torch, safetensors");
  if (python.empty()) return;
  const auto check = [&](const auto& network, const std::string& in_pytorch) {
    CAPTURE(in_pytorch);
    using Net = std::remove_cvref_t<decltype(network)>;
    const TemporaryDirectory directory;
    const auto weights = directory / "weights.safetensors", data = directory / "data.safetensors",
               doubled = directory / "doubled.safetensors";
    const Vector<float> theta = Vector<float>::Random(network.parameters());
    const Matrix<float> input = Matrix<float>::Random(4, 7);
    typename Net::Tape tape;
    const auto output = network.forward(theta, input, tape);
    tools::save_weights(weights, network, theta);
    const auto span = [](const auto& matrix) {
      return std::span(matrix.data(), static_cast<std::size_t>(matrix.size()));
    };
    tools::save_safetensors(data, {{"input", {7, 4}, span(input)}, {"output", {7, 2}, span(output)}});
    const auto script = std::string(MELLOW_SOURCE_DIR "/tests/golden/load_network.py");
    REQUIRE(std::system((python + " '" + script + "' " + weights.string() + " " + data.string() + " '" + in_pytorch +
                         "' " + doubled.string())
                            .c_str()) == 0);
    CHECK(tools::load_weights(doubled, network) == 2 * theta);
  };
  check(nn::Mlp({4, 16, 12, 2}), "Sequential(Linear(4, 16), ReLU(), Linear(16, 12), ReLU(), Linear(12, 2))");
  check(nn::Sequential(nn::Dense(4, 16), nn::LayerNorm(16), nn::GELU{}, nn::Mlp<float, nn::SiLU>({16, 8, 2})),
        "Sequential(Linear(4, 16), LayerNorm(16), GELU(), Sequential(Linear(16, 8), SiLU(), Linear(8, 2)))");
  // Four numbers as an image of one channel, which lies alike on both sides.
  check(nn::Sequential(nn::Flatten({2, 2, 1}), nn::Convolution({2, 2, 1}, {.filters = 3, .kernel = {1, 2}}), nn::ReLU{},
                       nn::Flatten({2, 1, 3}), nn::Dense(6, 2)),
        "Sequential(Unflatten(1, (1, 2, 2)), Conv2d(1, 3, (1, 2)), ReLU(), Flatten(), Linear(6, 2))");
}
