#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "trainer/checkpoint/safetensors_header.h"

namespace casvit::trainer {

/// The dtype that the format calls `name`.
std::optional<at::ScalarType> dtype_named(std::string_view name);

/// Takes a safetensors header from nlohmann's SAX parser, event by event. The format has one fixed
/// shape, so the place in it is a plain state and anything else is refused where it stands: no tree
/// is built, whatever the nesting or size of what a hostile file brings. All refusals are
/// CheckpointErrors that name `path`.
class HeaderParser final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit HeaderParser(const std::string& path) : path_(path) {}

  /// The result, once parsing has ended; offsets are not yet compared with one another.
  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { refuse_value("null"); }
  bool boolean(bool) override { refuse_value("a boolean"); }
  bool number_integer(std::int64_t) override { refuse_value("a negative number"); }
  bool number_float(double, const std::string&) override {
    refuse_value("a number that is no 64-bit integer");
  }
  bool binary(nlohmann::json::binary_t&) override { refuse_value("binary data"); }
  bool number_unsigned(std::uint64_t value) override;
  bool string(std::string& value) override;
  bool start_object(std::size_t) override;
  bool key(std::string& name) override;
  bool end_object() override;
  bool start_array(std::size_t) override;
  bool end_array() override;
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception& error) override;

 private:
  enum class Place { kStart, kRoot, kMetadata, kTensor, kShape, kOffsets };

  [[noreturn]] void refuse(const std::string& defect) const;
  [[noreturn]] void refuse_value(const std::string& what) const;
  void finish_tensor();

  const std::string& path_;
  Place place_ = Place::kStart;
  SafetensorsHeader header_;
  std::unordered_set<std::string> names_;  ///< of tensors, and `__metadata__`
  std::string field_;                      ///< the key last read inside a tensor or the metadata
  // The tensor being read.
  TensorEntry entry_;
  bool has_dtype_ = false;
  bool has_shape_ = false;
  bool has_offsets_ = false;
  int offsets_ = 0;
};

}  // namespace casvit::trainer
