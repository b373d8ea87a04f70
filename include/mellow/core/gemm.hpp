// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cassert>
#include <utility>

#include <mellow/core/types.hpp>

namespace mellow {

namespace detail {

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wignored-attributes"  // of packets as template arguments, as Eigen itself does

/// Matrix product for the shapes of reinforcement learning (tens to hundreds of rows, columns and depth), where packing
/// both operands as a BLAS does costs more than it saves: a panel of A is packed into 16 kB of stack, B is read where
/// it lies. Nothing is allocated. Eigen's packets give the instruction set; multiply-add is fused where the processor
/// can, whatever -ffp-contract says.
template <class Scalar>
class Gemm {
  using Packet = typename Eigen::internal::packet_traits<Scalar>::type;
  static constexpr Index lanes = Eigen::internal::unpacket_traits<Packet>::size;
  static constexpr bool many_registers = sizeof(Packet) == 64;  // AVX-512 has 32 vector registers, older sets have 16
  static constexpr int tile_packets = many_registers ? 4 : 2;   // most rows of a tile, in packets
  /// Columns of a tile of so many packets: enough sums to hide the adders' latency, as many as there are registers.
  static constexpr int tile_columns(int packets) {
    if (many_registers) return packets == 4 ? 6 : packets == 2 ? 12 : 16;
    return packets == 2 ? 6 : 12;
  }
  static constexpr Index panel_depth =
      16384 / static_cast<Index>(sizeof(Scalar)) / (tile_packets * lanes);  // of a panel

 public:
  /// An operand: entry (i, j) lies at data[i * row_step + j * column_step].
  struct Operand {
    const Scalar* data;
    Index row_step, column_step;
  };

  /// Where the result goes: entry (i, j) lies at data[i * row_step + j * column_step].
  struct Result {
    Scalar* data;
    Index row_step, column_step;
    bool overwrite = false;        // what is there counts as 0
    const Scalar* bias = nullptr;  // numbers, one a row, that come to each column
    Result from(Index row, Index column) const {
      return {data + row * row_step + column * column_step, row_step, column_step, overwrite,
              bias == nullptr ? nullptr : bias + row};
    }
  };

  /// C = A B for A of m x k and B of k x n, k > 0.
  static void set(Index m, Index n, Index k, const Operand& a, const Operand& b, Result c) {
    c.overwrite = true;
    add(m, n, k, a, b, c);
  }

  /// C += A B for A of m x k and B of k x n, k > 0 where there is a bias.
  static void add(Index m, Index n, Index k, Operand a, Operand b, Result c) {
    const bool dots = (m <= 4 || n <= 2) && a.column_step == 1 && b.row_step == 1;
    const bool turned = m < n && (dots || m < lanes);  // more rows fill the packets better: C' += B' A'
    if (c.bias != nullptr && (dots || turned)) begin_with_bias(m, n, c);
    if (turned) {
      std::swap(m, n);
      std::swap(a, b);
      for (Operand* x : {&a, &b}) std::swap(x->row_step, x->column_step);
      std::swap(c.row_step, c.column_step);
    }
    if (dots) add_dots(m, n, k, a, b, c);
    else add_tiles(m, n, k, a, b, c);
  }

 private:
  /// The bias apart from the product.
  static void begin_with_bias(Index m, Index n, Result& c) {
    for (Index j = 0; j < n; ++j)
      for (Index i = 0; i < m; ++i) {
        Scalar& to = c.data[i * c.row_step + j * c.column_step];
        to = c.overwrite ? c.bias[i] : to + c.bias[i];
      }
    c.overwrite = false;
    c.bias = nullptr;
  }

  static void add_tiles(Index m, Index n, Index k, const Operand& a, const Operand& b, Result c) {
    alignas(64) Scalar panel[panel_depth * tile_packets * lanes];
    for (Index depth = 0; depth < k; depth += panel_depth) {
      const Index slice = std::min(panel_depth, k - depth);
      const Operand slice_of_b{b.data + depth * b.row_step, b.row_step, b.column_step};
      for (Index row = 0; row < m;) {
        const Operand rest{a.data + row * a.row_step + depth * a.column_step, a.row_step, a.column_step};
        const Index left = m - row;
        const auto panel_of = [&]<int packets>() {
          const Index height = std::min(left, packets * lanes);
          add_panel<packets>(height, n, slice, rest, slice_of_b, c.from(row, 0), panel);
          return height;
        };
        // The tallest tile whose last packet is filled at least in part.
        if (left > (tile_packets - 1) * lanes) row += panel_of.template operator()<tile_packets>();
        else if (left > lanes) row += panel_of.template operator()<2>();
        else row += panel_of.template operator()<1>();
      }
      c.overwrite = false;
      c.bias = nullptr;
    }
  }

  /// Copies rows x depth of A so that the rows of a tile of some packets lie side by side, zeros below the last row.
  template <int packets>
  static void pack(Index rows, Index depth, const Operand& a, Scalar* panel) {
    using namespace Eigen::internal;
    using Part = typename unpacket_traits<Packet>::half;
    constexpr Index side = unpacket_traits<Part>::size;
    constexpr Index height = packets * lanes;
    if (rows < height) std::fill(panel, panel + depth * height, Scalar(0));
    if (a.row_step == 1 && rows == height) {
      for (Index p = 0; p < depth; ++p)
        for (Index row = 0; row < height; row += lanes)
          pstore(panel + p * height + row, ploadu<Packet>(a.data + p * a.column_step + row));
      return;
    }
    Index whole = 0;  // how deep square blocks are transposed in registers
    if (a.column_step == 1 && rows == height) {
      for (; whole + side <= depth; whole += side)
        for (Index row = 0; row < height; row += side) {
          PacketBlock<Part, side> block;
          for (Index i = 0; i < side; ++i) block.packet[i] = ploadu<Part>(a.data + (row + i) * a.row_step + whole);
          ptranspose(block);
          for (Index i = 0; i < side; ++i) pstore(panel + (whole + i) * height + row, block.packet[i]);
        }
    }
    for (Index p = whole; p < depth; ++p)
      for (Index i = 0; i < rows; ++i) panel[p * height + i] = a.data[i * a.row_step + p * a.column_step];
  }

  template <int packets>
  static void add_panel(Index rows, Index n, Index depth, const Operand& a, const Operand& b, const Result& c,
                        Scalar* panel) {
    pack<packets>(rows, depth, a, panel);
    alignas(64) Scalar bias[packets * lanes] = {};
    if (c.bias != nullptr) std::copy_n(c.bias, rows, bias);
    Index column = 0;
    const auto tiles = [&]<int columns>() {
      for (; column + columns <= n; column += columns)
        add_tile<packets, columns>(rows, depth, panel, bias,
                                   {b.data + column * b.column_step, b.row_step, b.column_step}, c.from(0, column));
    };
    constexpr int most = tile_columns(packets);
    tiles.template operator()<most>();
    if constexpr (most > 8) tiles.template operator()<most / 2>();
    tiles.template operator()<4>();
    tiles.template operator()<2>();
    tiles.template operator()<1>();
  }

  template <int packets, int columns>
  static void add_tile(Index rows, Index depth, const Scalar* panel, const Scalar* bias, Operand b, const Result& c) {
    using namespace Eigen::internal;
    Packet sums[columns][packets];
    for (auto& column : sums)
      for (auto& sum : column) sum = pzero(sum);
    const Index b_column = b.column_step;
    for (Index p = 0; p < depth; ++p) {
      Packet a[packets];
      for (int v = 0; v < packets; ++v) a[v] = pload<Packet>(panel + v * lanes);
      for (int j = 0; j < columns; ++j) {
        const Packet factor = pset1<Packet>(b.data[j * b_column]);
        for (int v = 0; v < packets; ++v) sums[j][v] = pmadd(a[v], factor, sums[j][v]);
      }
      panel += packets * lanes;
      b.data += b.row_step;
    }
    for (int v = 0; v < packets; ++v) {
      const Packet start = pload<Packet>(bias + v * lanes);
      for (int j = 0; j < columns; ++j) sums[j][v] = padd(start, sums[j][v]);
    }
    if (rows == packets * lanes && c.row_step == 1) {
      for (int j = 0; j < columns; ++j)
        for (int v = 0; v < packets; ++v) {
          Scalar* to = c.data + j * c.column_step + v * lanes;
          pstoreu(to, c.overwrite ? sums[j][v] : padd(ploadu<Packet>(to), sums[j][v]));
        }
    } else {
      alignas(64) Scalar column[packets * lanes];
      for (int j = 0; j < columns; ++j) {
        for (int v = 0; v < packets; ++v) pstore(column + v * lanes, sums[j][v]);
        store(rows, column, c.from(0, j));
      }
    }
  }

  /// Puts a column where it goes, number by number.
  [[gnu::noinline]] static void store(Index rows, const Scalar* column, const Result& c) {
    for (Index i = 0; i < rows; ++i) {
      Scalar& to = c.data[i * c.row_step];
      to = c.overwrite ? column[i] : to + column[i];
    }
  }

  /// The same by dot products, for operands that both run along the depth: one sample, or a head of a few outputs.
  static void add_dots(Index m, Index n, Index k, const Operand& a, const Operand& b, const Result& c) {
    for (Index j = 0; j < n; ++j) {
      const Scalar* x = b.data + j * b.column_step;
      Index i = 0;
      for (; i + 4 <= m; i += 4) add_dots_of<4>(k, a.data + i * a.row_step, a.row_step, x, c.from(i, j));
      for (; i < m; ++i) add_dots_of<1>(k, a.data + i * a.row_step, a.row_step, x, c.from(i, j));
    }
  }

  template <int rows>
  static void add_dots_of(Index k, const Scalar* a, Index a_step, const Scalar* x, const Result& c) {
    using namespace Eigen::internal;
    Packet sums[rows];
    for (auto& sum : sums) sum = pzero(sum);
    Index p = 0;
    for (; p + lanes <= k; p += lanes) {
      const Packet factor = ploadu<Packet>(x + p);
      for (int i = 0; i < rows; ++i) sums[i] = pmadd(ploadu<Packet>(a + i * a_step + p), factor, sums[i]);
    }
    for (int i = 0; i < rows; ++i) {
      Scalar total = predux(sums[i]);
      for (Index q = p; q < k; ++q) total += a[i * a_step + q] * x[q];
      Scalar& to = c.data[i * c.row_step];
      to = c.overwrite ? total : to + total;
    }
  }
};

#pragma GCC diagnostic pop

}  // namespace detail

/// C += A B without allocating. All three are matrices, maps, blocks or transposes of them.
template <class C, class A, class B>
void add_product(C&& c, const A& a, const B& b) {
  using Scalar = typename A::Scalar;
  assert(c.rows() == a.rows() && c.cols() == b.cols() && a.cols() == b.rows());
  detail::Gemm<Scalar>::add(a.rows(), b.cols(), a.cols(), {a.data(), a.rowStride(), a.colStride()},
                            {b.data(), b.rowStride(), b.colStride()}, {c.data(), c.rowStride(), c.colStride()});
}

}  // namespace mellow
