#pragma once

#include <xxhash.h>

#include <string>
#include <vector>

#include "dataio/container/index_builder.h"
#include "dataio/container/writer.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {

/// Content of a small container: bytes that are no pictures, of uneven lengths.
struct SmallContent {
  ContainerDescription description;
  std::vector<std::string> class_names;
  std::vector<SampleDescription> samples;
  std::vector<Bytes> bytes;
};

inline SmallContent small_content() {
  SmallContent content;
  content.description.split = "train";
  content.description.normalization = {{0.1F, 0.2F, 0.3F}, {0.4F, 0.5F, 0.6F}};
  content.description.created = "2024-05-31T12:00:00Z";
  content.description.tool_version = "test 1";
  content.description.command_line = "casvit-pack 'a b' -o c.h5";
  content.class_names = {"Birch", "Mais", "Erdbeere \xc3\xa4"};
  for (int i = 0; i < 7; ++i) {
    Bytes bytes;
    for (int k = 0; k < 1 + i * 37; ++k) {
      bytes.push_back(static_cast<std::uint8_t>((i * 131 + k * 7) & 255));
    }
    SampleDescription sample;
    sample.length = static_cast<std::uint32_t>(bytes.size());
    sample.height = static_cast<std::uint32_t>(10 + i);
    sample.width = static_cast<std::uint32_t>(20 + i);
    sample.codec = i % 2 == 0 ? Codec::kJpeg : Codec::kPng;
    sample.orientation = static_cast<std::uint8_t>(1 + i);
    sample.label = i % 3;
    // File names may hold any byte but '/' and 0.
    sample.source = i == 3 ? "Birch/\xff\n.jpg" : "Birch/" + std::to_string(i) + ".jpg";
    content.samples.push_back(sample);
    content.bytes.push_back(bytes);
  }
  return content;
}

inline ContainerIndex index_of(const SmallContent& content) {
  IndexBuilder builder(content.class_names);
  for (std::size_t i = 0; i < content.samples.size(); ++i) {
    SampleDescription sample = content.samples[i];
    if (i < content.bytes.size()) {
      sample.xxh3 = XXH3_64bits(content.bytes[i].data(), content.bytes[i].size());
    }
    builder.add(sample);
  }
  return builder.index();
}

inline void write_bytes(const ContainerWriter& writer, const SmallContent& content) {
  const ContainerIndex index = index_of(content);
  for (std::size_t i = 0; i < content.bytes.size(); ++i) {
    writer.blob().write(index.offset[i], content.bytes[i]);
  }
}

inline void write_container(const std::string& path, const SmallContent& content) {
  ContainerWriter writer(path);
  write_bytes(writer, content);
  writer.seal(content.description, index_of(content));
  writer.publish();
}

inline void write_small_container(const std::string& path) {
  write_container(path, small_content());
}

}  // namespace casvit::dataio
