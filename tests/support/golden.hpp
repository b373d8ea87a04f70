// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <mellow/core/network.hpp>
#include <mellow/tools/safetensors.hpp>

#include "support/catch.hpp"

/// Numbers of reference implementations, from tests/golden.
namespace golden {

inline mellow::tools::Safetensors load(const std::string& name) {
  return mellow::tools::load_safetensors(std::filesystem::path(MELLOW_SOURCE_DIR "/tests/golden") /
                                         (name + ".safetensors"));
}

/// A tensor's values, in the file's row-major order: batch x features there is features x batch here.
template <class Scalar>
mellow::Vector<Scalar> values(const mellow::tools::Safetensors& file, const std::string& name) {
  const auto& stored = std::get<std::vector<double>>(file.at(name).values);
  return Eigen::Map<const mellow::Vector<double>>(stored.data(), static_cast<mellow::Index>(stored.size()))
      .template cast<Scalar>();
}

/// The same as a matrix of so many rows.
template <class Scalar>
mellow::Matrix<Scalar> matrix(const mellow::tools::Safetensors& file, const std::string& name, mellow::Index rows) {
  const mellow::Vector<Scalar> all = values<Scalar>(file, name);
  return all.reshaped(rows, all.size() / rows);
}

/// The parameters, or what belongs to each of them, as one vector: the tensors `prefix` + name of segment.
template <mellow::Network Net>
auto parameters(const mellow::tools::Safetensors& file, const Net& network, const std::string& prefix = "") {
  using Scalar = typename Net::Scalar;
  mellow::Vector<Scalar> theta(network.parameters());
  for (const mellow::Segment& segment : network.segments())
    theta.segment(segment.offset, segment.size()) = values<Scalar>(file, prefix + segment.name);
  return theta;
}

template <class Scalar>
void expect_close(const auto& ours, const mellow::Vector<Scalar>& theirs, double tolerance) {
  REQUIRE(ours.size() == theirs.size());
  CHECK((ours.reshaped() - theirs).cwiseAbs().maxCoeff() < tolerance);
}

}  // namespace golden
