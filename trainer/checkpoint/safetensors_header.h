#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/checkpoint/input_file.h"
#include "trainer/checkpoint/safetensors.h"

namespace casvit::trainer {

/// One tensor of a safetensors header: its type, shape, and bytes [begin, end) of the data.
struct TensorEntry {
  std::string name;
  at::ScalarType dtype = at::ScalarType::Float;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What a safetensors file says before its data.
struct SafetensorsHeader {
  std::vector<TensorEntry> entries;  ///< in the order of their data
  std::map<std::string, std::string> metadata;
  std::uint64_t data_start = 0;  ///< where the data begin in the file; set by read_header
};

/// The library's own limit (safetensors/src/tensor.rs).
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

/// The format's name of a dtype ("F32"), nullptr where it has none.
const char* dtype_name(at::ScalarType dtype);
/// Position in which the library stores dtypes: the widest first, so that all are aligned.
int dtype_order(at::ScalarType dtype);

/// Parses the JSON text of a header over `data_bytes` bytes of data and checks all of it: types,
/// shapes and offsets without overflow, names once each, nothing nested deeper or named otherwise
/// than the format says, and tensors that tile the data without hole or overlap.
/// @throws CheckpointError naming `path` and the defect.
SafetensorsHeader parse_header(std::string_view text, std::uint64_t data_bytes,
                               const std::string& path);

/// Reads and checks the header of a file. @throws CheckpointError
SafetensorsHeader read_header(const InputFile& file);

/// Reads all tensors that the header of `file` lists, in its order. @throws CheckpointError
std::vector<NamedTensor> read_tensors(const InputFile& file, const SafetensorsHeader& header);

/// The header as it stands in a file: its length, the JSON in the order of `entries`, padding to a
/// multiple of 8 bytes. @throws std::invalid_argument for names or metadata that are not UTF-8, or
/// a header over kMaxHeaderBytes.
std::string print_header(const SafetensorsHeader& header);

}  // namespace casvit::trainer
