#include "trainer/import/stored_tensor.h"

#include <ATen/ops/as_strided.h>
#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>
#include <c10/util/Exception.h>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

std::optional<at::ScalarType> scalar_type(ElementType type) {
  switch (type) {
    case ElementType::kFloat64:
      return at::kDouble;
    case ElementType::kFloat32:
      return at::kFloat;
    case ElementType::kFloat16:
      return at::kHalf;
    case ElementType::kBFloat16:
      return at::kBFloat16;
    case ElementType::kInt64:
      return at::kLong;
    case ElementType::kInt32:
      return at::kInt;
    case ElementType::kInt16:
      return at::kShort;
    case ElementType::kInt8:
      return at::kChar;
    case ElementType::kUint8:
    case ElementType::kBool:
      return at::kByte;
    case ElementType::kOther:
      break;
  }
  return std::nullopt;
}

}  // namespace

at::Tensor read_tensor(const TorchFile& file, const TensorReference& tensor,
                       const std::string& name) {
  const std::optional<at::ScalarType> type = scalar_type(tensor.format.type);
  if (!type) {
    throw CheckpointError(file.path() + ": tensor " + in_quotes(name) + " is of type " +
                          std::string(tensor.format.name) + ", which weights never have");
  }
  const TensorExtent extent = file.locate(tensor, name);
  file.check_storage(tensor.storage);
  try {
    const auto options = at::TensorOptions().dtype(*type).device(at::kCPU);
    if (extent.elements == 0) return at::empty(tensor.shape, options);
    const at::Tensor span = at::empty({static_cast<std::int64_t>(extent.span)}, options);
    file.read(tensor.storage, extent.begin_byte, span.mutable_data_ptr(), span.nbytes());
    return at::as_strided(span, tensor.shape, tensor.strides).contiguous();
  } catch (const c10::Error& error) {
    throw CheckpointError(file.path() + ": no memory for tensor " + in_quotes(name) + ": " +
                          error.what_without_backtrace());
  }
}

}  // namespace casvit::trainer
