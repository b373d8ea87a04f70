// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <span>
#include <variant>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/tools/safetensors.hpp>

namespace mellow::tools {

/// Saves a network's parameters as safetensors, one tensor a segment, atomically. PyTorch loads an Mlp's file as a
/// `state_dict` as it is.
template <Network Net>
void save_weights(const std::filesystem::path& path, const Net& network, const Vector<typename Net::Scalar>& theta,
                  const Metadata& metadata = {}) {
  require(theta.size() == network.parameters(), "tools::save_weights",
          fmt::format("the network has {} parameters", network.parameters()), theta.size());
  std::vector<TensorView> tensors;
  for (const Segment& segment : network.segments())
    tensors.push_back({segment.name,
                       {segment.shape.begin(), segment.shape.end()},
                       std::span(theta.data() + segment.offset, static_cast<std::size_t>(segment.size()))});
  save_safetensors(path, tensors, metadata);
}

/// Loads the parameters of a network. Throws Error, naming file and tensor, unless the file holds exactly the network's
/// segments, in float or double.
template <Network Net>
Vector<typename Net::Scalar> load_weights(const std::filesystem::path& path, const Net& network) {
  const Safetensors file = load_safetensors(path);
  const std::vector<Segment> segments = network.segments();
  Vector<typename Net::Scalar> theta(network.parameters());
  for (const Segment& segment : segments) {
    const Tensor& tensor = file.at(segment.name, {segment.shape.begin(), segment.shape.end()});
    std::visit(
        [&]<class Number>(const std::vector<Number>& values) {
          if (!std::floating_point<Number>)
            throw Error(path.string(), fmt::format("tensor \"{}\" should hold F32 or F64 numbers", tensor.name));
          std::ranges::transform(values, theta.data() + segment.offset,
                                 [](auto x) { return static_cast<typename Net::Scalar>(x); });
        },
        tensor.values);
  }
  for (const Tensor& tensor : file.tensors)
    if (std::ranges::find(segments, tensor.name, &Segment::name) == segments.end())
      throw Error(path.string(), fmt::format("tensor \"{}\" is none of the network's", tensor.name));
  return theta;
}

}  // namespace mellow::tools
