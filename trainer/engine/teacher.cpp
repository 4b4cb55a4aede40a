#include "trainer/engine/teacher.h"

#include "trainer/checkpoint/weights.h"
#include "trainer/engine/weights_init.h"
#include "trainer/error.h"
#include "trainer/model/architecture.h"

namespace casvit::trainer {

Teacher load_teacher(const std::string& path, int num_classes, const at::Device& device) {
  const Weights weights = read_weights(path, WeightsChoice::kAuto);
  const std::optional<Architecture> found = recognise_architecture(weights.tensors);
  if (!found) {
    throw CheckpointError(path +
                          " (distillation.teacher) holds the weights of none of rcvit_xs, rcvit_s, "
                          "rcvit_m, rcvit_t");
  }
  if (found->options.num_classes != num_classes) {
    throw ConfigError("the teacher " + path + " tells " +
                      std::to_string(found->options.num_classes) +
                      " classes apart, and the model " + std::to_string(num_classes) +
                      "; distillation.teacher must have been trained on the same classes");
  }
  Teacher teacher{found->name, std::make_shared<Rcvit>(found->options, at::kFloat, device)};
  copy_weights(weights, path, teacher.model->state());
  return teacher;
}

}  // namespace casvit::trainer
