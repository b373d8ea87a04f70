// SPDX-License-Identifier: Apache-2.0
// Against the Python package 1.0.15: the hashes of minatar.md 7, and traces recorded by tests/golden/make_minatar.py.
#include <cstdint>
#include <string>
#include <vector>

#include <mellow/core/legacy_numpy_generator.hpp>
#include <mellow/environments/minatar/asterix.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/freeway.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/environments/minatar/space_invaders.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

using namespace mellow;
using namespace mellow::environments::minatar;

namespace {

/// FNV-1a, 64 bits, over the bytes of observations, rewards and ends.
class Hash {
 public:
  void add(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3u; }
  template <class Observation>
  void add(const Observation& observation) {
    for (const float x : observation) add(static_cast<std::uint8_t>(x));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325u;
};

/// A game that is played with the package's draws and hashed as minatar.md 7 says.
template <class E>
class Hashed {
 public:
  Hashed(std::uint64_t seed, const Options& options) : game_(options), rng_(seed), observation_(E::features) {
    begin();
  }

  void play(Index action) {
    const Step step = game_.step(action, rng_);
    total += step.reward;
    see();
    hash.add(static_cast<std::uint8_t>(step.reward));
    hash.add(std::uint8_t{step.terminated});
    at_step = hash.value();
    if (!step.terminated) return;
    ++episodes;
    begin();
  }

  Hash hash;
  std::uint64_t at_step = 0;  // the hash, before an ended episode is followed by the next
  double total = 0.0;
  Index episodes = 0;

 private:
  void begin() {
    game_.reset(rng_);
    see();
  }
  void see() {
    game_.observe(observation_);
    hash.add(observation_);
  }

  E game_;
  LegacyNumpyGenerator rng_;
  Vector<float> observation_;
};

const Options settings[] = {{}, {.sticky_action_probability = 0.0}, {.difficulty_ramping = false}};

/// What the table says of one setting.
struct Scattered {
  double total;
  Index episodes;
  std::uint64_t at_100, at_1000, at_5000;
};

/// Protocol A: pseudo-random actions.
template <class E>
void expect_scattered(const std::vector<Scattered>& table) {
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    Hashed<E> game(i + 1, settings[i]);
    std::uint32_t z = 12345;
    int t = 0;
    const auto play_until = [&](int end) {
      for (; t < end; ++t) {
        z = (1103515245u * z + 12345u) & 0x7fffffffu;
        game.play((z >> 16) % 6);
      }
      return game.hash.value();
    };
    CHECK(play_until(100) == table[i].at_100);
    CHECK(play_until(1'000) == table[i].at_1000);
    CHECK(play_until(5'000) == table[i].at_5000);
    CHECK(game.total == table[i].total);
    CHECK(game.episodes == table[i].episodes);
  }
}

/// The same for protocol B.
struct Cyclic {
  std::uint64_t at_40000;
  double total;
  Index episodes;
};

/// Protocol B: the same actions over and over.
template <class E>
void expect_cyclic(const std::vector<Index>& actions, const std::vector<Cyclic>& table) {
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    Hashed<E> game(i + 1, settings[i]);
    for (std::size_t t = 0; t < 40'000; ++t) game.play(actions[t % actions.size()]);
    CHECK(game.hash.value() == table[i].at_40000);
    CHECK(game.total == table[i].total);
    CHECK(game.episodes == table[i].episodes);
  }
}

}  // namespace

TEST_CASE("MinAtar under scattered actions is the package's") {  // minatar.md 7, protocol A
  SECTION("Asterix") {
    expect_scattered<Asterix>({{39, 64, 0x1830ffa520c3e0a4u, 0xb12a9f64567690e3u, 0x98d846a78535d69cu},
                               {41, 67, 0xb98e23892b44de7eu, 0xf59dfe4587c4cb91u, 0x12e5027005860650u},
                               {34, 57, 0xa791ab7693d2b831u, 0x7727149b89e06661u, 0x301cc47c9cd3ceb8u}});
  }
  SECTION("Breakout") {
    expect_scattered<Breakout>({{220, 458, 0x185463b971d35666u, 0x446d35a1a892d8b4u, 0xa7d5d3ed2b4b38a9u},
                                {229, 443, 0x1ad7dc305d4a1e73u, 0xc7cc75593bc1f5d3u, 0x9341dd74691109f4u},
                                {224, 452, 0x6b1be0ea81edbd8eu, 0xda26df7bd4385cdbu, 0x1beddd229a863df6u}});
  }
  SECTION("Freeway") {
    expect_scattered<Freeway>({{0, 1, 0x571b888064c9bf8cu, 0x193ddc26cf22cdb4u, 0xe1aa596f0f989e02u},
                               {0, 1, 0x521f69bc161b6ea2u, 0x477b52d644ee4126u, 0x999950efcee18d3au},
                               {0, 1, 0xe2a9bb1a7b3aa0f6u, 0x4e0b403618b1202au, 0x79712c754d101ccau}});
  }
  SECTION("Seaquest") {
    expect_scattered<Seaquest>({{19, 149, 0xaff1817dec3b711au, 0x5b71289adda85dd9u, 0xed93983303612572u},
                                {13, 199, 0x5c59804b7e1832d6u, 0xd95c9ec67f925831u, 0x55fdcd727fd062e8u},
                                {18, 180, 0x9a6aa2fd1800cdeau, 0x1d3c76f07e24921eu, 0x5eca9239e604a459u}});
  }
  SECTION("Space Invaders") {
    expect_scattered<SpaceInvaders>({{294, 95, 0x385e3fd1ed6f727au, 0x50f08f0ced9a4692u, 0x0926962d3416f621u},
                                     {289, 88, 0x8499e6e8233e62f9u, 0xbdd17da4b41fca3bu, 0xcf4cbaf9cabf338bu},
                                     {283, 105, 0x1134877beb9cdac6u, 0x343f869061a2264fu, 0x05e55fc88261e10du}});
  }
}

TEST_CASE("MinAtar under cyclic actions is the package's over 40 000 steps") {  // minatar.md 7, protocol B
  SECTION("Breakout") {
    expect_cyclic<Breakout>(
        {5, 1, 1, 5, 3, 3},
        {{0xf7ffdcdf4dccee4du, 2202, 2887}, {0x85dfffe7738bc7bbu, 2227, 2954}, {0x360a2bd0377e9007u, 2181, 2930}});
  }
  SECTION("Freeway") {
    expect_cyclic<Freeway>(
        {2}, {{0x48a5eea8b862209cu, 352, 15}, {0x97b3724e0c8b98abu, 253, 15}, {0x711389bf461ce325u, 221, 15}});
  }
  SECTION("Seaquest") {
    expect_cyclic<Seaquest>(
        {4, 4, 4, 4, 5, 3, 3, 3, 3, 5, 1, 1, 1, 1, 5, 1, 1, 1, 5, 3, 3, 3},
        {{0x3c160bbaa6e180c9u, 179, 252}, {0x8041bee74bc8ff0fu, 171, 235}, {0x51fb947d69319eefu, 186, 251}});
  }
  SECTION("Space Invaders") {
    expect_cyclic<SpaceInvaders>(
        {5, 1, 1, 5, 3, 3},
        {{0x1aec6c2a969f6e54u, 4254, 1443}, {0xd3c9de3f9eed39bbu, 4314, 2352}, {0x4d43b740c8020da5u, 4153, 1408}});
  }
}

namespace {

/// Replays the recorded traces of a game, by its number of actions all six or minimal.
template <class E>
void expect_traces(const std::string& game) {
  const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/minatar.safetensors");
  for (const bool minimal : {false, true}) {
    const std::string name = "MinAtar/" + game + (minimal ? "-v1" : "-v0");
    CAPTURE(name);
    const auto bytes = [&](const char* key) {
      return std::get<std::vector<std::uint8_t>>(file.at(name + "/" + key).values);
    };
    const auto numbers = [&](const char* key) {
      return std::get<std::vector<std::int32_t>>(file.at(name + "/" + key).values);
    };
    const auto actions = bytes("actions"), checksums = bytes("checksums");
    const auto ends = numbers("ends"), returns = numbers("returns");
    REQUIRE(actions.size() == 10'000);
    REQUIRE(checksums.size() == 10'000);
    REQUIRE(ends.size() >= 3);
    CHECK(file.metadata.at(name + "/limit") == "None");
    Hashed<E> hashed(std::stoull(file.metadata.at("seed")), {.minimal_actions = minimal});
    Index episode = 0;
    double before = 0.0;
    for (std::size_t i = 0; i < actions.size(); ++i) {
      hashed.play(actions[i]);
      CAPTURE(i, episode);
      REQUIRE((hashed.at_step & 0xff) == checksums[i]);
      if (hashed.episodes == episode) continue;
      REQUIRE(ends.at(static_cast<std::size_t>(episode)) == static_cast<int>(i) + 1);
      REQUIRE(hashed.total - before == returns.at(static_cast<std::size_t>(episode)));
      before = hashed.total;
      ++episode;
    }
    CHECK(episode == std::ssize(ends));
    CHECK(hashed.hash.value() == std::get<std::vector<std::uint64_t>>(file.at(name + "/hash").values).at(0));
  }
}

}  // namespace

TEST_CASE("MinAtar's recorded episodes of the package are ours, step for step") {
  SECTION("Asterix") { expect_traces<Asterix>("Asterix"); }
  SECTION("Breakout") { expect_traces<Breakout>("Breakout"); }
  SECTION("Freeway") { expect_traces<Freeway>("Freeway"); }
  SECTION("Seaquest") { expect_traces<Seaquest>("Seaquest"); }
  SECTION("Space Invaders") { expect_traces<SpaceInvaders>("SpaceInvaders"); }
}
