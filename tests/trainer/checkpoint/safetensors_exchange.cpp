// Program for safetensors_python_test.py:
//   casvit_safetensors_exchange rewrite IN OUT    reads IN and writes it again
//   casvit_safetensors_exchange checkpoint OUT    writes a checkpoint with known contents
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>

#include <cstdio>
#include <exception>
#include <string>

#include "trainer/checkpoint/checkpoint.h"
#include "trainer/checkpoint/safetensors.h"

namespace casvit::trainer {
namespace {

void write_known_checkpoint(const std::string& path) {
  Checkpoint checkpoint;
  checkpoint.info.step = 250;
  checkpoint.info.classes = {"Maize", "Shepherd’s Purse"};
  const at::Tensor weight = at::arange(24, at::kFloat).reshape({2, 3, 2, 2});
  checkpoint.tensors = {{"model.conv.weight", weight.contiguous(at::MemoryFormat::ChannelsLast)},
                        {"model.norm.num_batches_tracked", at::full({}, 7, at::kLong)},
                        {"ema.conv.weight", weight.to(at::kBFloat16)}};
  write_checkpoint(path, checkpoint);
}

int run(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  if (command == "rewrite" && argc == 4) {
    const TensorFile file = read_safetensors(argv[2]);
    write_safetensors(argv[3], file.tensors, file.metadata);
  } else if (command == "checkpoint" && argc == 3) {
    write_known_checkpoint(argv[2]);
  } else {
    std::fprintf(stderr, "usage: %s rewrite IN OUT | checkpoint OUT\n", argv[0]);
    return 2;
  }
  return 0;
}

}  // namespace
}  // namespace casvit::trainer

int main(int argc, char** argv) try {
  return casvit::trainer::run(argc, argv);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 3;
}
