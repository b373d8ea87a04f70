// SPDX-License-Identifier: Apache-2.0
// A step of an optimiser over ten million parameters, as bytes read and written a second; `memory` is the rate of a
// plain loop that reads and writes as Adam must: four arrays in, three out.
#include <mellow/nn/optimizers.hpp>

#include "shapes.hpp"

using namespace mellow;
using speed::report_rate;

namespace {

constexpr Index parameters = 10'000'000;
constexpr double adam_bytes = 7.0 * 4.0 * static_cast<double>(parameters);

void memory(benchmark::State& state) {
  Vector<float> a = Vector<float>::Ones(parameters), b = a, c = a;
  const Vector<float> g = Vector<float>::Constant(parameters, 1e-3f);
  for (auto _ : state) {
    constexpr Index block = 1024;
    for (Index begin = 0; begin < parameters; begin += block) {
      const Index n = std::min(block, parameters - begin);
      const auto part = g.segment(begin, n);
      a.segment(begin, n) += part;
      b.segment(begin, n) += part;
      c.segment(begin, n) += part;
    }
    benchmark::DoNotOptimize(a.data());
    benchmark::DoNotOptimize(b.data());
    benchmark::DoNotOptimize(c.data());
  }
  report_rate(state, "bytes/s", adam_bytes);
}
BENCHMARK(memory)->Name("optimizer_memory/10000000")->Unit(benchmark::kMillisecond);

/// `arrays` are read or written once a step: three for theta and the gradient, two for each moment.
template <class Optimizer>
void step(benchmark::State& state, const Optimizer& optimizer, double arrays) {
  typename Optimizer::template State<float> moments;
  moments.reset(parameters);
  Vector<float> theta = Vector<float>::Ones(parameters);
  const Vector<float> gradient = Vector<float>::Constant(parameters, 1e-3f);
  optimizer.step(moments, theta, gradient);  // makes the moments that it needs
  for (auto _ : state) optimizer.step(moments, theta, gradient);
  report_rate(state, "bytes/s", arrays * 4.0 * static_cast<double>(parameters));
}

template <class Optimizer>
void add(const std::string& name, const Optimizer& optimizer, double arrays) {
  benchmark::RegisterBenchmark(("optimizer_" + name + "/10000000").c_str(), [=](benchmark::State& state) {
    step(state, optimizer, arrays);
  })->Unit(benchmark::kMillisecond);
}

const bool added = [] {
  add("adam", nn::Adam{}, 7);
  add("adamw", nn::AdamW{}, 7);
  add("radam", nn::RAdam{}, 7);
  add("sgd", nn::Sgd{}, 3);
  add("sgd_momentum", nn::Sgd{.momentum = 0.9, .weight_decay = 1e-4}, 5);
  add("rmsprop", nn::RMSProp{}, 5);
  add("rmsprop_nature", nn::RMSProp::nature(), 7);
  add("rmsprop_momentum", nn::RMSProp{.momentum = 0.9}, 7);
  add("adagrad", nn::Adagrad{}, 5);
  return true;
}();

}  // namespace

BENCHMARK_MAIN();
