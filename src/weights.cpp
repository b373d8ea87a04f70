// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <concepts>
#include <iterator>
#include <span>
#include <variant>

#include <mellow/tools/safetensors.hpp>
#include <mellow/tools/weights.hpp>

namespace mellow::tools::detail {

namespace {

template <class Scalar>
void save(const std::filesystem::path& path, const std::vector<Segment>& segments, std::span<const Scalar> theta,
          const Metadata& metadata) {
  std::vector<TensorView> tensors;
  tensors.reserve(segments.size());
  for (const Segment& segment : segments)
    tensors.push_back(
        {segment.name,
         {segment.shape.begin(), segment.shape.end()},
         theta.subspan(static_cast<std::size_t>(segment.offset), static_cast<std::size_t>(segment.size()))});
  save_safetensors(path, tensors, metadata);
}

}  // namespace

void save_segments(const std::filesystem::path& path, const std::vector<Segment>& segments,
                   std::span<const float> theta, const Metadata& metadata) {
  save(path, segments, theta, metadata);
}

void save_segments(const std::filesystem::path& path, const std::vector<Segment>& segments,
                   std::span<const double> theta, const Metadata& metadata) {
  save(path, segments, theta, metadata);
}

std::vector<double> load_segments(const std::filesystem::path& path, const std::vector<Segment>& segments,
                                  const Metadata& architecture, double largest) {
  const Safetensors file = load_safetensors(path);
  for (const auto& [name, text] : architecture)
    if (const auto saved = file.metadata.find(name); saved != file.metadata.end() && saved->second != text)
      throw Error(path.string(),
                  fmt::format("was saved of a network with {} = {}, this one has {}", name, saved->second, text));
  std::vector<double> theta;
  for (const Segment& segment : segments) {
    const Tensor& tensor = file.at(segment.name, {segment.shape.begin(), segment.shape.end()});
    std::visit(
        [&]<class Number>(const std::vector<Number>& values) {
          if (!std::floating_point<Number>)
            throw Error(path.string(), fmt::format("tensor \"{}\" should hold F32 or F64 numbers", tensor.name));
          std::ranges::transform(values, std::back_inserter(theta), [](auto x) { return static_cast<double>(x); });
        },
        tensor.values);
    const auto numbers = std::span(theta).last(static_cast<std::size_t>(segment.size()));
    const auto bad = std::ranges::find_if_not(numbers, [&](double x) { return std::abs(x) <= largest; });
    if (bad != numbers.end())
      throw Error(path.string(), fmt::format("tensor \"{}\" should hold finite numbers", tensor.name), *bad);
  }
  for (const Tensor& tensor : file.tensors)
    if (std::ranges::find(segments, tensor.name, &Segment::name) == segments.end())
      throw Error(path.string(), fmt::format("tensor \"{}\" is none of the network's", tensor.name));
  return theta;
}

}  // namespace mellow::tools::detail
