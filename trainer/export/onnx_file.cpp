#include "trainer/export/onnx_file.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include "trainer/checkpoint/durable_file.h"
#include "trainer/checkpoint/input_file.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

/// The same model gives the same bytes.
std::string serialized(const onnx::ModelProto& model, const std::string& path) {
  std::string bytes;
  bool is_whole = false;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    is_whole = model.SerializeToCodedStream(&coded);
  }
  if (!is_whole) {
    throw OutputError("cannot write " + path + ": an ONNX file cannot hold more than 2 GB");
  }
  return bytes;
}

}  // namespace

std::uint64_t write_onnx(const std::string& path, const onnx::ModelProto& model,
                         const std::function<void(const onnx::ModelProto&)>& check) {
  const std::string bytes = serialized(model, path);
  AsideFile file(path);
  file.write(bytes.data(), bytes.size());
  check(read_onnx(file.aside()));
  file.commit();
  return bytes.size();
}

onnx::ModelProto read_onnx(const std::string& path) {
  const InputFile file(path);
  std::string bytes(file.bytes(), '\0');
  file.read(0, bytes.data(), bytes.size());
  onnx::ModelProto model;
  if (!model.ParseFromString(bytes)) {
    throw CheckpointError(path + " is not an ONNX model");
  }
  return model;
}

}  // namespace casvit::trainer
