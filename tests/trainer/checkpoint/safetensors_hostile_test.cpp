#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "tests/trainer/checkpoint/example_tensors.h"
#include "tests/trainer/checkpoint/scratch_folder.h"
#include "trainer/checkpoint/safetensors.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string with_length(std::uint64_t length, const std::string& rest) {
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + rest;
}

struct BrokenFile {
  const char* name;
  std::string header;
  std::size_t data_bytes;
  const char* message;
};

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

/// One F32 tensor "t" with the given shape and offsets.
std::string tensor(const std::string& shape, const std::string& offsets,
                   const std::string& dtype = "F32") {
  return R"({"t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
         "}}";
}

std::string two_tensors(const std::string& first, const std::string& second) {
  return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)" + first +
         R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)" + second + "}}";
}

class BrokenHeader : public testing::TestWithParam<BrokenFile> {};

TEST_P(BrokenHeader, IsRefusedByNameAndDefect) {
  const ScratchFolder folder;
  const std::string path = folder / "broken.safetensors";
  const BrokenFile& broken = GetParam();
  write_bytes(path, with_length(broken.header.size(),
                                broken.header + std::string(broken.data_bytes, '\0')));
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(path); }),
              AllOf(HasSubstr(path), HasSubstr(broken.message)));
}

INSTANTIATE_TEST_SUITE_P(
    Safetensors, BrokenHeader,
    testing::Values(
        BrokenFile{"no_header", "", 0, "does not begin with '{'"},
        BrokenFile{"leading_space", " {}", 0, "does not begin with '{'"},
        BrokenFile{"array", "[]", 0, "does not begin with '{'"},
        BrokenFile{"unfinished", R"({"t":{"dtype")", 0, "not valid JSON"},
        BrokenFile{"text_after", "{} x", 0, "not valid JSON"},
        BrokenFile{"bad_utf8", "{\"\xff\":1}", 0, "not valid JSON"},
        BrokenFile{"tensor_is_number", R"({"t":1})", 0, "\"t\" is a number, not an object"},
        BrokenFile{"tensor_is_null", R"({"t":null})", 0, "\"t\" is null"},
        BrokenFile{"tensor_is_array", R"({"t":[]})", 0, "\"t\" is an array"},
        BrokenFile{"metadata_number", R"({"__metadata__":{"a":1}})", 0, "\"a\" is a number"},
        BrokenFile{"metadata_object", R"({"__metadata__":{"a":{}}})", 0, "\"a\" is an object"},
        BrokenFile{"metadata_array", R"({"__metadata__":["a"]})", 0, "is an array"},
        BrokenFile{"metadata_key_twice", R"({"__metadata__":{"a":"1","a":"2"}})", 0, "twice"},
        BrokenFile{"metadata_twice", R"({"__metadata__":{},"__metadata__":{}})", 0, "twice"},
        BrokenFile{"name_twice",
                   R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                   R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                   0, "\"t\" stands there twice"},
        BrokenFile{"key_twice",
                   R"({"t":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}})", 0,
                   "\"dtype\" twice"},
        BrokenFile{"unknown_key",
                   R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":"y"}})", 0,
                   "unknown key \"x\""},
        BrokenFile{"no_dtype", R"({"t":{"shape":[0],"data_offsets":[0,0]}})", 0, "no dtype"},
        BrokenFile{"no_shape", R"({"t":{"dtype":"U8","data_offsets":[0,0]}})", 0, "no shape"},
        BrokenFile{"no_offsets", R"({"t":{"dtype":"U8","shape":[0]}})", 0, "no data_offsets"},
        BrokenFile{"unknown_dtype", tensor("[1]", "[0,4]", "F33"), 4, "unknown dtype \"F33\""},
        BrokenFile{"dtype_number", R"({"t":{"dtype":7}})", 0, "unexpected a number in \"dtype\""},
        BrokenFile{"negative_dimension", tensor("[-1]", "[0,4]"), 4, "negative number"},
        BrokenFile{"fractional_dimension", tensor("[1.0]", "[0,4]"), 4, "no 64-bit integer"},
        BrokenFile{"dimension_over_63_bits", tensor("[9223372036854775808]", "[0,4]"), 4,
                   "dimension of 9223372036854775808"},
        BrokenFile{"dimension_over_64_bits", tensor("[18446744073709551616]", "[0,4]"), 4,
                   "no 64-bit integer"},
        BrokenFile{"nested_shape", tensor("[[1]]", "[0,4]"), 4, "unexpected an array"},
        BrokenFile{"dimension_text", tensor(R"(["1"])", "[0,4]"), 4, "unexpected a string"},
        BrokenFile{"too_many_dimensions", tensor("[" + repeated("1,", 64) + "1]", "[0,4]"), 4,
                   "64 dimensions"},
        BrokenFile{"product_overflows", tensor("[4294967296,4294967296]", "[0,0]"), 0, "overflows"},
        BrokenFile{"strides_overflow", tensor("[0,4611686018427387904,4]", "[0,0]"), 0,
                   "overflows"},
        BrokenFile{"bytes_overflow", tensor("[4611686018427387904]", "[0,0]"), 0, "overflows"},
        BrokenFile{"one_offset", tensor("[1]", "[0]"), 4, "two numbers"},
        BrokenFile{"three_offsets", tensor("[1]", "[0,4,8]"), 4, "more than two"},
        BrokenFile{"offsets_backwards", tensor("[1]", "[4,0]"), 4, "data_offsets [4, 0]"},
        BrokenFile{"offsets_too_short", tensor("[2]", "[0,4]"), 4, "of 8 bytes"},
        BrokenFile{"offsets_too_long", tensor("[1]", "[0,8]"), 8, "of 4 bytes"},
        BrokenFile{"offsets_wrap", tensor("[1]", "[18446744073709551612,0]"), 4, "data_offsets"},
        BrokenFile{"beyond_the_data", tensor("[2]", "[0,8]"), 7, "is cut off"},
        BrokenFile{"data_left_over", tensor("[1]", "[0,4]"), 5, "1 bytes after its last tensor"},
        BrokenFile{"data_without_tensors", "{}", 3, "3 bytes after"},
        BrokenFile{"hole_before", tensor("[1]", "[4,8]"), 8, "leave a hole"},
        BrokenFile{"hole_between", two_tensors("[0,4]", "[5,9]"), 9, "leave a hole"},
        BrokenFile{"overlap", two_tensors("[0,4]", "[3,7]"), 7, "overlap"},
        BrokenFile{"same_bytes_twice", two_tensors("[0,4]", "[0,4]"), 4, "overlap"},
        BrokenFile{"nested_a_million_deep", "{\"t\":" + repeated("[", 1'000'000), 0, "is an array"},
        BrokenFile{"objects_a_million_deep", repeated("{\"t\":", 1'000'000), 0,
                   "unknown key \"t\""},
        BrokenFile{"escape_codes_in_name", "{\"\\u001b[31m\":1}", 0, "\"\\u001b[31m\""}),
    [](const auto& info) { return info.param.name; });

TEST(SafetensorsHostile, HeaderLengthsThatLieAreRefusedBeforeAnythingIsAllocated) {
  const ScratchFolder folder;
  const std::string path = folder / "broken.safetensors";
  for (const std::uint64_t length :
       {std::uint64_t{100'000'001}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    write_bytes(path, with_length(length, "{}"));
    EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(path); }),
                HasSubstr("the limit is 100000000"));
  }
  write_bytes(path, with_length(3, "{}"));
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(path); }), HasSubstr("cut off"));
}

TEST(SafetensorsHostile, FileCutOffAnywhereIsRefused) {
  const ScratchFolder folder;
  write_safetensors(folder / "whole.safetensors",
                    {{"a", counting({3})}, {"b", counting({2}, at::kHalf)}}, {{"key", "value"}});
  const std::string bytes = read_bytes(folder / "whole.safetensors");
  const std::string path = folder / "cut.safetensors";
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    write_bytes(path, bytes.substr(0, length));
    EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(path); }), HasSubstr(path))
        << length << " bytes";
  }
}

TEST(SafetensorsHostile, AnyByteOfTheHeaderMayBeAnything) {
  const ScratchFolder folder;
  write_safetensors(folder / "whole.safetensors",
                    {{"a", counting({3})}, {"b", at::full({2}, true, at::kBool)}},
                    {{"key", "value"}});
  const std::string bytes = read_bytes(folder / "whole.safetensors");
  const std::size_t header_end = bytes.size() - 3 * 4 - 2;
  const std::string path = folder / "changed.safetensors";
  int refused = 0;
  for (std::size_t at = 0; at < header_end; ++at) {
    for (const char value : {'\0', ' ', '"', '[', '}', '0', '9', '-', 'e', '\xff'}) {
      std::string changed = bytes;
      changed[at] = value;
      write_bytes(path, changed);
      try {
        // What is still a safetensors file must be one in full: its tensors take all the data.
        std::size_t data_bytes = 0;
        for (const auto& [name, tensor] : read_safetensors(path).tensors) {
          data_bytes += tensor.nbytes();
        }
        EXPECT_EQ(data_bytes, 3U * 4 + 2) << "byte " << at << " set to " << static_cast<int>(value);
      } catch (const CheckpointError&) {
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(header_end) * 5);
}

TEST(SafetensorsHostile, BooleansOtherThanZeroAndOneAreRefused) {
  const ScratchFolder folder;
  const std::string path = folder / "bool.safetensors";
  const std::string header = tensor("[2]", "[0,2]", "BOOL");
  write_bytes(path, with_length(header.size(), header + std::string("\x01\x02")));
  EXPECT_THAT(message_of<CheckpointError>([&] { read_safetensors(path); }),
              AllOf(HasSubstr("\"t\""), HasSubstr("besides 0 and 1")));
}

TEST(SafetensorsHostile, HeaderPaddedWithSpacesAndOddLengthIsRead) {
  const ScratchFolder folder;
  const std::string path = folder / "odd.safetensors";
  const std::string header = tensor("[1]", "[0,4]") + "   ";
  write_bytes(path, with_length(header.size(), header + std::string(4, '\0')));
  EXPECT_EQ(read_safetensors(path).tensors.size(), 1U);
}

TEST(SafetensorsHostile, MissingFileSaysSo) {
  EXPECT_THAT(message_of<CheckpointError>([] { read_safetensors("/nowhere/a.safetensors"); }),
              AllOf(HasSubstr("/nowhere/a.safetensors"), HasSubstr("No such file")));
}

}  // namespace
}  // namespace casvit::trainer
