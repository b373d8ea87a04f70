// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>

#include <mellow/core/types.hpp>
#include <mellow/nn/image.hpp>

namespace mellow::nn {

/// What surrounds an image under a kernel.
enum class Padding {
  Valid,  ///< nothing: the kernel stays inside, and the image shrinks
  Same,   ///< zeros, so that stride 1 keeps the size and stride s divides it by s, rounded up; the odd one comes after
};

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of packets as template arguments, as Eigen itself does

/// The places that a kernel takes in an image, and copies of what lies under it there ("im2col"): `count` patches of
/// `length` numbers each, channels innermost, then the kernel's columns, then its rows. Places follow one another as
/// pixels of an image do.
struct Patches {
  ImageShape image;  // without padding
  Extent kernel, stride;
  ImageShape padded;            // with it
  Index top = 0, left = 0;      // padding before the image
  Index rows = 0, columns = 0;  // places

  Patches(ImageShape of_image, Extent of_kernel, Extent of_stride, Padding padding)
      : image(of_image), kernel(of_kernel), stride(of_stride), padded(of_image) {
    if (padding == Padding::Same) {
      const auto around = [](Index size, Index extent, Index step) {
        const Index places = (size + step - 1) / step;
        return std::max<Index>((places - 1) * step + extent - size, 0);
      };
      const Index vertical = around(image.height, kernel.height, stride.height),
                  horizontal = around(image.width, kernel.width, stride.width);
      top = vertical / 2;
      left = horizontal / 2;
      padded.height += vertical;
      padded.width += horizontal;
    }
    rows = (padded.height - kernel.height) / stride.height + 1;
    columns = (padded.width - kernel.width) / stride.width + 1;
  }

  Index count() const { return rows * columns; }
  Index length() const { return kernel.height * kernel.width * image.channels; }
  bool pads() const { return padded != image; }

  /// Copies the patches of one image. `around` is room for the padded image, whose border is 0 already.
  template <class Scalar>
  void gather(const Scalar* from, Scalar* around, Scalar* patches) const {
    if (pads()) {
      for (Index y = 0; y < image.height; ++y)
        std::copy_n(from + y * row_length(image), row_length(image), around + inside(y));
      from = around;
    }
    with_packet<Scalar>([&]<class Packet>() {
      for_runs([&](Index at) {
        copy<Packet>(from + at, run(), patches);
        patches += run();
      });
    });
  }

  /// The transpose of `gather`: adds each number of the patches to the place of the image that it was copied from, from
  /// 0 on. `around` is room for the padded image.
  template <class Scalar>
  void scatter(const Scalar* patches, Scalar* around, Scalar* to) const {
    Scalar* const sums = pads() ? around : to;
    std::fill_n(sums, padded.size(), Scalar(0));
    with_packet<Scalar>([&]<class Packet>() {
      for_runs([&](Index at) {
        add<Packet>(patches, run(), sums + at);
        patches += run();
      });
    });
    if (!pads()) return;
    for (Index y = 0; y < image.height; ++y)
      std::copy_n(around + inside(y), row_length(image), to + y * row_length(image));
  }

 private:
  static Index row_length(const ImageShape& shape) { return shape.width * shape.channels; }
  /// Where row y of the image begins in the padded one.
  Index inside(Index y) const { return (y + top) * row_length(padded) + left * padded.channels; }
  /// Numbers of a patch that lie side by side in the image: those of one row of the kernel.
  Index run() const { return kernel.width * image.channels; }

  /// Calls body(where the run begins in the padded image) for all runs in order.
  template <class Body>
  void for_runs(const Body& body) const {
    for (Index y = 0; y < rows; ++y)
      for (Index x = 0; x < columns; ++x)
        for (Index ky = 0; ky < kernel.height; ++ky)
          body((y * stride.height + ky) * row_length(padded) + x * stride.width * padded.channels);
  }

  /// Calls body with the widest packet that a run fills.
  template <class Scalar, class Body>
  void with_packet(const Body& body) const {
    using namespace Eigen::internal;
    using Whole = typename packet_traits<Scalar>::type;
    using Half = typename unpacket_traits<Whole>::half;
    using Quarter = typename unpacket_traits<Half>::half;
    if (run() >= unpacket_traits<Whole>::size) body.template operator()<Whole>();
    else if (run() >= unpacket_traits<Half>::size) body.template operator()<Half>();
    else if (run() >= unpacket_traits<Quarter>::size) body.template operator()<Quarter>();
    else body.template operator()<Scalar>();
  }

  template <class Packet, class Scalar>
  static void copy(const Scalar* from, Index n, Scalar* to) {
    using namespace Eigen::internal;
    constexpr Index lanes = unpacket_traits<Packet>::size;
    Index i = 0;
    for (; i + lanes <= n; i += lanes) pstoreu(to + i, ploadu<Packet>(from + i));
    if (i < n) pstoreu(to + n - lanes, ploadu<Packet>(from + n - lanes));  // some of them once more
  }

  template <class Packet, class Scalar>
  static void add(const Scalar* from, Index n, Scalar* to) {
    using namespace Eigen::internal;
    constexpr Index lanes = unpacket_traits<Packet>::size;
    Index i = 0;
    for (; i + lanes <= n; i += lanes) pstoreu(to + i, padd(ploadu<Packet>(to + i), ploadu<Packet>(from + i)));
    for (; i < n; ++i) to[i] += from[i];
  }
};

#pragma GCC diagnostic pop

}  // namespace detail

}  // namespace mellow::nn
