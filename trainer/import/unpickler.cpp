#include "trainer/import/unpickler.h"

#include <charconv>
#include <utility>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"
#include "trainer/import/known_globals.h"
#include "trainer/import/pickle_calls.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;

constexpr int kNewestProtocol = 5;

std::string opcode_text(char opcode) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(opcode);
  return std::string("0x") + kDigits[byte >> 4U] + kDigits[byte & 15U];
}

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || last != end) throw PickleDefect("has no number where one is due");
  return value;
}

}  // namespace

ValueId Unpickler::load() {
  stack_.clear();
  marks_.clear();
  memo_.clear();
  try {
    return run();
  } catch (const PickleDefect& defect) {
    throw CheckpointError(path_ + ": its pickle " + defect.what() + " (at byte " +
                          std::to_string(position()) + "); nothing was executed");
  }
}

ValueId Unpickler::run() {
  constexpr char kProtocol = '\x80';
  constexpr char kFrame = '\x95';
  constexpr char kStop = '.';
  for (;;) {
    const char opcode = bytes_.take(1).front();
    if (opcode == kStop) return pop();
    if (opcode == kProtocol) {
      if (const auto version = bytes_.number<std::uint8_t>(); version > kNewestProtocol) {
        throw PickleDefect("is of protocol " + std::to_string(version) + "; 5 is the newest known");
      }
    } else if (opcode == kFrame) {
      bytes_.number<std::uint64_t>();  // how far a reader may read ahead
    } else if (!take_number(opcode) && !take_text(opcode) && !take_container(opcode) &&
               !take_memo(opcode) && !take_call(opcode)) {
      throw PickleDefect("has an opcode that files of weights do not use: " + opcode_text(opcode));
    }
  }
}

bool Unpickler::take_container(char opcode) {
  switch (opcode) {
    case '(':
      if (marks_.size() >= PickleGraph::kMaxValues) throw PickleDefect("has too many marks");
      marks_.push_back(stack_.size());
      return true;
    case ')':
      make_container(Kind::kTuple, {});
      return true;
    case 't':
      make_container(Kind::kTuple, pop_to_mark());
      return true;
    case '\x85':
    case '\x86':
    case '\x87': {
      std::vector<ValueId> items(static_cast<unsigned char>(opcode) - 0x84U);
      for (std::size_t i = items.size(); i > 0; --i) items[i - 1] = pop();
      make_container(Kind::kTuple, std::move(items));
      return true;
    }
    case ']':
      make_container(Kind::kList, {});
      return true;
    case 'l':
      make_container(Kind::kList, pop_to_mark());
      return true;
    case '}':
      make_container(Kind::kDict, {});
      return true;
    case 'd': {
      const std::vector<ValueId> items = pop_to_mark();
      make_container(Kind::kDict, {});
      add_items(Kind::kDict, items);
      return true;
    }
    case '\x8f':
      make_container(Kind::kSet, {});
      return true;
    case '\x91':
      make_container(Kind::kSet, pop_to_mark());
      return true;
    case 'a':
      add_items(Kind::kList, {pop()});
      return true;
    case 'e':
      add_items(Kind::kList, pop_to_mark());
      return true;
    case '\x90':
      add_items(Kind::kSet, pop_to_mark());
      return true;
    case 's': {
      const ValueId value = pop();
      const ValueId key = pop();
      add_items(Kind::kDict, {key, value});
      return true;
    }
    case 'u':
      add_items(Kind::kDict, pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool Unpickler::take_memo(char opcode) {
  switch (opcode) {
    case '0':
      if (!marks_.empty() && marks_.back() == stack_.size()) {
        marks_.pop_back();
      } else {
        pop();
      }
      return true;
    case '1':
      pop_to_mark();
      return true;
    case '2':
      push(top());
      return true;
    case 'p':
      remember(number_of(bytes_.line()));
      return true;
    case 'q':
      remember(bytes_.number<std::uint8_t>());
      return true;
    case 'r':
      remember(bytes_.number<std::uint32_t>());
      return true;
    case '\x94':
      remember(memo_.size());
      return true;
    case 'g':
      recall(number_of(bytes_.line()));
      return true;
    case 'h':
      recall(bytes_.number<std::uint8_t>());
      return true;
    case 'j':
      recall(bytes_.number<std::uint32_t>());
      return true;
    default:
      return false;
  }
}

bool Unpickler::take_call(char opcode) {
  switch (opcode) {
    case 'c': {
      const std::string_view module = bytes_.line();
      push_global(module, bytes_.line());
      return true;
    }
    case '\x93': {
      const PickleValue& name = graph_[pop()];
      const PickleValue& module = graph_[pop()];
      if (name.kind != Kind::kText || module.kind != Kind::kText) {
        throw PickleDefect("asks for a name that is no text");
      }
      push_global(module.text, name.text);
      return true;
    }
    case 'R':
    case '\x81': {
      const ValueId arguments = pop();
      push(make_call(graph_, pop(), arguments));
      return true;
    }
    case '\x92': {
      if (graph_[pop()].kind != Kind::kDict) throw PickleDefect("calls without named arguments");
      const ValueId arguments = pop();
      push(make_call(graph_, pop(), arguments));
      return true;
    }
    case 'i': {  // a name, then a call of it on what is above the mark
      const std::string_view module = bytes_.line();
      push_global(module, bytes_.line());
      const ValueId callable = pop();
      make_container(Kind::kTuple, pop_to_mark());
      push(make_call(graph_, callable, pop()));
      return true;
    }
    case 'o': {
      std::vector<ValueId> items = pop_to_mark();
      if (items.empty()) throw PickleDefect("calls nothing");
      const ValueId callable = items.front();
      items.erase(items.begin());
      make_container(Kind::kTuple, std::move(items));
      push(make_call(graph_, callable, pop()));
      return true;
    }
    case 'b': {
      const ValueId state = pop();
      set_state(graph_, top(), state);
      return true;
    }
    case 'Q':
      push(refer_to_storage(graph_, pop()));
      return true;
    default:
      return false;
  }
}

void Unpickler::push(ValueId id) {
  if (stack_.size() >= PickleGraph::kMaxValues) throw PickleDefect("stacks up too many values");
  stack_.push_back(id);
}

void Unpickler::push_value(PickleValue value) { push(add_value(graph_, std::move(value))); }

void Unpickler::push_global(std::string_view module, std::string_view name) {
  PickleValue value;
  value.kind = Kind::kGlobal;
  value.global = find_global(module, name);
  if (value.global == nullptr) {
    throw PickleDefect(
        "asks for " + in_quotes(std::string(module) + "." + std::string(name)) +
        ", which is none of the types that weights are made of; save a state_dict() of "
        "tensors alone");
  }
  push_value(std::move(value));
}

ValueId Unpickler::top() const {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) {
    throw PickleDefect("takes a value where there is none");
  }
  return stack_.back();
}

ValueId Unpickler::pop() {
  const ValueId id = top();
  stack_.pop_back();
  return id;
}

std::vector<ValueId> Unpickler::pop_to_mark() {
  if (marks_.empty()) throw PickleDefect("has an end without its beginning");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<ValueId> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

void Unpickler::make_container(Kind kind, std::vector<ValueId> items) {
  PickleValue value;
  value.kind = kind;
  value.items = std::move(items);
  push_value(std::move(value));
}

void Unpickler::add_items(Kind kind, const std::vector<ValueId>& items) {
  PickleValue& container = graph_[top()];
  if (container.kind != kind) {
    throw PickleDefect("adds items to " + kind_of(container));
  }
  if (kind == Kind::kDict && items.size() % 2 != 0) {
    throw PickleDefect("has a key without a value");
  }
  container.items.insert(container.items.end(), items.begin(), items.end());
}

void Unpickler::remember(std::uint64_t place) {
  memo_[place] = top();
  if (memo_.size() > PickleGraph::kMaxValues) throw PickleDefect("remembers too many values");
}

void Unpickler::recall(std::uint64_t place) {
  const auto found = memo_.find(place);
  if (found == memo_.end()) throw PickleDefect("refers to a value that it did not make");
  push(found->second);
}

}  // namespace casvit::trainer
