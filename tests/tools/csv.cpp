// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/csv.hpp"

#include <cstdlib>
#include <limits>
#include <vector>

#include "../support/catch.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Matchers::Contains;

TEST_CASE("CsvWriter writes the shortest exact numbers, empty cells for NaN and quoted text") {
  const TemporaryDirectory directory;
  const auto path = directory / "new/table.csv";
  const double nan = std::numeric_limits<double>::quiet_NaN();
  {
    CsvWriter table(path, {"step", "loss, mean", "note"});
    table.row({1000, 0.1, "plain"});
    table.row({2e300, -nan, "a \"quote\""});
    table.row(std::vector<CsvCell>{-0.0, 1.0 / 3, -std::numeric_limits<double>::infinity()});
  }
  CHECK(read_file(path) ==
        "step,\"loss, mean\",note\n"
        "1000,0.1,plain\n"
        "2e+300,,\"a \"\"quote\"\"\"\n"
        "-0,0.3333333333333333,-inf\n");
  CHECK(directory.size() == 2);
}

TEST_CASE("CsvWriter keeps a lone empty cell from being an empty line") {
  const TemporaryDirectory directory;
  CsvWriter table(directory / "t.csv", {"x"});
  table.row({std::numeric_limits<double>::quiet_NaN()});
  table.finish();
  CHECK(read_file(directory / "t.csv") == "x\n\"\"\n");
}

TEST_CASE("CsvWriter shows rows during the run and harms no older table before the end") {
  const TemporaryDirectory directory;
  const auto path = directory / "t.csv", part = directory / "t.csv.part";
  { CsvWriter(path, {"old"}).finish(); }
  CsvWriter table(path, {"x", "y"});
  CHECK(read_file(part) == "x,y\n");
  table.row({1, 2});
  table.flush();
  CHECK(read_file(part) == "x,y\n1,2\n");
  CHECK(read_file(path) == "old\n");
  table.finish();
  table.finish();
  CHECK(read_file(path) == "x,y\n1,2\n");
  CHECK_FALSE(std::filesystem::exists(part));
}

TEST_CASE("CsvWriter refuses rows that do not fit, and rows after the end") {
  const TemporaryDirectory directory;
  CsvWriter table(directory / "t.csv", {"x", "y"});
  CHECK_THROWS_WITH(table.row({1}), Contains("t.csv") && Contains("2 cells (got 1)"));
  CHECK_THROWS_WITH(table.row(std::vector<CsvCell>{1, 2, 3}), Contains("2 cells (got 3)"));
  CHECK_THROWS_AS(table.row(std::vector<CsvCell>()), Error);
  table.row({1, 2});
  table.finish();
  CHECK(read_file(directory / "t.csv") == "x,y\n1,2\n");
  CHECK_THROWS_WITH(table.row({1, 2}), Contains("finished"));
  CHECK_THROWS_WITH(table.flush(), Contains("finished"));
}

TEST_CASE("CsvWriter names the path that it cannot write") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH(CsvWriter(directory / "t.csv", {}), Contains("t.csv"));
  { CsvWriter(directory / "file", {"x"}); }
  CHECK_THROWS_WITH(CsvWriter(directory / "file/t.csv", {"x"}), Contains("file/t.csv"));
  std::filesystem::create_symlink("/dev/full", directory / "full.csv.part");
  CHECK_THROWS_WITH(CsvWriter(directory / "full.csv", {"x"}), Contains("full.csv") && Contains("No space left"));
}

TEST_CASE("A table that is gone on with loses no row and keeps none too many") {
  const TemporaryDirectory directory;
  const auto path = directory / "table.csv";
  std::int64_t size = 0;
  {
    tools::CsvWriter csv(path, {"a", "b"});
    csv.row({1, 2});
    size = csv.sync();
    csv.row({3, 4});
  }
  {
    tools::CsvWriter csv(path, {"a", "b"}, size);
    csv.row({5, 6});
  }
  CHECK(read_file(path) == "a,b\n1,2\n5,6\n");
  CHECK_THROWS_WITH(tools::CsvWriter(path, {"a", "c"}, size), Contains("other columns"));
  CHECK_THROWS_WITH(tools::CsvWriter(path, {"a", "b"}, 1'000), Contains("rows are missing"));
  CHECK_THROWS_WITH(tools::CsvWriter(directory / "none.csv", {"a", "b"}, 8), Contains("cannot go on"));
}
