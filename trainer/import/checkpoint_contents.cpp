#include "trainer/import/checkpoint_contents.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "trainer/error.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;

constexpr std::array<std::string_view, 2> kModelKeys{"model", "state_dict"};
constexpr std::array<std::string_view, 2> kEmaKeys{"model_ema", "state_dict_ema"};
constexpr std::array<std::string_view, 12> kAccuracyKeys{"max_accuracy",  "max_accuracy_ema",
                                                         "best_accuracy", "best_acc",
                                                         "best_acc1",     "best_metric",
                                                         "accuracy",      "acc",
                                                         "acc1",          "top1",
                                                         "test_acc1",     "metric"};
/// What wrappers put before every key: DistributedDataParallel and timm's ModelEma, torch.compile.
constexpr std::array<std::string_view, 2> kWrapperPrefixes{"module.", "_orig_mod."};
constexpr std::string_view kBackbonePrefix = "backbone.";
/// Names of tensors are short. A pickle can repeat a long text as a key without being long itself,
/// and what is made of keys would grow with each.
constexpr std::size_t kLongestKey = 256;
/// torch.optim.swa_utils.AveragedModel's own count, beside its model.
constexpr std::string_view kAveragedCount = "n_averaged";

bool is_tensor_dict(const PickleGraph& graph, const PickleValue& value) {
  if (value.kind != Kind::kDict) return false;
  for (std::size_t i = 1; i < value.items.size(); i += 2) {
    if (graph[value.items[i]].kind == Kind::kTensor) return true;
  }
  return false;
}

bool all_begin_with(const StateDict& dict, std::string_view prefix) {
  return !dict.tensors.empty() &&
         std::all_of(dict.tensors.begin(), dict.tensors.end(),
                     [&](const auto& entry) { return entry.first.starts_with(prefix); });
}

void remove_prefix(StateDict& dict, std::string_view prefix) {
  std::map<std::string, TensorReference> tensors;
  for (auto& [name, tensor] : dict.tensors) {
    if (name.starts_with(prefix)) {
      tensors.emplace(name.substr(prefix.size()), std::move(tensor));
    } else {
      dict.left_out.push_back(name);
    }
  }
  dict.tensors = std::move(tensors);
  dict.removed_prefixes.emplace_back(prefix);
}

void remove_wrappers(StateDict& dict) {
  for (bool found = true; found;) {
    found = false;
    for (const std::string_view prefix : kWrapperPrefixes) {
      if (all_begin_with(dict, prefix)) {
        remove_prefix(dict, prefix);
        found = true;
      }
    }
  }
}

StateDict read_state_dict(const TorchFile& file, std::string_view key, const PickleValue& value) {
  const PickleGraph& graph = file.graph();
  StateDict dict;
  dict.key = key;
  for (std::size_t i = 0; i + 1 < value.items.size(); i += 2) {
    const PickleValue& name = graph[value.items[i]];
    const PickleValue& item = graph[value.items[i + 1]];
    if (name.kind != Kind::kText || name.text.size() > kLongestKey) {
      throw CheckpointError(file.path() + ": a state dict has " + kind_of(name) + " of " +
                            std::to_string(name.text.size()) + " bytes as a key");
    }
    if (item.kind != Kind::kTensor || name.text == kAveragedCount) {
      dict.left_out.push_back(name.text);
    } else {
      dict.tensors.insert_or_assign(name.text,
                                    graph.tensors[static_cast<std::size_t>(item.integer)]);
    }
  }
  remove_wrappers(dict);
  const bool has_backbone =
      std::any_of(dict.tensors.begin(), dict.tensors.end(),
                  [](const auto& entry) { return entry.first.starts_with(kBackbonePrefix); });
  if (has_backbone) remove_prefix(dict, kBackbonePrefix);
  return dict;
}

template <std::size_t Count>
std::optional<StateDict> find_state_dict(const TorchFile& file,
                                         const std::array<std::string_view, Count>& keys) {
  for (const std::string_view key : keys) {
    const PickleValue* value = file.graph().find(file.root(), key);
    if (value != nullptr && is_tensor_dict(file.graph(), *value)) {
      return read_state_dict(file, key, *value);
    }
  }
  return std::nullopt;
}

std::optional<double> number_in(const PickleValue* value) {
  if (value == nullptr) return std::nullopt;
  if (value->kind == Kind::kReal) return value->real;
  if (value->kind == Kind::kInteger) return static_cast<double>(value->integer);
  return std::nullopt;
}

CheckpointNotes read_notes(const TorchFile& file) {
  const PickleGraph& graph = file.graph();
  CheckpointNotes notes;
  if (const PickleValue* epoch = graph.find(file.root(), "epoch")) {
    constexpr std::size_t kLongest = 80;
    if (epoch->kind == Kind::kInteger) notes.epoch = std::to_string(epoch->integer);
    if (epoch->kind == Kind::kText) notes.epoch = epoch->text.substr(0, kLongest);
  }
  for (const std::string_view key : kAccuracyKeys) {
    if (const auto accuracy = number_in(graph.find(file.root(), key))) {
      notes.accuracies.emplace_back(key, *accuracy);
    }
  }
  const PickleValue* arguments = graph.find(file.root(), "args");
  if (arguments != nullptr && arguments->kind == Kind::kObject && arguments->items.size() == 2) {
    arguments = &graph[arguments->items[1]];  // an argparse.Namespace
  }
  if (arguments != nullptr) {
    const PickleValue* size = graph.find(*arguments, "input_size");
    if (size != nullptr && size->kind == Kind::kInteger) notes.input_size = size->integer;
  }
  return notes;
}

bool is_noted(const CheckpointNotes& notes, const std::string& key) {
  return (key == "epoch" && notes.epoch) ||
         std::any_of(notes.accuracies.begin(), notes.accuracies.end(),
                     [&](const auto& entry) { return entry.first == key; });
}

}  // namespace

CheckpointContents read_contents(const TorchFile& file) {
  const PickleGraph& graph = file.graph();
  const PickleValue& root = file.root();
  CheckpointContents contents;
  contents.model = find_state_dict(file, kModelKeys);
  contents.ema = find_state_dict(file, kEmaKeys);
  if (!contents.model && !contents.ema) {
    if (!is_tensor_dict(graph, root)) {
      throw CheckpointError(file.path() + " holds no weights: it is " + kind_of(root) +
                            ", neither a state dict nor a dictionary with one under 'model', "
                            "'model_ema' or 'state_dict'");
    }
    contents.model = read_state_dict(file, "", root);
    return contents;
  }
  contents.notes = read_notes(file);
  for (std::size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleValue& key = graph[root.items[i]];
    const std::string name =
        key.kind == Kind::kText ? key.text.substr(0, kLongestKey) : kind_of(key);
    const bool is_taken = (contents.model && contents.model->key == name) ||
                          (contents.ema && contents.ema->key == name);
    if (!is_taken && !is_noted(contents.notes, name)) contents.left_out.push_back(name);
  }
  return contents;
}

}  // namespace casvit::trainer
