#include "trainer/import/pickle_calls.h"

#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "trainer/import/known_globals.h"
#include "trainer/import/pickle_text.h"
#include "trainer/import/rebuilt_tensor.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;

PickleValue value_of(Kind kind) {
  PickleValue value;
  value.kind = kind;
  return value;
}

void charge(PickleGraph& graph, std::size_t amount) {
  if (!graph.charge(amount)) throw PickleDefect("copies too much of itself");
}

[[noreturn]] void refuse_arguments(const KnownGlobal& global) {
  throw PickleDefect("calls " + full_name(global) + " with arguments that it does not take");
}

/// `OrderedDict()`, `OrderedDict([(key, value), ...])`, `Counter({...})`.
ValueId make_dictionary(PickleGraph& graph, const KnownGlobal& global,
                        const std::vector<ValueId>& arguments) {
  PickleValue dict = value_of(Kind::kDict);
  if (arguments.size() > 1) refuse_arguments(global);
  if (!arguments.empty()) {
    const PickleValue& given = graph[arguments[0]];
    if (given.kind == Kind::kDict) return arguments[0];
    if (given.kind != Kind::kList && given.kind != Kind::kTuple) refuse_arguments(global);
    charge(graph, 2 * given.items.size());
    for (const ValueId id : given.items) {
      const PickleValue& pair = graph[id];
      const bool is_pair = pair.kind == Kind::kList || pair.kind == Kind::kTuple;
      if (!is_pair || pair.items.size() != 2) refuse_arguments(global);
      dict.items.insert(dict.items.end(), pair.items.begin(), pair.items.end());
    }
  }
  return add_value(graph, std::move(dict));
}

/// `_codecs.encode(text, "latin1")`, as protocol 2 writes bytes.
ValueId make_bytes(PickleGraph& graph, const KnownGlobal& global,
                   const std::vector<ValueId>& arguments) {
  if (arguments.size() != 2 || graph[arguments[0]].kind != Kind::kText ||
      graph[arguments[1]].kind != Kind::kText ||
      (graph[arguments[1]].text != "latin1" && graph[arguments[1]].text != "latin-1")) {
    refuse_arguments(global);
  }
  charge(graph, graph[arguments[0]].text.size());
  PickleValue bytes = value_of(Kind::kBytes);
  if (!latin1_of(graph[arguments[0]].text, bytes.text)) refuse_arguments(global);
  return add_value(graph, std::move(bytes));
}

template <class Number>
Number number_in(const std::string& bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof number);
  return number;
}

/// A numpy scalar of a type code as in "f8", from little-endian bytes; false for other types.
bool read_scalar(const std::string& code, const std::string& bytes, PickleValue& value) {
  static_assert(std::endian::native == std::endian::little, "numbers are read as they are");
  if (code.size() != 2 || bytes.size() != static_cast<std::size_t>(code[1] - '0')) return false;
  value.kind = code[0] == 'f' ? Kind::kReal : code[0] == 'b' ? Kind::kBool : Kind::kInteger;
  if (code == "f8") {
    value.real = number_in<double>(bytes);
  } else if (code == "f4") {
    value.real = static_cast<double>(number_in<float>(bytes));
  } else if (code == "i8") {
    value.integer = number_in<std::int64_t>(bytes);
  } else if (code == "i4") {
    value.integer = number_in<std::int32_t>(bytes);
  } else if (code == "b1") {
    value.integer = bytes[0] != 0 ? 1 : 0;
  } else {
    return false;
  }
  return true;
}

/// Numbers of other types, or of another byte order, become objects that nobody looks into.
ValueId make_scalar(PickleGraph& graph, const KnownGlobal& global, ValueId arguments) {
  const std::vector<ValueId>& given = graph[arguments].items;
  PickleValue value = value_of(Kind::kObject);
  value.global = &global;
  value.items = {arguments};
  if (given.size() == 2 && graph[given[1]].kind == Kind::kBytes) {
    const PickleValue& dtype = graph[given[0]];
    const bool is_dtype =
        dtype.kind == Kind::kObject && dtype.global->role == GlobalRole::kNumpyDtype;
    PickleValue number;
    if (is_dtype && dtype.integer == 0 && read_scalar(dtype.text, graph[given[1]].text, number)) {
      value = std::move(number);
    }
  }
  return add_value(graph, std::move(value));
}

ValueId make_object(PickleGraph& graph, const KnownGlobal& global, ValueId arguments) {
  PickleValue object = value_of(Kind::kObject);
  object.global = &global;
  object.items = {arguments};
  const std::vector<ValueId>& given = graph[arguments].items;
  if (global.role == GlobalRole::kNumpyDtype && !given.empty() &&
      graph[given[0]].kind == Kind::kText) {
    charge(graph, graph[given[0]].text.size());
    object.text = graph[given[0]].text;
  }
  return add_value(graph, std::move(object));
}

}  // namespace

ValueId add_value(PickleGraph& graph, PickleValue value) {
  const std::optional<ValueId> id = graph.add(std::move(value));
  if (!id) {
    throw PickleDefect("makes more than " + std::to_string(PickleGraph::kMaxValues) + " values");
  }
  return *id;
}

ValueId make_call(PickleGraph& graph, ValueId callable, ValueId arguments) {
  if (graph[callable].kind != Kind::kGlobal) {
    throw PickleDefect("calls " + kind_of(graph[callable]));
  }
  const KnownGlobal& global = *graph[callable].global;
  if (graph[arguments].kind != Kind::kTuple) refuse_arguments(global);
  const std::vector<ValueId>& given = graph[arguments].items;
  switch (global.role) {
    case GlobalRole::kDictionary:
      return make_dictionary(graph, global, given);
    case GlobalRole::kDefaultDict:
      return add_value(graph, value_of(Kind::kDict));
    case GlobalRole::kTuple:
      if (given.empty()) return arguments;
      if (graph[given[0]].kind != Kind::kTuple) refuse_arguments(global);
      return given[0];
    case GlobalRole::kEncode:
      return make_bytes(graph, global, given);
    case GlobalRole::kReconstructor:
      if (given.size() != 3 || graph[given[0]].kind != Kind::kGlobal ||
          graph[given[0]].global->role != GlobalRole::kObject) {
        refuse_arguments(global);
      }
      return make_object(graph, *graph[given[0]].global, arguments);
    case GlobalRole::kNumpyScalar:
      return make_scalar(graph, global, arguments);
    case GlobalRole::kTensor:
      return rebuild_tensor(graph, global, given);
    case GlobalRole::kParameter:
      if (given.empty() || graph[given[0]].kind != Kind::kTensor) refuse_arguments(global);
      return given[0];
    case GlobalRole::kFromType: {
      // _rebuild_from_type_v2(function, type, arguments, state)
      if (given.size() != 4 || graph[given[0]].kind != Kind::kGlobal ||
          graph[given[2]].kind != Kind::kTuple) {
        refuse_arguments(global);
      }
      const KnownGlobal& function = *graph[given[0]].global;
      if (function.role != GlobalRole::kTensor) refuse_arguments(global);
      return rebuild_tensor(graph, function, graph[given[2]].items);
    }
    case GlobalRole::kNumpyDtype:
    case GlobalRole::kObject:
      return make_object(graph, global, arguments);
    case GlobalRole::kStorageType:
    case GlobalRole::kElementType:
      break;
  }
  throw PickleDefect("calls " + full_name(global));
}

void set_state(PickleGraph& graph, ValueId object, ValueId state) {
  PickleValue& value = graph[object];
  switch (value.kind) {
    case Kind::kDict:  // the _metadata of state dicts
    case Kind::kTensor:
      return;
    case Kind::kObject:
      value.items.resize(1);
      value.items.push_back(state);
      if (value.global->role == GlobalRole::kNumpyDtype) {
        // (version, byte order, ...): only big-endian types need to be told from the others.
        const PickleValue& given = graph[state];
        value.integer = given.kind == Kind::kTuple && given.items.size() > 1 &&
                                graph[given.items[1]].text == ">"
                            ? 1
                            : 0;
      }
      return;
    default:
      throw PickleDefect("gives a state to " + kind_of(value));
  }
}

}  // namespace casvit::trainer
