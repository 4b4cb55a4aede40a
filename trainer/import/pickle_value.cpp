#include "trainer/import/pickle_value.h"

#include <utility>

#include "trainer/import/known_globals.h"

namespace casvit::trainer {

std::optional<ValueId> PickleGraph::add(PickleValue value) {
  if (values_.size() >= kMaxValues) {
    return std::nullopt;
  }
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

bool PickleGraph::charge(std::size_t amount) {
  if (amount > kMaxCopied - copied_) {
    return false;
  }
  copied_ += amount;
  return true;
}

const PickleValue* PickleGraph::find(const PickleValue& dict, std::string_view key) const {
  if (dict.kind != PickleValue::Kind::kDict) {
    return nullptr;
  }
  for (std::size_t i = dict.items.size(); i >= 2; i -= 2) {
    const PickleValue& name = values_[dict.items[i - 2]];
    if (name.kind == PickleValue::Kind::kText && name.text == key) {
      return &values_[dict.items[i - 1]];
    }
  }
  return nullptr;
}

std::string kind_of(const PickleValue& value) {
  using Kind = PickleValue::Kind;
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "a bool";
    case Kind::kInteger:
    case Kind::kBigInteger:
      return "an integer";
    case Kind::kReal:
      return "a float";
    case Kind::kText:
      return "a text";
    case Kind::kBytes:
      return "bytes";
    case Kind::kTuple:
      return "a tuple";
    case Kind::kList:
      return "a list";
    case Kind::kSet:
      return "a set";
    case Kind::kDict:
      return "a dictionary";
    case Kind::kGlobal:
      return "the name " + full_name(*value.global);
    case Kind::kObject:
      return "an instance of " + full_name(*value.global);
    case Kind::kStorage:
      return "a storage";
    case Kind::kTensor:
      return "a tensor";
  }
  return "nothing known";
}

}  // namespace casvit::trainer
