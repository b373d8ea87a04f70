// SPDX-License-Identifier: Apache-2.0
// Resident memory of full replays: a million frames of random play as bits, of MinAtar's game with the most channels and
// of Breakout, and 100 000 frames of 84 x 84 pixels, four to an observation, as bytes; beside the bytes that the replay
// owns and what is allowed. Fails where it takes more.
#include <cstdio>
#include <memory>
#include <unistd.h>

#include <mellow/core/state.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/environments/minatar/breakout.hpp>
#include <mellow/environments/minatar/seaquest.hpp>
#include <mellow/tools/command_line.hpp>

#include "transitions.hpp"

namespace {

using namespace mellow;

/// Bytes of this process that lie in memory.
double resident() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"), &std::fclose);
  long pages = 0;
  if (!file || std::fscanf(file.get(), "%*s %ld", &pages) != 1) throw Error("/proc/self/statm", "cannot be read");
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Observations of stacked frames of bytes, in episodes of 200 steps.
class Pixels {
 public:
  Pixels(Index frame, Index stack) : frame_(frame), now_(frame * stack), next_(frame * stack) {}

  Transition<> operator()(Rng&) {
    if (t_ % episode == 0)
      for (Index begin = 0; begin < next_.size(); begin += frame_) draw(next_.segment(begin, frame_));
    now_.swap(next_);
    ++t_;
    next_.head(now_.size() - frame_) = now_.tail(now_.size() - frame_);
    draw(next_.tail(frame_));
    return {.observation = now_,
            .action = action_,
            .reward = 1.0,
            .next_observation = next_,
            .terminated = t_ % episode == 0};
  }

 private:
  /// Frame t, whose numbers differ from those of the frames before.
  void draw(VectorRef<float> frame) const {
    for (Index i = 0; i < frame.size(); ++i) frame[i] = static_cast<float>((i * (t_ % 251 + 1) + t_) % 256);
  }

  static constexpr Index episode = 200;
  Index frame_, t_ = 0, action_ = 0;
  Vector<> now_, next_;
};

/// Fills a replay of so many frames; true if each takes at most `limit` bytes.
template <class Replay, class Source>
bool measure(const char* name, const Replay& replay, Index features, Source source, double limit) {
  const double before = resident();
  auto ring = replay.template make_state<float>(features);
  Rng rng;
  while (ring.places() < ring.capacity()) replay.push(ring, source(rng));
  const double taken = resident() - before, owned = static_cast<double>(state_bytes(ring));
  const double allowed = limit * static_cast<double>(ring.capacity());
  fmt::print("{}, {} frames, {} transitions: {:.1f} MB resident, {:.1f} MB owned; allowed {:.0f} MB: {}\n", name,
             ring.places(), ring.size(), taken / 1e6, owned / 1e6, allowed / 1e6,
             taken <= allowed ? "holds" : "exceeded");
  return taken <= allowed;
}

/// The same of a game of MinAtar under random actions, a bit a number.
template <class Game>
bool measure_game(const char* name, Index frames) {
  return measure(name, data::BitReplay{.capacity = frames}, Game::features, speed::RandomPlay(Game()), 300);
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Index minatar_frames = 1'000'000, atari_frames = 100'000;
    CommandLine("Measures the memory of full replays.")
        .option("--minatar-frames", minatar_frames, "of 10 x 10 cells and a game's channels", {.minimum = 10'000})
        .option("--atari-frames", atari_frames, "of 84 x 84 pixels", {.minimum = 1'000})
        .parse(argc, argv);
    using namespace environments::minatar;
    constexpr Index pixels = 84 * 84, stack = 4;
    const bool seaquest = measure_game<Seaquest>("MinAtar's Seaquest, 10 channels, as bits", minatar_frames);
    const bool breakout = measure_game<Breakout>("MinAtar's Breakout, 4 channels, as bits", minatar_frames);
    const bool bytes =
        measure("4 frames of 84 x 84 as bytes", data::UInt8Replay{.capacity = atari_frames, .stack = stack},
                pixels * stack, Pixels(pixels, stack), 8'000);
    if (!seaquest || !breakout || !bytes) throw Error("speed_replay_memory", "a replay takes more than is allowed");
  });
}
