// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/safetensors.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <tuple>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

// Layout: u64 length of the header; the header, JSON padded with spaces to a multiple of 8; the data without gaps.
// The header maps each name to {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__" to texts.

namespace mellow::tools {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the format is little-endian and read as it is");

constexpr std::string_view metadata_key = "__metadata__";
constexpr std::uint64_t most_header = 100'000'000;  // the format's own limit, in bytes
constexpr std::size_t most_dimensions = 64;         // bounds the memory that a hostile header takes

/// A dtype of the format: its name, and a list of none of its numbers.
struct Dtype {
  std::string_view name;
  detail::ForEachDtype<detail::List> none;
  std::uint64_t width;
};

/// All that are known, the widest first: the order of the variants' alternatives.
const std::array<Dtype, 6> dtypes{{{"U64", std::vector<std::uint64_t>(), 8},
                                   {"I64", std::vector<std::int64_t>(), 8},
                                   {"F64", std::vector<double>(), 8},
                                   {"F32", std::vector<float>(), 4},
                                   {"I32", std::vector<std::int32_t>(), 4},
                                   {"U8", std::vector<std::uint8_t>(), 1}}};

/// The product of the dimensions, or nothing where one is negative or the product overflows.
std::optional<std::uint64_t> count(const std::vector<std::int64_t>& shape) {
  std::uint64_t total = 1;
  bool overflow = false, empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    empty = empty || size == 0;
    overflow = __builtin_mul_overflow(total, static_cast<std::uint64_t>(size), &total) || overflow;
  }
  if (overflow && !empty) return std::nullopt;
  return empty ? 0 : total;
}

std::string show(const std::vector<std::int64_t>& shape) { return fmt::format("[{}]", fmt::join(shape, ", ")); }

/// As much of a text from the file as a message can bear.
std::string brief(std::string_view text) {
  return text.size() <= 160 ? std::string(text) : fmt::format("{}...", text.substr(0, 160));
}

std::string shown(const Json& json) { return brief(json.dump()); }

/// Names a tensor in a message.
std::string tensor_in(const fs::path& path, std::string_view name) {
  return fmt::format("{}: tensor '{}'", path.string(), brief(name));
}

/// Looks through a header for what a parser would accept: repeated names, and nesting and arrays that fill the memory.
class HeaderCheck : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderCheck(const fs::path& path) : path_(path) {}

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(std::int64_t) override { return value(); }
  bool number_unsigned(std::uint64_t) override { return value(); }
  bool number_float(double, const std::string&) override { return value(); }
  bool string(std::string&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override { return false; }
  bool key(std::string& name) override {
    if (names_.back().insert(name).second) return true;
    throw Error(path_.string(), "a name appears twice in the header", brief(name));
  }

 private:
  bool open() {
    if (names_.size() == 3) throw Error(path_.string(), "the header is nested deeper than the format allows");
    names_.emplace_back();
    values_ = 0;
    return true;
  }
  bool close() {
    names_.pop_back();
    return true;
  }
  bool value() {  // the third level holds nothing but arrays of a tensor's sizes
    if (names_.size() < 3 || ++values_ <= most_dimensions) return true;
    throw Error(path_.string(), fmt::format("an array in the header has more than {} elements", most_dimensions));
  }

  const fs::path& path_;
  std::vector<std::set<std::string>> names_;  // in the objects that are open; arrays have none
  std::size_t values_ = 0;
};

Json parse_header(const std::string& text, const fs::path& path) {
  HeaderCheck check(path);
  Json::sax_parse(text, &check);
  try {
    auto header = Json::parse(text);
    if (!header.is_object()) throw Error(path.string(), "the header must be a JSON object");
    return header;
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("the header is not valid JSON: {}", brief(error.what())));
  }
}

/// What the header says of a tensor; offsets count from the first byte of the data.
struct Entry {
  std::uint64_t begin, end;
  std::string name;
  std::vector<std::int64_t> shape;
  const Dtype* dtype;

  auto order() const { return std::tie(begin, end, name); }
};

Entry read_entry(const fs::path& path, const std::string& name, const Json& json, std::uint64_t data_size) {
  const auto where = tensor_in(path, name);
  const auto field = [&](const char* key) -> const Json& {
    if (!json.is_object() || !json.contains(key))
      throw Error(where, fmt::format("has no field '{}'", key), shown(json));
    return json[key];
  };
  const auto unsigned_array = [&](const char* key) -> const Json& {
    const auto& array = field(key);
    const auto is_size = [](const Json& item) {
      return item.is_number_unsigned() && item.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
    };
    require(array.is_array() && std::all_of(array.begin(), array.end(), is_size), where,
            fmt::format("{} must be an array of whole numbers", key), shown(array));
    return array;
  };

  const auto& type = field("dtype");
  const auto known = std::find_if(dtypes.begin(), dtypes.end(), [&](const Dtype& d) { return type == d.name; });
  require(known != dtypes.end(), where, "dtype must be U64, I64, F64, F32, I32 or U8", shown(type));
  auto shape = unsigned_array("shape").get<std::vector<std::int64_t>>();
  const auto& offsets = unsigned_array("data_offsets");
  require(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= data_size, where,
          fmt::format("data_offsets must be a range within the {} bytes of data", data_size), shown(offsets));
  const std::uint64_t begin = offsets[0], end = offsets[1], width = known->width;
  const auto values = count(shape);
  if (!values || *values != (end - begin) / width || (end - begin) % width != 0) {
    throw Error(where, fmt::format("shape {} does not fit its {} bytes", show(shape), end - begin));
  }
  return {begin, end, name, std::move(shape), &*known};
}

}  // namespace

TensorView Tensor::view() const {
  TensorView result{name, shape, {}};
  std::visit([&](const auto& stored) { result.values = std::span(stored); }, values);
  return result;
}

const Tensor& Safetensors::at(std::string_view name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const Tensor& t) { return t.name == name; });
  if (found == tensors.end()) throw Error(path.string(), "has no such tensor", name);
  return *found;
}

const Tensor& Safetensors::at(std::string_view name, const std::vector<std::int64_t>& shape) const {
  const Tensor& tensor = at(name);
  require(tensor.shape == shape, path.string(), fmt::format("tensor \"{}\" should have shape {}", name, show(shape)),
          show(tensor.shape));
  return tensor;
}

void save_safetensors(const fs::path& path, const std::vector<TensorView>& tensors, const Metadata& metadata) {
  std::vector<const TensorView*> sorted;
  sorted.reserve(tensors.size());
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  // Widest dtype first, so that every value is aligned.
  std::sort(sorted.begin(), sorted.end(), [](const TensorView* a, const TensorView* b) {
    const auto order = [](const TensorView* t) { return std::pair(t->values.index(), std::string_view(t->name)); };
    return order(a) < order(b);
  });

  auto header = nlohmann::ordered_json::object();  // the order is part of the format's bytes
  if (!metadata.empty()) header[metadata_key] = metadata;
  std::string data;
  for (const auto* tensor : sorted) {
    const auto where = tensor_in(path, tensor->name);
    if (tensor->name == metadata_key) throw Error(where, "the format reserves this name");
    if (header.contains(tensor->name)) throw Error(where, "two tensors have this name");
    std::visit(
        [&]<class Scalar>(std::span<const Scalar> values) {
          if (count(tensor->shape) != values.size()) {
            throw Error(where, fmt::format("shape {} does not fit {} values", show(tensor->shape), values.size()));
          }
          const auto begin = data.size();
          data.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
          header[tensor->name] = {{"dtype", dtypes[tensor->values.index()].name},
                                  {"shape", tensor->shape},
                                  {"data_offsets", {begin, data.size()}}};
        },
        tensor->values);
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const nlohmann::ordered_json::exception& error) {
    throw Error(path.string(), fmt::format("a name or a metadata text is not UTF-8: {}", error.what()));
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  require(text.size() <= most_header, path.string(), fmt::format("the header must be at most {} bytes", most_header),
          text.size());
  const std::uint64_t length = text.size();
  std::string file(reinterpret_cast<const char*>(&length), sizeof length);
  write_file_atomically(path, file.append(text).append(data));
}

Safetensors load_safetensors(const fs::path& path) {
  std::error_code code;
  const std::uint64_t file_size = fs::file_size(path, code);
  if (code) throw Error(path.string(), "cannot read: " + code.message());
  std::ifstream file(path, std::ios::binary);
  const auto read = [&](void* to, std::uint64_t size) {
    if (!file.read(static_cast<char*>(to), static_cast<std::streamsize>(size)))
      throw Error(path.string(), "cannot read");
  };

  std::uint64_t length = 0;
  require(file_size >= sizeof length, path.string(), "is too short for a safetensors file, in bytes", file_size);
  read(&length, sizeof length);
  require(length <= std::min(file_size - sizeof length, most_header), path.string(),
          "the header's length is beyond the file or the format's limit", length);
  std::string text(length, ' ');
  read(text.data(), length);
  const std::uint64_t data_size = file_size - sizeof length - length;

  Safetensors result{path, {}, {}};
  std::vector<Entry> entries;
  const auto header = parse_header(text, path);
  for (const auto& [name, json] : header.items()) {
    if (name != metadata_key) {
      entries.push_back(read_entry(path, name, json, data_size));
      continue;
    }
    const bool texts =
        json.is_object() && std::all_of(json.begin(), json.end(), [](const Json& j) { return j.is_string(); });
    require(texts, path.string(), "__metadata__ must map texts to texts", shown(json));
    result.metadata = json.get<Metadata>();
  }

  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.order() < b.order(); });
  std::uint64_t position = 0;
  for (auto& entry : entries) {
    if (entry.begin != position)
      throw Error(tensor_in(path, entry.name),
                  fmt::format("must begin where the one before it ends, at byte {} of the data", position),
                  entry.begin);
    position = entry.end;
  }
  require(position == data_size, path.string(), fmt::format("the tensors must fill the {} bytes of data", data_size),
          position);

  for (auto& entry : entries) {
    auto values = entry.dtype->none;
    std::visit(
        [&]<class Scalar>(std::vector<Scalar>& numbers) {
          numbers.resize((entry.end - entry.begin) / sizeof(Scalar));
          read(numbers.data(), entry.end - entry.begin);
        },
        values);
    result.tensors.push_back({std::move(entry.name), std::move(entry.shape), std::move(values)});
  }
  return result;
}

}  // namespace mellow::tools
