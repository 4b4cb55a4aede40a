#include "trainer/import/rebuilt_tensor.h"

#include <limits>
#include <string>
#include <utility>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/import/known_globals.h"
#include "trainer/import/pickle_calls.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;

/// torch.save's are numbers. Long ones, often referred to, would take long to compare.
constexpr std::size_t kLongestKey = 256;
/// Convolution weights have four.
constexpr std::size_t kMaxDimensions = 8;

std::vector<std::int64_t> sizes_of(const PickleGraph& graph, ValueId id, const char* what) {
  const PickleValue& value = graph[id];
  if (value.kind != Kind::kTuple || value.items.size() > kMaxDimensions) {
    throw PickleDefect(std::string("describes a tensor whose ") + what + " is no tuple of up to " +
                       std::to_string(kMaxDimensions) + " integers");
  }
  std::vector<std::int64_t> sizes;
  sizes.reserve(value.items.size());
  for (const ValueId item : value.items) {
    if (graph[item].kind != Kind::kInteger || graph[item].integer < 0) {
      throw PickleDefect(std::string("describes a tensor whose ") + what +
                         " has something else in it than integers from 0");
    }
    sizes.push_back(graph[item].integer);
  }
  return sizes;
}

bool product_fits(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  for (const std::int64_t size : shape) {
    if (__builtin_mul_overflow(product, size, &product)) return false;
  }
  return true;
}

}  // namespace

ValueId rebuild_tensor(PickleGraph& graph, const KnownGlobal& function,
                       const std::vector<ValueId>& arguments) {
  constexpr std::size_t kDtypePlace = 6;
  if (arguments.size() < 4 || graph[arguments[0]].kind != Kind::kStorage ||
      graph[arguments[1]].kind != Kind::kInteger || graph[arguments[1]].integer < 0) {
    throw PickleDefect("calls " + full_name(function) + " with arguments that it does not take");
  }
  TensorReference tensor;
  tensor.storage = static_cast<std::size_t>(graph[arguments[0]].integer);
  tensor.format = graph.storages[tensor.storage].format;
  tensor.offset = static_cast<std::uint64_t>(graph[arguments[1]].integer);
  tensor.shape = sizes_of(graph, arguments[2], "shape");
  tensor.strides = sizes_of(graph, arguments[3], "stride");
  if (tensor.shape.size() != tensor.strides.size() || !product_fits(tensor.shape)) {
    throw PickleDefect("describes a tensor of an impossible shape");
  }
  if (arguments.size() > kDtypePlace) {
    const PickleValue& dtype = graph[arguments[kDtypePlace]];
    if (dtype.kind == Kind::kGlobal && dtype.global->role == GlobalRole::kElementType) {
      tensor.format = dtype.global->format;
    }
  }
  PickleValue value;
  value.kind = Kind::kTensor;
  value.integer = static_cast<std::int64_t>(graph.tensors.size());
  graph.tensors.push_back(std::move(tensor));
  return add_value(graph, std::move(value));
}

ValueId refer_to_storage(PickleGraph& graph, ValueId persistent_id) {
  // ("storage", type, key, location, elements[, view of another storage])
  const PickleValue& id = graph[persistent_id];
  const auto is = [&](std::size_t place, Kind kind) { return graph[id.items[place]].kind == kind; };
  if (id.kind != Kind::kTuple || id.items.size() < 5 || !is(0, Kind::kText) ||
      graph[id.items[0]].text != "storage") {
    throw PickleDefect("refers to something outside itself that is no storage of a tensor");
  }
  if (!is(1, Kind::kGlobal) || graph[id.items[1]].global->role != GlobalRole::kStorageType ||
      !is(2, Kind::kText) || graph[id.items[2]].text.size() > kLongestKey ||
      !is(4, Kind::kInteger) || graph[id.items[4]].integer < 0) {
    throw PickleDefect("refers to a storage in a form that torch.save does not write");
  }
  if (id.items.size() > 5 && !is(5, Kind::kNone)) {
    throw PickleDefect("has views of storages as PyTorch before 0.4 wrote them; save it anew");
  }
  const StorageReference storage{graph[id.items[2]].text, graph[id.items[1]].global->format,
                                 static_cast<std::uint64_t>(graph[id.items[4]].integer)};
  if (storage.elements > std::numeric_limits<std::uint64_t>::max() / 2 / storage.format.bytes) {
    throw PickleDefect("refers to a storage of an impossible size");
  }
  const auto [found, is_new] = graph.storage_index.emplace(storage.key, graph.storages.size());
  if (is_new) {
    graph.storages.push_back(storage);
  } else {
    const StorageReference& known = graph.storages[found->second];
    if (known.elements != storage.elements || known.format.name != storage.format.name) {
      throw PickleDefect("describes storage " + in_quotes(storage.key) + " in two ways");
    }
  }
  PickleValue value;
  value.kind = Kind::kStorage;
  value.integer = static_cast<std::int64_t>(found->second);
  return add_value(graph, std::move(value));
}

}  // namespace casvit::trainer
