// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/csv_table.hpp"

#include <cmath>
#include <limits>

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"
#include "mellow/tools/csv.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Matchers::Message;

namespace {
CsvTable load(const TemporaryDirectory& directory, const std::string& text) {
  write_file_atomically(directory / "t.csv", text);
  return CsvTable(directory / "t.csv");
}
}  // namespace

TEST_CASE("CsvTable reads what CsvWriter writes") {
  const TemporaryDirectory directory;
  const double nan = std::numeric_limits<double>::quiet_NaN();
  {
    CsvWriter writer(directory / "t.csv", {"step", "a, \"b\""});
    writer.row({0.1, "line\nand, \"quote\""});
    writer.row({nan, ""});
    writer.row({-1e300, "x"});
  }
  const CsvTable table(directory / "t.csv");
  CHECK(table.columns() == std::vector<std::string>{"step", "a, \"b\""});
  REQUIRE(table.rows() == 3);
  CHECK(table.column("a, \"b\"") == 1);
  CHECK(table.number(0, 0) == 0.1);
  CHECK(table.text(0, 1) == "line\nand, \"quote\"");
  CHECK(std::isnan(table.number(1, 0)));
  CHECK(table.text(1, 1).empty());
  CHECK(table.number(2, 0) == -1e300);
}

TEST_CASE("CsvTable reads other programs' files: line ends, empty lines, a mark, no last line end") {
  const TemporaryDirectory directory;
  const CsvTable table = load(directory,
                              "\xef\xbb\xbf"
                              "a,b\r\n\r\n1,+2\r\n\n\"\",\"\"\"\"\n,inf");
  REQUIRE(table.rows() == 3);
  CHECK(table.column("a") == 0);
  CHECK(table.number(0, 1) == 2);
  CHECK(table.text(1, 1) == "\"");
  CHECK(table.text(2, 0).empty());
  CHECK(std::isinf(table.number(2, 1)));
  CHECK(load(directory, "a").rows() == 0);
}

TEST_CASE("CsvTable says where a file is wrong") {
  const TemporaryDirectory directory;
  const auto path = (directory / "t.csv").string();
  const auto refused = [&](const std::string& text, const std::string& message) {
    CHECK_THROWS_MATCHES(load(directory, text), Error, Message(path + message));
  };
  refused("", ": a table needs a heading");
  refused("\n\n", ": a table needs a heading");
  refused("a,b,a\n", ":1: the name of a column comes twice (got a)");
  refused("a,b\n\n1,2\n1,2,3\n", ":4: a row must have 2 cells, as the heading has (got 3)");
  refused("a,b\n\"1\n2\",3\n4\n", ":4: a row must have 2 cells, as the heading has (got 1)");
  refused("a,b\n1,\"2\n3,4\n", ":2: a quote is not closed");
  refused("a,b\n1,\"2\"3\n", ":2: a quoted cell must end at a comma or a line's end");
  const CsvTable table = load(directory, "a,score\n1,2\n1,2x\n1, 3\n");
  CHECK_THROWS_MATCHES(table.number(1, 1), Error, Message(path + ":3: column score must hold a number (got 2x)"));
  CHECK_THROWS_AS(table.number(2, 1), Error);
  CHECK_THROWS_MATCHES(table.column("Score"), Error, Message(path + ": there is no column \"Score\"; it has a, score"));
  CHECK_THROWS_MATCHES(CsvTable(directory / "absent.csv"), Error,
                       Message((directory / "absent.csv").string() + ": cannot be read: No such file or directory"));
  CHECK_THROWS_MATCHES(CsvTable(directory.path()), Error,
                       Message(directory.path().string() + ": cannot be read: Is a directory"));
}
