// SPDX-License-Identifier: Apache-2.0
// The weights of bin/save_and_load go to PyTorch, play in Gymnasium, and come back.
#include "support/program.hpp"
#include "support/python.hpp"

using Catch::Contains;

namespace {

/// What follows the colon in the last line: the returns of the episodes.
std::string returns(const std::string& output) { return output.substr(output.rfind(':')); }

}  // namespace

TEST_CASE("Weights are played from the file alone, and go to PyTorch and back unchanged") {
  const TemporaryDirectory directory;
  const std::string program = "'" + (bin / "save_and_load").string() + "' ";
  const auto weights = directory / "weights.safetensors", back = directory / "back.safetensors";
  const auto learned = run(program + "--steps 3000 --output " + directory.path().string());
  CAPTURE(learned.error);
  REQUIRE(learned.status == 0);
  const auto played = run(program + "--weights " + weights.string());
  REQUIRE(played.status == 0);
  CHECK(returns(played.out) == returns(learned.out));

  const auto missing = run(program + "--weights " + back.string());
  CHECK(missing.status == 1);
  CHECK_THAT(missing.error, Contains("back.safetensors"));

  const std::string python = python_with("torch, safetensors, gymnasium");
  if (python.empty()) return;
  const auto torch =
      run(python + " '" MELLOW_SOURCE_DIR "/examples/play_in_pytorch.py' " + weights.string() + " " + back.string());
  CAPTURE(torch.error);
  REQUIRE(torch.status == 0);
  CHECK_THAT(torch.out, Contains("Linear(in_features=4, out_features=64") && Contains("Returns of 10 episodes"));
  CHECK(read_file(back).size() > 4000);
  const auto again = run(program + "--weights " + back.string());
  REQUIRE(again.status == 0);
  CHECK(returns(again.out) == returns(learned.out));
}
