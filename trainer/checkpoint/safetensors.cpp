#include "trainer/checkpoint/safetensors.h"

#include <ATen/ops/empty.h>
#include <c10/core/TensorOptions.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "trainer/checkpoint/durable_file.h"
#include "trainer/checkpoint/quoted_name.h"
#include "trainer/checkpoint/safetensors_header.h"
#include "trainer/error.h"

namespace casvit::trainer {
namespace {

at::Tensor allocate(const TensorEntry& entry, const std::string& path) {
  try {
    return at::empty(entry.shape, at::TensorOptions().dtype(entry.dtype).device(at::kCPU));
  } catch (const c10::Error& error) {
    throw CheckpointError(path + ": no memory for tensor " + in_quotes(entry.name) + " of " +
                          std::to_string(entry.end - entry.begin) +
                          " bytes: " + error.what_without_backtrace());
  }
}

/// A bool that is neither 0 nor 1 would be undefined behaviour wherever it is used.
void check_booleans(const at::Tensor& tensor, const std::string& name, const std::string& path) {
  const auto* bytes = static_cast<const unsigned char*>(tensor.const_data_ptr());
  if (std::any_of(bytes, bytes + tensor.nbytes(), [](unsigned char byte) { return byte > 1; })) {
    throw CheckpointError(path + ": BOOL tensor " + in_quotes(name) +
                          " has values besides 0 and 1");
  }
}

void check_writable(const std::vector<NamedTensor>& tensors) {
  std::unordered_set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    const std::string what = "safetensors: tensor " + in_quotes(name);
    if (name == "__metadata__") throw std::invalid_argument(what + ": the name is reserved");
    if (!names.insert(name).second) throw std::invalid_argument(what + " is given twice");
    if (!tensor.defined() || tensor.layout() != at::kStrided) {
      throw std::invalid_argument(what + " is not a dense tensor");
    }
    if (dtype_name(tensor.scalar_type()) == nullptr) {
      throw std::invalid_argument(what + ": the format has no dtype " +
                                  c10::toString(tensor.scalar_type()));
    }
  }
}

}  // namespace

const at::Tensor* TensorFile::find(const std::string& name) const {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const NamedTensor& entry) { return entry.name == name; });
  return found == tensors.end() ? nullptr : &found->tensor;
}

void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  check_writable(tensors);
  std::vector<const NamedTensor*> order;
  order.reserve(tensors.size());
  for (const NamedTensor& entry : tensors) order.push_back(&entry);
  std::sort(order.begin(), order.end(), [](const NamedTensor* left, const NamedTensor* right) {
    const int left_order = dtype_order(left->tensor.scalar_type());
    const int right_order = dtype_order(right->tensor.scalar_type());
    return std::tie(left_order, left->name) < std::tie(right_order, right->name);
  });

  SafetensorsHeader header;
  header.metadata = metadata;
  std::uint64_t offset = 0;
  for (const NamedTensor* entry : order) {
    const std::uint64_t end = offset + entry->tensor.nbytes();
    header.entries.push_back(
        {entry->name, entry->tensor.scalar_type(), entry->tensor.sizes().vec(), offset, end});
    offset = end;
  }
  const std::string text = print_header(header);

  AsideFile file(path);
  file.write(text.data(), text.size());
  for (const NamedTensor* entry : order) {
    const at::Tensor stored = stored_form(entry->tensor);
    file.write(stored.const_data_ptr(), stored.nbytes());
  }
  file.commit();
}

at::Tensor stored_form(const at::Tensor& tensor) {
  return tensor.detach().to(at::kCPU).contiguous(at::MemoryFormat::Contiguous);
}

std::vector<NamedTensor> read_tensors(const InputFile& file, const SafetensorsHeader& header) {
  std::vector<NamedTensor> tensors;
  tensors.reserve(header.entries.size());
  for (const TensorEntry& entry : header.entries) {
    at::Tensor tensor = allocate(entry, file.path());
    file.read(header.data_start + entry.begin, tensor.mutable_data_ptr(), entry.end - entry.begin);
    if (entry.dtype == at::ScalarType::Bool) check_booleans(tensor, entry.name, file.path());
    tensors.push_back({entry.name, std::move(tensor)});
  }
  return tensors;
}

TensorFile read_safetensors(const std::string& path) {
  const InputFile file(path);
  SafetensorsHeader header = read_header(file);
  TensorFile result;
  result.tensors = read_tensors(file, header);
  result.metadata = std::move(header.metadata);
  return result;
}

}  // namespace casvit::trainer
