// SPDX-License-Identifier: Apache-2.0
#include <mellow/nn/mlp.hpp>
#include <mellow/tools/safetensors.hpp>
#include <mellow/tools/weights.hpp>

#include "support/catch.hpp"
#include "support/temporary_directory.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Contains;

namespace {

const nn::Mlp<float> network({4, 8, 2});
const nn::Mlp<double> precise({4, 8, 2});

}  // namespace

TEST_CASE("Weights come back bit for bit, under the names and shapes of a PyTorch state_dict") {
  const TemporaryDirectory directory;
  const auto path = directory / "new/w.safetensors";
  const Vector<float> theta = Vector<float>::Random(network.parameters());
  save_weights(path, network, theta, {{"task", "test"}});
  CHECK(load_weights(path, network) == theta);
  const Safetensors file = load_safetensors(path);
  REQUIRE(file.tensors.size() == 4);
  CHECK(file.at("0.weight").shape == std::vector<std::int64_t>{8, 4});
  CHECK(file.at("0.bias").shape == std::vector<std::int64_t>{8});
  CHECK(file.at("2.weight").shape == std::vector<std::int64_t>{2, 8});
  CHECK(file.at("2.bias").shape == std::vector<std::int64_t>{2});
  CHECK(file.metadata.at("task") == "test");
}

TEST_CASE("Weights of another precision are converted") {
  const TemporaryDirectory directory;
  const auto path = directory / "w.safetensors";
  const Vector<double> theta = Vector<double>::Random(precise.parameters());
  save_weights(path, precise, theta);
  CHECK(load_weights(path, precise) == theta);
  CHECK(load_weights(path, network) == theta.cast<float>());
}

TEST_CASE("A file of weights that does not fit the network is refused by file and tensor") {
  const TemporaryDirectory directory;
  const auto path = directory / "w.safetensors";
  const auto complaint = [&] {
    try {
      load_weights(path, network);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  const Vector<float> theta = Vector<float>::Random(network.parameters());

  save_weights(path, nn::Mlp({4, 16, 2}), Vector<float>::Zero(nn::Mlp({4, 16, 2}).parameters()));
  CHECK_THAT(complaint(),
             Contains("w.safetensors") && Contains("\"0.weight\" should have shape [8, 4]") && Contains("[16, 4]"));

  save_weights(path, nn::Mlp({4, 2}), Vector<float>::Zero(10));
  CHECK_THAT(complaint(), Contains("w.safetensors") && Contains("shape [8, 4]"));

  const std::vector<float> weight(32), bias(8), head(16), extra(2);
  save_safetensors(path, {{"0.weight", {8, 4}, weight}, {"0.bias", {8}, bias}, {"2.weight", {2, 8}, head}});
  CHECK_THAT(complaint(), Contains("w.safetensors") && Contains("2.bias"));

  save_safetensors(path, {{"0.weight", {8, 4}, weight},
                          {"0.bias", {8}, bias},
                          {"2.weight", {2, 8}, head},
                          {"2.bias", {2}, extra},
                          {"4.bias", {2}, extra}});
  CHECK_THAT(complaint(), Contains("w.safetensors") && Contains("\"4.bias\" is none of the network's"));

  Vector<float> broken = theta;
  broken[3] = std::numeric_limits<float>::quiet_NaN();
  save_weights(path, network, broken);
  CHECK_THAT(complaint(), Contains("w.safetensors") && Contains("\"0.weight\" should hold finite numbers"));
  const nn::Mlp<double> wide({4, 8, 2});
  Vector<double> huge = Vector<double>::Zero(wide.parameters());
  huge[40] = 1e300;  // finite in double alone
  save_weights(path, wide, huge);
  CHECK_THAT(complaint(), Contains("\"2.weight\" should hold finite numbers"));
  CHECK(load_weights(path, wide) == huge);

  save_weights(path, network, theta);
  const auto whole = std::filesystem::file_size(path);
  for (const auto size : {whole - 1, whole / 2, std::uintmax_t{20}, std::uintmax_t{4}, std::uintmax_t{0}}) {
    std::filesystem::resize_file(path, size);
    INFO(complaint());
    CHECK_THAT(complaint(), Contains("w.safetensors"));
  }
  std::filesystem::remove(path);
  CHECK_THAT(complaint(), Contains("w.safetensors"));

  CHECK_THROWS_WITH(save_weights(path, network, Vector<float>::Zero(3)),
                    Contains("has 58 parameters") && Contains("got 3"));
  CHECK_FALSE(std::filesystem::exists(path));
}
