#include "trainer/checkpoint/checkpoint.h"

#include "trainer/checkpoint/checkpoint_metadata.h"

namespace casvit::trainer {

void write_checkpoint(const std::string& path, const Checkpoint& checkpoint,
                      const std::map<std::string, std::string>& more) {
  std::vector<NamedTensor> stored;
  stored.reserve(checkpoint.tensors.size());
  for (const auto& [name, tensor] : checkpoint.tensors) {
    stored.push_back({name, stored_form(tensor)});
  }
  write_safetensors(path, stored, make_metadata(checkpoint.info, stored, more));
}

Checkpoint read_checkpoint(const std::string& path) {
  const InputFile file(path);
  const SafetensorsHeader header = read_header(file);
  CheckpointMetadata metadata = parse_metadata(header, path);
  Checkpoint checkpoint{std::move(metadata.info), read_tensors(file, header)};
  check_hashes(checkpoint.tensors, metadata.hashes, path);
  return checkpoint;
}

CheckpointInfo read_checkpoint_info(const std::string& path) {
  return parse_metadata(read_header(InputFile(path)), path).info;
}

}  // namespace casvit::trainer
