#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <functional>
#include <string>

namespace casvit::trainer {

/// Writes a model aside, hands what was read back from the disk to `check`, and gives the file its
/// name when that returns. @returns its bytes. @throws OutputError, and what `check` throws
std::uint64_t write_onnx(const std::string& path, const onnx::ModelProto& model,
                         const std::function<void(const onnx::ModelProto&)>& check);

/// @throws CheckpointError for a file that is missing or no ONNX model.
onnx::ModelProto read_onnx(const std::string& path);

}  // namespace casvit::trainer
