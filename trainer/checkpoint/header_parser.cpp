#include "trainer/checkpoint/header_parser.h"

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

constexpr const char* kMetadataKey = "__metadata__";
constexpr std::size_t kMaxDimensions = 64;  // what LibTorch's iterators take

/// Bytes of a dense tensor, nullopt on overflow. A dimension of 0 counts as 1 here, as it does in
/// strides: [0, 2^62, 2^62] has no bytes but no strides either.
std::optional<std::uint64_t> checked_bytes(const TensorEntry& entry) {
  auto extent = static_cast<std::int64_t>(c10::elementSize(entry.dtype));
  bool empty = false;
  for (const std::int64_t dimension : entry.shape) {
    empty = empty || dimension == 0;
    if (__builtin_mul_overflow(extent, std::max<std::int64_t>(dimension, 1), &extent)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : static_cast<std::uint64_t>(extent);
}

}  // namespace

void HeaderParser::refuse(const std::string& defect) const {
  throw CheckpointError(path_ + ": broken safetensors header: " + defect);
}

void HeaderParser::refuse_value(const std::string& what) const {
  switch (place_) {
    case Place::kStart:
    case Place::kRoot:
      refuse(in_quotes(entry_.name) + " is " + what + ", not an object");
    case Place::kMetadata:
      refuse("metadata " + in_quotes(field_) + " is " + what + ", not a string");
    case Place::kTensor:
    case Place::kShape:
    case Place::kOffsets:
      refuse("tensor " + in_quotes(entry_.name) + ": unexpected " + what + " in " +
             in_quotes(field_));
  }
  refuse("unexpected " + what);
}

bool HeaderParser::number_unsigned(std::uint64_t value) {
  if (place_ == Place::kShape) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      refuse("tensor " + in_quotes(entry_.name) + ": a dimension of " + std::to_string(value));
    }
    if (entry_.shape.size() == kMaxDimensions) {
      refuse("tensor " + in_quotes(entry_.name) + ": more than 64 dimensions");
    }
    entry_.shape.push_back(static_cast<std::int64_t>(value));
  } else if (place_ == Place::kOffsets) {
    if (offsets_ == 2) refuse("tensor " + in_quotes(entry_.name) + ": more than two data_offsets");
    (offsets_ == 0 ? entry_.begin : entry_.end) = value;
    ++offsets_;
  } else {
    refuse_value("a number");
  }
  return true;
}

bool HeaderParser::string(std::string& value) {
  if (place_ == Place::kMetadata) {
    if (!header_.metadata.emplace(field_, std::move(value)).second) {
      refuse("metadata " + in_quotes(field_) + " stands there twice");
    }
  } else if (place_ == Place::kTensor && field_ == "dtype") {
    const auto dtype = dtype_named(value);
    if (!dtype) refuse("tensor " + in_quotes(entry_.name) + ": unknown dtype " + in_quotes(value));
    entry_.dtype = *dtype;
    has_dtype_ = true;
  } else {
    refuse_value("a string");
  }
  return true;
}

bool HeaderParser::start_object(std::size_t) {
  if (place_ == Place::kStart) {
    place_ = Place::kRoot;
  } else if (place_ == Place::kRoot) {
    place_ = entry_.name == kMetadataKey ? Place::kMetadata : Place::kTensor;
    field_.clear();
    has_dtype_ = has_shape_ = has_offsets_ = false;
  } else {
    refuse_value("an object");
  }
  return true;
}

bool HeaderParser::key(std::string& name) {
  if (place_ == Place::kRoot) {
    entry_ = TensorEntry{};
    entry_.name = std::move(name);
    if (!names_.insert(entry_.name).second) refuse(in_quotes(entry_.name) + " stands there twice");
    return true;
  }
  field_ = std::move(name);
  if (place_ == Place::kMetadata) return true;
  const bool* seen = nullptr;
  if (field_ == "dtype") seen = &has_dtype_;
  if (field_ == "shape") seen = &has_shape_;
  if (field_ == "data_offsets") seen = &has_offsets_;
  if (seen == nullptr)
    refuse("tensor " + in_quotes(entry_.name) + ": unknown key " + in_quotes(field_));
  if (*seen) refuse("tensor " + in_quotes(entry_.name) + ": " + in_quotes(field_) + " twice");
  return true;
}

bool HeaderParser::end_object() {
  if (place_ == Place::kTensor) finish_tensor();
  place_ = Place::kRoot;
  return true;
}

bool HeaderParser::start_array(std::size_t) {
  if (place_ == Place::kTensor && field_ == "shape") {
    place_ = Place::kShape;
  } else if (place_ == Place::kTensor && field_ == "data_offsets") {
    place_ = Place::kOffsets;
    offsets_ = 0;
  } else {
    refuse_value("an array");
  }
  return true;
}

bool HeaderParser::end_array() {
  if (place_ == Place::kShape) has_shape_ = true;
  if (place_ == Place::kOffsets) {
    if (offsets_ != 2)
      refuse("tensor " + in_quotes(entry_.name) + ": data_offsets needs two numbers");
    has_offsets_ = true;
  }
  place_ = Place::kTensor;
  return true;
}

bool HeaderParser::parse_error(std::size_t position, const std::string&,
                               const nlohmann::json::exception&) {
  // The library's text would quote the file's bytes, whatever they are.
  refuse("not valid JSON at byte " + std::to_string(position));
}

void HeaderParser::finish_tensor() {
  const std::string tensor = "tensor " + in_quotes(entry_.name);
  if (!has_dtype_) refuse(tensor + " has no dtype");
  if (!has_shape_) refuse(tensor + " has no shape");
  if (!has_offsets_) refuse(tensor + " has no data_offsets");
  const auto bytes = checked_bytes(entry_);
  if (!bytes) refuse(tensor + ": its shape overflows 64 bits");
  if (entry_.begin > entry_.end || entry_.end - entry_.begin != *bytes) {
    refuse(tensor + ": data_offsets [" + std::to_string(entry_.begin) + ", " +
           std::to_string(entry_.end) + "] for a shape and dtype of " + std::to_string(*bytes) +
           " bytes");
  }
  header_.entries.push_back(std::move(entry_));
  entry_ = TensorEntry{};
}

}  // namespace casvit::trainer
