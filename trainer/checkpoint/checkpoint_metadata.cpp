#include "trainer/checkpoint/checkpoint_metadata.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "trainer/checkpoint/info_json.h"
#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using nlohmann::json;

constexpr const char* kVersionKey = "casvit_format";
constexpr const char* kInfoKey = "casvit_info";
constexpr const char* kHashesKey = "casvit_xxh3";
constexpr const char* kSealKey = "casvit_seal";
constexpr int kVersion = 1;

std::string hex(std::uint64_t value) {
  std::string digits(16, '0');
  for (auto digit = digits.rbegin(); value != 0; ++digit, value >>= 4) {
    *digit = "0123456789abcdef"[value & 15];
  }
  return digits;
}

std::string hash_of_text(const std::string& text) {
  return hex(XXH3_64bits(text.data(), text.size()));
}

/// Name, dtype and shape of a tensor, for the seal.
json described(const std::string& name, at::ScalarType dtype, at::IntArrayRef shape) {
  return json::array({name, dtype_name(dtype), shape.vec()});
}

/// Dumps cannot fail: both sides come from valid UTF-8 (parsed, or checked by the dump of hashes).
std::string seal_of(std::map<std::string, std::string> metadata, std::vector<json> tensors) {
  metadata.erase(kSealKey);
  std::sort(tensors.begin(), tensors.end());
  return hash_of_text(json::array({metadata, tensors}).dump());
}

const std::string& required(const SafetensorsHeader& header, const char* key,
                            const std::string& path) {
  const auto found = header.metadata.find(key);
  if (found == header.metadata.end()) {
    throw CheckpointError(path + " is not a whole casvit checkpoint: its metadata have no " + key +
                          "; weights alone can be given as model.init");
  }
  return found->second;
}

void check_version(const std::string& text, const std::string& path) {
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc{} || end != text.data() + text.size() || version < 1) {
    throw CheckpointError(path + ": corrupt checkpoint: casvit_format is " + in_quotes(text));
  }
  if (version > kVersion) {
    throw CheckpointError(path + " is a checkpoint of format " + text +
                          ", this program reads up to " + std::to_string(kVersion) +
                          "; use a newer casvit_dist");
  }
}

TensorHashes parse_hashes(const std::string& text, const std::string& path) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) {
    throw CheckpointError(path + ": corrupt checkpoint: casvit_xxh3 is not a JSON object");
  }
  TensorHashes hashes;
  for (const auto& [name, hash] : object.items()) {
    if (!hash.is_string()) {
      throw CheckpointError(path + ": corrupt checkpoint: the hash of " + in_quotes(name) +
                            " is not a string");
    }
    hashes.emplace(name, hash.get<std::string>());
  }
  return hashes;
}

}  // namespace

std::string hash_of(const at::Tensor& tensor) {
  return hex(XXH3_64bits(tensor.const_data_ptr(), tensor.nbytes()));
}

bool is_checkpoint(const std::map<std::string, std::string>& metadata) {
  return std::any_of(metadata.begin(), metadata.end(), [](const auto& entry) {
    return std::string_view(entry.first).starts_with("casvit_");
  });
}

std::map<std::string, std::string> make_metadata(const CheckpointInfo& info,
                                                 const std::vector<NamedTensor>& tensors,
                                                 const std::map<std::string, std::string>& more) {
  TensorHashes hashes;
  std::vector<json> descriptions;
  for (const auto& [name, tensor] : tensors) {
    hashes.emplace(name, hash_of(tensor));
    descriptions.push_back(described(name, tensor.scalar_type(), tensor.sizes()));
  }
  std::map<std::string, std::string> metadata{{"format", "pt"},
                                              {kVersionKey, std::to_string(kVersion)},
                                              {kInfoKey, info_to_json(info)},
                                              {kHashesKey, json(hashes).dump()}};
  metadata.insert(more.begin(), more.end());
  metadata[kSealKey] = seal_of(metadata, std::move(descriptions));
  return metadata;
}

CheckpointMetadata parse_metadata(const SafetensorsHeader& header, const std::string& path) {
  check_version(required(header, kVersionKey, path), path);
  const std::string& info = required(header, kInfoKey, path);
  const std::string& hashes = required(header, kHashesKey, path);
  const std::string& seal = required(header, kSealKey, path);

  std::vector<json> descriptions;
  for (const TensorEntry& entry : header.entries) {
    descriptions.push_back(described(entry.name, entry.dtype, entry.shape));
  }
  if (seal != seal_of(header.metadata, std::move(descriptions))) {
    throw CheckpointError(path + ": corrupt checkpoint: its header differs from what was written");
  }
  CheckpointMetadata result{info_from_json(info, path), parse_hashes(hashes, path)};
  for (const TensorEntry& entry : header.entries) {
    if (!result.hashes.contains(entry.name)) {
      throw CheckpointError(path + ": corrupt checkpoint: no hash for tensor " +
                            in_quotes(entry.name));
    }
  }
  if (result.hashes.size() != header.entries.size()) {
    throw CheckpointError(path + ": corrupt checkpoint: hashes of tensors that it does not have");
  }
  return result;
}

void check_hashes(const std::vector<NamedTensor>& tensors, const TensorHashes& hashes,
                  const std::string& path) {
  for (const auto& [name, tensor] : tensors) {
    if (hash_of(tensor) != hashes.at(name)) {
      throw CheckpointError(path + ": corrupt checkpoint: the bytes of tensor " + in_quotes(name) +
                            " differ from what was written");
    }
  }
}

}  // namespace casvit::trainer
