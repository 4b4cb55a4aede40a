#include "trainer/checkpoint/safetensors_header.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <tuple>

#include "trainer/checkpoint/header_parser.h"
#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"
#include "trainer/import/torch_file.h"

namespace casvit::trainer {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors data are little-endian and are read as they are");

using nlohmann::json;

struct DtypeName {
  at::ScalarType dtype;
  const char* name;
};

// In the order in which the library writes them (its enum Dtype, backwards).
constexpr std::array<DtypeName, 15> kDtypes{{
    {at::ScalarType::UInt64, "U64"},
    {at::ScalarType::Long, "I64"},
    {at::ScalarType::Double, "F64"},
    {at::ScalarType::Float, "F32"},
    {at::ScalarType::UInt32, "U32"},
    {at::ScalarType::Int, "I32"},
    {at::ScalarType::BFloat16, "BF16"},
    {at::ScalarType::Half, "F16"},
    {at::ScalarType::UInt16, "U16"},
    {at::ScalarType::Short, "I16"},
    {at::ScalarType::Float8_e4m3fn, "F8_E4M3"},
    {at::ScalarType::Float8_e5m2, "F8_E5M2"},
    {at::ScalarType::Char, "I8"},
    {at::ScalarType::Byte, "U8"},
    {at::ScalarType::Bool, "BOOL"},
}};

/// The tensors must follow one another from the first byte of the data to the last.
void check_tiling(const std::vector<TensorEntry>& entries, std::uint64_t data_bytes,
                  const std::string& path) {
  std::uint64_t expected = 0;
  for (const TensorEntry& entry : entries) {
    if (entry.begin != expected) {
      throw CheckpointError(path + ": tensor " + in_quotes(entry.name) + " starts at byte " +
                            std::to_string(entry.begin) + " of the data where " +
                            std::to_string(expected) + " is due: tensors " +
                            (entry.begin < expected ? "overlap" : "leave a hole"));
    }
    expected = entry.end;
  }
  if (expected > data_bytes) {
    throw CheckpointError(path + " is cut off: its tensors take " + std::to_string(expected) +
                          " bytes, " + std::to_string(data_bytes) + " are there");
  }
  if (expected < data_bytes) {
    throw CheckpointError(path + " has " + std::to_string(data_bytes - expected) +
                          " bytes after its last tensor");
  }
}

}  // namespace

const char* dtype_name(at::ScalarType dtype) {
  const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const DtypeName& entry) { return entry.dtype == dtype; });
  return found == kDtypes.end() ? nullptr : found->name;
}

int dtype_order(at::ScalarType dtype) {
  const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const DtypeName& entry) { return entry.dtype == dtype; });
  return static_cast<int>(found - kDtypes.begin());
}

std::optional<at::ScalarType> dtype_named(std::string_view name) {
  const auto* found = std::find_if(kDtypes.begin(), kDtypes.end(),
                                   [&](const DtypeName& entry) { return entry.name == name; });
  if (found == kDtypes.end()) return std::nullopt;
  return found->dtype;
}

SafetensorsHeader parse_header(std::string_view text, std::uint64_t data_bytes,
                               const std::string& path) {
  if (!text.starts_with('{')) {
    throw CheckpointError(path + " is not a safetensors file: its header does not begin with '{'");
  }
  HeaderParser parser(path);
  json::sax_parse(text.begin(), text.end(), &parser);
  SafetensorsHeader header = parser.take();
  std::sort(header.entries.begin(), header.entries.end(),
            [](const TensorEntry& left, const TensorEntry& right) {
              return std::tie(left.begin, left.end, left.name) <
                     std::tie(right.begin, right.end, right.name);
            });
  check_tiling(header.entries, data_bytes, path);
  return header;
}

SafetensorsHeader read_header(const InputFile& file) {
  if (looks_like_torch_file(file)) {
    throw CheckpointError(file.path() + " is no safetensors file but one of torch.save; convert " +
                          "it: casvit_dist import " + file.path() + " -o OUT.safetensors");
  }
  std::uint64_t length = 0;
  if (file.bytes() < sizeof length) {
    throw CheckpointError(file.path() + " is not a safetensors file: it has only " +
                          std::to_string(file.bytes()) + " bytes");
  }
  file.read(0, &length, sizeof length);
  if (length > kMaxHeaderBytes) {
    throw CheckpointError(file.path() + " is not a safetensors file: its header would have " +
                          std::to_string(length) + " bytes, the limit is " +
                          std::to_string(kMaxHeaderBytes));
  }
  if (length > file.bytes() - sizeof length) {
    throw CheckpointError(file.path() + " is cut off: its header has " + std::to_string(length) +
                          " bytes, the file " + std::to_string(file.bytes()));
  }
  std::string text(length, '\0');
  file.read(sizeof length, text.data(), text.size());
  const std::uint64_t data_start = sizeof length + length;
  SafetensorsHeader header = parse_header(text, file.bytes() - data_start, file.path());
  header.data_start = data_start;
  return header;
}

std::string print_header(const SafetensorsHeader& header) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  if (!header.metadata.empty()) object["__metadata__"] = header.metadata;
  for (const TensorEntry& entry : header.entries) {
    object[entry.name] = {{"dtype", dtype_name(entry.dtype)},
                          {"shape", entry.shape},
                          {"data_offsets", {entry.begin, entry.end}}};
  }
  std::string text;
  try {
    text = object.dump();
  } catch (const nlohmann::json::exception& error) {
    throw std::invalid_argument(std::string("tensor names and metadata must be UTF-8: ") +
                                error.what());
  }
  text.append((8 - text.size() % 8) % 8, ' ');
  if (text.size() > kMaxHeaderBytes) {
    throw std::invalid_argument("a safetensors header of " + std::to_string(text.size()) +
                                " bytes is over the format's limit");
  }
  const std::uint64_t length = text.size();
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + text;
}

}  // namespace casvit::trainer
