// Program for export_test.py:
//   casvit_filled_model weights ARCHITECTURE CLASSES OUT.safetensors   official names, golden
//   values casvit_filled_model logits MODEL.safetensors PICTURES.safetensors OUT.safetensors
// The second gives our logits of tensors "pictures" [N, 3, H, W]; a file may hold several, and the
// results have their names.

#include "tests/trainer/export/filled_model.h"

#include <cstdio>
#include <exception>

#include "trainer/checkpoint/safetensors.h"
#include "trainer/engine/model_file.h"

namespace casvit::trainer {
namespace {

int run(int count, char** arguments) {
  const std::string command = count == 5 ? arguments[1] : "";
  std::vector<NamedTensor> tensors;
  if (command == "weights") {
    const Rcvit model = filled_model(arguments[2], std::stoi(arguments[3]), false);
    for (const ModelState::Entry& entry : model.state().entries()) {
      tensors.push_back({entry.name, entry.tensor});
    }
  } else if (command == "logits") {
    const LoadedModel loaded = load_model(arguments[2], WeightsChoice::kAuto, {});
    for (const auto& [name, pictures] : read_safetensors(arguments[3]).tensors) {
      tensors.push_back(
          {name, loaded.model.forward(pictures.contiguous(at::MemoryFormat::ChannelsLast))});
    }
  } else {
    std::fprintf(stderr, "usage: %s weights|logits ...\n", arguments[0]);
    return 2;
  }
  write_safetensors(arguments[4], tensors, {});
  return 0;
}

}  // namespace
}  // namespace casvit::trainer

int main(int count, char** arguments) try {
  return casvit::trainer::run(count, arguments);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 3;
}
