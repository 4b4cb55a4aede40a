#include "dataio/container/index_builder.h"

#include <utility>

#include "dataio/container/schema.h"

namespace casvit::dataio {

std::uint64_t aligned_position(std::uint64_t position) {
  return (position + schema::kAlignment - 1) / schema::kAlignment * schema::kAlignment;
}

IndexBuilder::IndexBuilder(std::vector<std::string> class_names) {
  index_.class_counts.resize(class_names.size());
  index_.class_names = std::move(class_names);
  index_.source_offset.push_back(0);
}

std::uint64_t IndexBuilder::add(const SampleDescription& sample) {
  const std::uint64_t offset = aligned_position(end_);
  end_ = offset + sample.length;
  index_.offset.push_back(offset);
  index_.length.push_back(sample.length);
  index_.xxh3.push_back(sample.xxh3);
  index_.height.push_back(sample.height);
  index_.width.push_back(sample.width);
  index_.codec.push_back(static_cast<std::uint8_t>(sample.codec));
  index_.orientation.push_back(sample.orientation);
  index_.label.push_back(sample.label);
  if (sample.label >= 0 && static_cast<std::size_t>(sample.label) < index_.class_counts.size()) {
    ++index_.class_counts[static_cast<std::size_t>(sample.label)];
  }
  index_.source_bytes.insert(index_.source_bytes.end(), sample.source.begin(), sample.source.end());
  index_.source_offset.push_back(index_.source_bytes.size());
  return offset;
}

}  // namespace casvit::dataio
