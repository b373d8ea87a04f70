// SPDX-License-Identifier: Apache-2.0
// Resident memory of 100 000 transitions: of MinAtar's size as bits, and of four stacked 84 x 84 frames as bytes, beside
// the bytes that the replay owns and what is allowed. Fails where it takes more.
#include <cstdio>
#include <memory>
#include <unistd.h>

#include <mellow/core/state.hpp>
#include <mellow/data/uniform_replay.hpp>
#include <mellow/tools/command_line.hpp>

namespace {

using namespace mellow;

constexpr Index episode = 200;  // steps

/// Bytes of this process that lie in memory.
double resident() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "r"), &std::fclose);
  long pages = 0;
  if (!file || std::fscanf(file.get(), "%*s %ld", &pages) != 1) throw Error("/proc/self/statm", "cannot be read");
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Frame t, whose numbers differ from those of the frames before: 0 .. below - 1.
void draw(Index t, Index below, VectorRef<float> frame) {
  for (Index i = 0; i < frame.size(); ++i) frame[i] = static_cast<float>((i * (t % 251 + 1) + t) % below);
}

/// Fills a replay with as many transitions; true if it takes at most `limit` bytes.
template <class Replay>
bool measure(const char* name, Replay replay, Index transitions, Index frame, Index below, double limit) {
  replay.capacity = transitions + transitions / episode + replay.stack;
  const Index features = frame * replay.stack;
  const double before = resident();
  auto ring = replay.template make_state<float>(features);
  Vector<float> now(features), next(features), newest(frame);
  for (Index t = 0; ring.size() < transitions; ++t) {
    if (t % episode == 0) {
      draw(t, below, newest);
      now = newest.replicate(replay.stack, 1);
    }
    draw(t + 1, below, newest);
    next << now.tail(features - frame), newest;
    replay.push(ring, Transition<>{now, t % 4, 1.0, next, t % episode == episode - 1});
    now = next;
  }
  const double taken = resident() - before, owned = static_cast<double>(state_bytes(ring));
  fmt::print("{}, {} transitions: {:.1f} MB resident, {:.1f} MB owned; allowed {:.0f} MB: {}\n", name, ring.size(),
             taken / 1e6, owned / 1e6, limit / 1e6, taken <= limit ? "holds" : "exceeded");
  return taken <= limit;
}

}  // namespace

int main(int argc, char** argv) {
  return run_main([&] {
    Index transitions = 100'000;
    CommandLine("Measures the memory of full replays.")
        .option("--transitions", transitions, "in either replay", {.minimum = 1})
        .parse(argc, argv);
    const double scale = static_cast<double>(transitions) / 1e5;
    const bool bits =
        measure("MinAtar (10 x 10 x 6) as bits", data::BitReplay{}, transitions, 10 * 10 * 6, 2, 25e6 * scale);
    const bool bytes = measure("4 frames of 84 x 84 as bytes", data::UInt8Replay{.stack = 4}, transitions, 84 * 84, 256,
                               0.8e9 * scale);
    if (!bits || !bytes) throw Error("speed_replay_memory", "a replay takes more than is allowed");
  });
}
