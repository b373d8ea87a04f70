// SPDX-License-Identifier: Apache-2.0
// Against the Python package 1.0.15: the hashes of minatar.md 7, and traces recorded by tests/golden/make_minatar.py.
#include <cstdint>
#include <string>
#include <utility>
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

// minatar.md 7, protocol A. Two hashes there (Seaquest, seed 3, t = 100 and Space Invaders, seed 3, t = 1000) are misprints,
// since those after them hold; here are the package's own.
TEST_CASE("MinAtar under scattered actions is the package's") {
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
                                {18, 180, 0x05f9c0e1f5b60110u, 0x1d3c76f07e24921eu, 0x5eca9239e604a459u}});
  }
  SECTION("Space Invaders") {
    expect_scattered<SpaceInvaders>({{294, 95, 0x385e3fd1ed6f727au, 0x50f08f0ced9a4692u, 0x0926962d3416f621u},
                                     {289, 88, 0x8499e6e8233e62f9u, 0xbdd17da4b41fca3bu, 0xcf4cbaf9cabf338bu},
                                     {283, 105, 0x1134877beb9cdac6u, 0x25f778ba3f22f2e6u, 0x05e55fc88261e10du}});
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

/// A trace of the package.
struct Trace {
  /// `name` is an id.
  explicit Trace(const std::string& name) {
    const auto file = tools::load_safetensors(MELLOW_SOURCE_DIR "/tests/golden/minatar.safetensors");
    const auto read = [&]<class Scalar>(const char* key, std::vector<Scalar>& values) {
      values = std::get<std::vector<Scalar>>(file.at(name + "/" + key).values);
    };
    read("actions", actions);
    read("checksums", checksums);
    read("ends", ends);
    read("returns", returns);
    read("hash", hash);
    seed = std::stoull(file.metadata.at("seed"));
    limit = file.metadata.at(name + "/limit");
  }

  std::vector<std::uint8_t> actions, checksums;
  std::vector<std::int32_t> ends, returns;
  std::vector<std::uint64_t> hash;
  std::uint64_t seed = 0;
  std::string limit;
};

/// Replays the recorded traces of a game: with all six actions, and with the minimal ones.
template <class E>
void expect_traces(const std::string& game) {
  for (const bool minimal : {false, true}) {
    const std::string name = "MinAtar/" + game + (minimal ? "-v1" : "-v0");
    CAPTURE(name);
    const Trace trace(name);
    REQUIRE(trace.actions.size() == 10'000);
    REQUIRE(trace.checksums.size() == 10'000);
    REQUIRE(trace.ends.size() >= 3);
    CHECK(trace.limit == "None");
    Hashed<E> played(trace.seed, {.minimal_actions = minimal});
    std::vector<std::int32_t> ends, returns;
    double before = 0.0;
    for (std::size_t i = 0; i < trace.actions.size(); ++i) {
      played.play(trace.actions[i]);
      CAPTURE(i);
      REQUIRE((played.at_step & 0xff) == trace.checksums[i]);
      if (played.episodes == std::ssize(ends)) continue;
      ends.push_back(static_cast<std::int32_t>(i) + 1);
      returns.push_back(static_cast<std::int32_t>(played.total - std::exchange(before, played.total)));
    }
    CHECK(ends == trace.ends);
    CHECK(returns == trace.returns);
    CHECK(played.hash.value() == trace.hash.at(0));
  }
}

/// Whether a recorded trace, in which difficulty ramps, is the same without.
template <class E>
bool goes_without_ramping(const std::string& game) {
  const Trace trace("MinAtar/" + game + "-v0");
  Hashed<E> steady(trace.seed, {.difficulty_ramping = false});
  for (const std::uint8_t action : trace.actions) steady.play(action);
  return steady.hash.value() == trace.hash.at(0);
}

}  // namespace

TEST_CASE("MinAtar's recorded episodes of the package are ours, step for step") {
  SECTION("Asterix") { expect_traces<Asterix>("Asterix"); }
  SECTION("Breakout") { expect_traces<Breakout>("Breakout"); }
  SECTION("Freeway") { expect_traces<Freeway>("Freeway"); }
  SECTION("Seaquest") { expect_traces<Seaquest>("Seaquest"); }
  SECTION("Space Invaders") { expect_traces<SpaceInvaders>("SpaceInvaders"); }
}

TEST_CASE("Ramping changes MinAtar's Asterix, Seaquest and Space Invaders alone") {
  CHECK_FALSE(goes_without_ramping<Asterix>("Asterix"));
  CHECK(goes_without_ramping<Breakout>("Breakout"));
  CHECK(goes_without_ramping<Freeway>("Freeway"));
  CHECK_FALSE(goes_without_ramping<Seaquest>("Seaquest"));
  CHECK_FALSE(goes_without_ramping<SpaceInvaders>("SpaceInvaders"));
}
