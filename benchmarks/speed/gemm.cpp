// SPDX-License-Identifier: Apache-2.0
// Eigen's own GEMM, alone, on plain matrices of an update's shapes: the rate against which dqn_update is judged, and
// the probe that benchmarks/compare uses to tell slow spells of the machine.
#include "shapes.hpp"

namespace {

using namespace mellow;

struct Layer {
  Matrix<> weight, x, y, d_weight, d_x;
};

void gemm(benchmark::State& state, const speed::Shape& shape) {
  std::vector<Layer> layers;
  for (std::size_t l = 1; l < shape.widths.size(); ++l) {
    const Index in = shape.widths[l - 1], out = shape.widths[l];
    layers.push_back({Matrix<>::Random(out, in), Matrix<>::Random(in, shape.batch), Matrix<>::Random(out, shape.batch),
                      Matrix<>(out, in), Matrix<>(in, shape.batch)});
  }
  for (auto _ : state) {
    for (int network = 0; network < 2; ++network)  // target and online
      for (Layer& layer : layers) layer.y.noalias() = layer.weight * layer.x;
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
      layer->d_weight.noalias() = layer->y * layer->x.transpose();
      if (layer + 1 != layers.rend()) layer->d_x.noalias() = layer->weight.transpose() * layer->y;
    }
    benchmark::ClobberMemory();
  }
  speed::report_rate(state, "flop/s", speed::flop(shape));
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& shape : mellow::speed::shapes)
    benchmark::RegisterBenchmark(("gemm_" + shape.name).c_str(), [&](benchmark::State& state) { gemm(state, shape); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
