// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/safetensors.hpp"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>

#include "../support/catch.hpp"
#include "../support/python.hpp"
#include "../support/temporary_directory.hpp"
#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

using namespace mellow;
using namespace mellow::tools;
using Catch::Matchers::Contains;

namespace {

std::string bytes_of(const auto& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(values[0])};
}

/// A file with this header, its length in front, and these data.
std::string file_of(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string file(8, '\0');
  std::memcpy(file.data(), &length, 8);
  return file + header + data;
}

/// What loading `bytes` says, or an empty text where it loads.
std::string complaint(const std::string& bytes) {
  const TemporaryDirectory directory;
  const auto path = directory / "attack.safetensors";
  std::ofstream(path, std::ios::binary) << bytes;
  try {
    load_safetensors(path);
    return "";
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Contains("attack.safetensors"));
    return error.what();
  }
}

const std::vector<float> three = {0, 1, 2}, one = {1}, none = {};
const std::vector<double> two = {2}, pair = {1, 1};
const std::vector<std::int64_t> large = {-1, std::int64_t{1} << 40};
const std::vector<std::uint64_t> unsigned_one = {~std::uint64_t{0}};
const std::vector<std::int32_t> small = {-7};
const std::vector<std::uint8_t> bytes = {0, 127, 255};

std::vector<TensorView> several() {
  return {{"b", {3}, three}, {"a", {}, two}, {"z", {0, 3}, none}, {"\u00e9\"\n\x01", {1}, one}, {"c/d", {1, 2}, pair}};
}

std::vector<TensorView> all_dtypes() {
  return {{"u8", {3}, bytes}, {"i32", {1}, small}, {"f32", {3}, three},
          {"f64", {2}, pair}, {"i64", {2}, large}, {"u64", {1}, unsigned_one}};
}

}  // namespace

TEST_CASE("save_safetensors writes the bytes of the Python package") {
  const TemporaryDirectory directory;
  const auto path = directory / "new/t.safetensors";
  save_safetensors(path, several(), {{"k", "v\u00e9\x7f"}});
  // Written by safetensors 0.8.0, numpy.save_file of the same tensors and metadata.
  const std::string header =
      "{\"__metadata__\":{\"k\":\"v\u00e9\x7f\"},"
      "\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
      "\"c/d\":{\"dtype\":\"F64\",\"shape\":[1,2],\"data_offsets\":[8,24]},"
      "\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
      "\"z\":{\"dtype\":\"F32\",\"shape\":[0,3],\"data_offsets\":[36,36]},"
      "\"\u00e9\\\"\\n\\u0001\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[36,40]}}   ";
  CHECK(header.size() == 320);
  CHECK(read_file(path) == file_of(header, bytes_of(two) + bytes_of(pair) + bytes_of(three) + bytes_of(one)));
}

TEST_CASE("load_safetensors returns what was saved, bit for bit") {
  const TemporaryDirectory directory;
  const auto path = directory / "t.safetensors";
  const std::vector<float> odd = {-0.0f, INFINITY, std::numeric_limits<float>::denorm_min(), NAN};
  auto saved = several();
  for (const auto& tensor : all_dtypes()) saved.push_back(tensor);
  saved.push_back({"odd", {2, 2}, odd});
  const Metadata metadata = {{"", "empty name"}, {"step", "5"}};
  save_safetensors(path, saved, metadata);
  const auto loaded = load_safetensors(path);
  CHECK(loaded.metadata == metadata);
  CHECK(loaded.tensors.size() == saved.size());
  for (const auto& tensor : saved) {
    const auto& found = loaded.at(tensor.name);
    CHECK(found.shape == tensor.shape);
    REQUIRE(found.values.index() == tensor.values.index());
    const auto bits = [](const TensorView& view) {
      return std::visit([](auto v) { return bytes_of(v); }, view.values);
    };
    CHECK(bits(found.view()) == bits(tensor));
  }
  CHECK_THROWS_WITH(loaded.at("absent"), Contains("t.safetensors") && Contains("absent"));

  save_safetensors(path, {});
  CHECK(load_safetensors(path).tensors.empty());
}

TEST_CASE("the Python package reads what save_safetensors writes, and the reverse") {
  const std::string python = python_with("safetensors, numpy");
  if (python.empty()) return;
  const TemporaryDirectory directory;
  save_safetensors(directory / "ours", several(), {{"k", "v"}});
  const std::string script =
      "import sys, safetensors.numpy as s, safetensors as t\n"
      "m = s.load_file(sys.argv[1]); assert m['b'].tolist() == [0, 1, 2] and m['a'].shape == () and m['z'].shape == "
      "(0, 3)\n"
      "assert t.safe_open(sys.argv[1], 'numpy').metadata() == {'k': 'v'}\n"
      "s.save_file(m, sys.argv[2], {'k': 'v'})\n";
  write_file_atomically(directory / "script.py", script);
  const auto path = [&](const char* name) { return " " + (directory / name).string(); };
  REQUIRE(std::system((python + path("script.py") + path("ours") + path("theirs")).c_str()) == 0);
  CHECK(load_safetensors(directory / "theirs").tensors.size() == 5);
  CHECK(read_file(directory / "theirs") == read_file(directory / "ours"));

  save_safetensors(directory / "ours", all_dtypes());
  write_file_atomically(
      directory / "script.py",
      "import sys, safetensors.numpy as s\n"
      "m = s.load_file(sys.argv[1])\n"
      "assert all(str(m[k].dtype) == {'u': 'uint', 'i': 'int', 'f': 'float'}[k[0]] + k[1:] for k in m)\n"
      "assert m['i64'].tolist() == [-1, 2**40] and m['u64'].tolist() == [2**64 - 1] and "
      "m['i32'].tolist() == [-7] and m['u8'].tolist() == [0, 127, 255]\n"
      "s.save_file(m, sys.argv[2])\n");
  REQUIRE(std::system((python + path("script.py") + path("ours") + path("theirs")).c_str()) == 0);
  CHECK(read_file(directory / "theirs") == read_file(directory / "ours"));
}

TEST_CASE("save_safetensors refuses tensors that the format cannot hold") {
  const TemporaryDirectory directory;
  const auto path = directory / "t.safetensors";
  const auto refused = [&](const std::vector<TensorView>& tensors, const char* message) {
    CHECK_THROWS_WITH(save_safetensors(path, tensors), Contains("t.safetensors") && Contains(message));
  };
  refused({{"w", {2}, three}}, "tensor 'w': shape [2] does not fit 3 values");
  refused({{"w", {-1, -3}, three}}, "shape [-1, -3]");
  refused({{"w", {}, none}}, "shape [] does not fit 0 values");
  refused({{"w", {3}, three}, {"w", {}, two}}, "tensor 'w': two tensors");
  refused({{"__metadata__", {3}, three}}, "reserves");
  refused({{"\xff", {3}, three}}, "UTF-8");
  CHECK(directory.size() == 0);
}

TEST_CASE("load_safetensors refuses malformed files and says why") {
  const auto tensor = [](const std::string& body) { return file_of("{\"w\":{" + body + "}}", std::string(8, 'x')); };
  const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  CHECK(complaint(tensor(good)).empty());

  CHECK_THAT(complaint(""), Contains("too short") && Contains("got 0"));
  CHECK_THAT(complaint("1234567"), Contains("too short"));
  CHECK_THAT(complaint(std::string(8, '\xff')), Contains("length") && Contains("18446744073709551615"));
  CHECK_THAT(complaint(file_of("{}").substr(0, 9)), Contains("length") && Contains("got 2"));
  CHECK_THAT(complaint(file_of("")), Contains("JSON"));
  CHECK_THAT(complaint(file_of("{\"w\":")), Contains("JSON"));
  CHECK_THAT(complaint(file_of("{} {}")), Contains("JSON"));
  CHECK_THAT(complaint(file_of("[]")), Contains("object"));
  CHECK_THAT(complaint(file_of("{\"\xff\":1}")), Contains("JSON"));
  CHECK_THAT(complaint(file_of(std::string(100000, '['))), Contains("nested"));
  CHECK_THAT(complaint(file_of("{\"__metadata__\":{\"a\":1}}")), Contains("__metadata__"));
  CHECK_THAT(complaint(file_of("{\"__metadata__\":[]}")), Contains("__metadata__"));
  CHECK_THAT(complaint(file_of("{\"w\":3}")), Contains("'w'") && Contains("got 3"));

  const auto refused = [&](const std::string& body, const char* message) {
    CHECK_THAT(complaint(tensor(body)), Contains("tensor 'w'") && Contains(message));
  };
  refused(R"("shape":[2],"data_offsets":[0,8])", "'dtype'");
  refused(R"("dtype":"F32","data_offsets":[0,8])", "'shape'");
  refused(R"("dtype":"F32","shape":[2])", "'data_offsets'");
  refused(R"("dtype":"BF16","shape":[2],"data_offsets":[0,8])", "(got \"BF16\")");
  refused(R"("dtype":7,"shape":[2],"data_offsets":[0,8])", "(got 7)");
  refused(R"("dtype":"F32","shape":2,"data_offsets":[0,8])", "shape");
  refused(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])", "(got [-2])");
  refused(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])", "(got [2.0])");
  refused(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8])", "whole numbers");
  refused(R"("dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8])", "does not fit");
  refused(R"("dtype":"F32","shape":[4611686018427387904,4,2],"data_offsets":[0,8])", "does not fit");
  refused(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])", "shape [3] does not fit its 8 bytes");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[0,7])", "does not fit its 7 bytes");
  refused(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])", "(got [8,0])");
  refused(R"("dtype":"F32","shape":[2],"data_offsets":[8,16])", "within the 8 bytes");
  refused(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])", "(got [0,8,8])");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])", "must begin");
  CHECK_THAT(complaint(tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])")), Contains("fill the 8 bytes"));
  CHECK_THAT(complaint(tensor(good + "}, \"w\":{" + good)), Contains("twice") && Contains("got w"));
  CHECK_THAT(complaint(tensor(good + R"(,"dtype":"F64")")), Contains("twice"));
  CHECK_THAT(complaint(tensor(good + "}, \"v\":{" + good)), Contains("tensor 'w'") && Contains("must begin"));
  const std::string huge(1'000'000, 'n');
  CHECK(complaint(file_of("{\"" + huge + "\":3}")).size() < 1000);
  CHECK(complaint(file_of("{\"w\":\"" + huge + "\"}")).size() < 1000);
  CHECK(complaint(file_of("{\"w\":\"" + huge)).size() < 1000);
  std::string ones = "1";
  for (int i = 0; i < 100; ++i) ones += ",1";
  CHECK_THAT(complaint(tensor("\"shape\":[" + ones + "]")), Contains("64"));
}

TEST_CASE("load_safetensors survives any truncation and any changed byte") {
  const TemporaryDirectory directory;
  save_safetensors(directory / "t", several(), {{"k", "v"}});
  const auto whole = read_file(directory / "t");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK_FALSE(complaint(whole.substr(0, size)).empty());
  }
  CHECK_FALSE(complaint(whole + 'x').empty());
  for (std::size_t i = 0; i < 8 + 320; ++i) {
    for (const char change : {'\x01', '\x10', '\x80'}) {
      auto changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ change);
      complaint(changed);  // loads, or throws Error; anything else ends the test
    }
  }
}

TEST_CASE("load_safetensors reads a header of many names in little time") {
  std::string header = "{";
  for (int i = 0; i < 20000; ++i) {
    header += fmt::format("{}\"{}\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}", i == 0 ? "" : ",", i);
  }
  CHECK(complaint(file_of(header + "}")).empty());
}

TEST_CASE("load_safetensors names a file that is not there") {
  const TemporaryDirectory directory;
  CHECK_THROWS_WITH(load_safetensors(directory / "absent"), Contains("absent") && Contains("No such file"));
  CHECK_THROWS_WITH(load_safetensors(directory.path()), Contains("cannot read"));
}
