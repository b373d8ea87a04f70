// SPDX-License-Identifier: Apache-2.0
#include "mellow/tools/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>

#include "mellow/core/error.hpp"
#include "mellow/tools/atomic_file.hpp"

// Layout: u64 length of the header; the header, JSON padded with spaces to a multiple of 8; the data without gaps.
// The header maps each name to {"dtype", "shape", "data_offsets": [begin, end]}, and "__metadata__" to texts.

namespace mellow::tools {
namespace {

using Json = nlohmann::ordered_json;  // keeps the order of keys, which the Python package fixes
namespace fs = std::filesystem;

static_assert(std::endian::native == std::endian::little, "the format is little-endian and read as it is");

constexpr std::string_view metadata_key = "__metadata__";
constexpr std::uint64_t most_header = 100'000'000;  // the format's own limit, in bytes
constexpr std::size_t most_dimensions = 64;         // bounds the memory that a hostile header takes

template <class Scalar>
constexpr std::string_view dtype = std::same_as<Scalar, float> ? "F32" : "F64";

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

/// Names a tensor in a message.
std::string tensor_in(const fs::path& path, std::string_view name) {
  return fmt::format("{}: tensor '{}'", path.string(), name);
}

/// Parses a header and refuses what the parser would accept: repeated names, deep nesting, long arrays.
Json parse_header(const std::string& text, const fs::path& path) {
  std::vector<std::set<std::string>> names;
  std::size_t elements = 0;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (depth > 3) throw Error(path.string(), "the header is nested deeper than the format allows");
    if (event == Event::object_start) names.emplace_back();
    if (event == Event::object_end) names.pop_back();
    if (event == Event::key && !names.back().insert(parsed.get<std::string>()).second) {
      throw Error(path.string(), "a name appears twice in the header", parsed.get<std::string>());
    }
    if (event == Event::array_start) elements = 0;
    if (event == Event::value && depth == 3 && ++elements > most_dimensions) {
      throw Error(path.string(), fmt::format("an array in the header has more than {} elements", most_dimensions));
    }
    return true;
  };
  try {
    auto header = Json::parse(text, check);
    if (!header.is_object()) throw Error(path.string(), "the header must be a JSON object");
    return header;
  } catch (const Json::exception& error) {
    throw Error(path.string(), fmt::format("the header is not valid JSON: {}", error.what()));
  }
}

/// What the header says of a tensor; offsets count from the first byte of the data.
struct Entry {
  std::uint64_t begin, end;
  std::string name;
  std::vector<std::int64_t> shape;
  bool is_double;

  auto order() const { return std::tie(begin, end, name); }
};

Entry read_entry(const fs::path& path, const std::string& name, const Json& json, std::uint64_t data_size) {
  const auto where = tensor_in(path, name);
  const auto field = [&](const char* key) -> const Json& {
    if (!json.is_object() || !json.contains(key))
      throw Error(where, fmt::format("has no field '{}'", key), json.dump());
    return json[key];
  };
  const auto unsigned_array = [&](const char* key) -> const Json& {
    const auto& array = field(key);
    const auto is_size = [](const Json& item) {
      return item.is_number_unsigned() && item.get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
    };
    require(array.is_array() && std::all_of(array.begin(), array.end(), is_size), where,
            fmt::format("{} must be an array of whole numbers", key), array.dump());
    return array;
  };

  const auto& type = field("dtype");
  const bool is_double = type == dtype<double>;
  require(is_double || type == dtype<float>, where, "dtype must be F32 or F64", type.dump());
  auto shape = unsigned_array("shape").get<std::vector<std::int64_t>>();
  const auto& offsets = unsigned_array("data_offsets");
  require(offsets.size() == 2 && offsets[0] <= offsets[1] && offsets[1] <= data_size, where,
          fmt::format("data_offsets must be a range within the {} bytes of data", data_size), offsets.dump());
  const std::uint64_t begin = offsets[0], end = offsets[1], width = is_double ? 8 : 4;
  const auto values = count(shape);
  if (!values || *values != (end - begin) / width || (end - begin) % width != 0) {
    throw Error(where, fmt::format("shape {} does not fit its {} bytes", show(shape), end - begin));
  }
  return {begin, end, name, std::move(shape), is_double};
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

void save_safetensors(const fs::path& path, const std::vector<TensorView>& tensors, const Metadata& metadata) {
  std::vector<const TensorView*> sorted;
  for (const auto& tensor : tensors) sorted.push_back(&tensor);
  // Widest dtype first, so that every value is aligned.
  std::sort(sorted.begin(), sorted.end(), [](const TensorView* a, const TensorView* b) {
    const auto is_float = [](const TensorView* t) { return t->values.index() == 0; };
    return std::pair(is_float(a), std::string_view(a->name)) < std::pair(is_float(b), std::string_view(b->name));
  });

  Json header = Json::object();
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
          header[tensor->name] = {
              {"dtype", dtype<Scalar>}, {"shape", tensor->shape}, {"data_offsets", {begin, data.size()}}};
        },
        tensor->values);
  }

  std::string text;
  try {
    text = header.dump();
  } catch (const Json::exception& error) {
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
    require(texts, path.string(), "__metadata__ must map texts to texts", json.dump());
    result.metadata = json.get<Metadata>();
  }

  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.order() < b.order(); });
  std::uint64_t position = 0;
  for (auto& entry : entries) {
    require(entry.begin == position, tensor_in(path, entry.name),
            fmt::format("must begin where the one before it ends, at byte {} of the data", position), entry.begin);
    position = entry.end;
  }
  require(position == data_size, path.string(), fmt::format("the tensors must fill the {} bytes of data", data_size),
          position);

  for (auto& entry : entries) {
    const auto load = [&]<class Scalar>(std::vector<Scalar> values) {
      values.resize((entry.end - entry.begin) / sizeof(Scalar));
      read(values.data(), entry.end - entry.begin);
      result.tensors.push_back({std::move(entry.name), std::move(entry.shape), std::move(values)});
    };
    if (entry.is_double) load(std::vector<double>());
    else load(std::vector<float>());
  }
  return result;
}

}  // namespace mellow::tools
