// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <limits>
#include <span>
#include <vector>

#include <mellow/core/error.hpp>
#include <mellow/core/network.hpp>
#include <mellow/tools/metadata.hpp>

namespace mellow::tools {

namespace detail {
void save_segments(const std::filesystem::path& path, const std::vector<Segment>& segments,
                   std::span<const float> theta, const Metadata& metadata);
void save_segments(const std::filesystem::path& path, const std::vector<Segment>& segments,
                   std::span<const double> theta, const Metadata& metadata);
std::vector<double> load_segments(const std::filesystem::path& path, const std::vector<Segment>& segments,
                                  const Metadata& architecture, double largest);
}  // namespace detail

/// A network that says what the shapes of its segments do not tell, by name: `architecture()`. Two that differ in one of
/// these texts make different things of the same parameters.
template <class Net>
concept HasArchitecture = requires(const Net network) {
  { network.architecture() } -> std::same_as<Metadata>;
};

/// Saves a network's parameters as safetensors, one tensor a segment, atomically, with its architecture, if it has
/// one, in the metadata, where it takes the place of texts of the same names. PyTorch loads an Mlp's file as a `state_dict` as it is.
template <Parametric Net>
void save_weights(const std::filesystem::path& path, const Net& network, const Vector<typename Net::Scalar>& theta,
                  Metadata metadata = {}) {
  require(theta.size() == network.parameters(), "tools::save_weights",
          fmt::format("the network has {} parameters", network.parameters()), theta.size());
  if constexpr (HasArchitecture<Net>)
    for (const auto& [name, text] : network.architecture()) metadata[name] = text;
  const std::span numbers(theta.data(), static_cast<std::size_t>(theta.size()));
  detail::save_segments(path, network.segments(), numbers, metadata);
}

/// Loads the parameters of a network. Throws Error, naming file and tensor, unless the file holds exactly the network's
/// segments, in float or double, of finite numbers that fit the network's; and where it says of a network that has an
/// architecture that it was another.
template <Parametric Net>
Vector<typename Net::Scalar> load_weights(const std::filesystem::path& path, const Net& network) {
  Metadata architecture;
  if constexpr (HasArchitecture<Net>) architecture = network.architecture();
  const std::vector<double> numbers =
      detail::load_segments(path, network.segments(), architecture, std::numeric_limits<typename Net::Scalar>::max());
  Vector<typename Net::Scalar> theta(network.parameters());
  std::ranges::transform(numbers, theta.data(), [](double x) { return static_cast<typename Net::Scalar>(x); });
  return theta;
}

}  // namespace mellow::tools
