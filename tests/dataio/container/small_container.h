#pragma once

#include <string>
#include <vector>

#include "dataio/container/writer.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {

/// Content of a small container: bytes that are no pictures, of uneven lengths.
struct SmallContent {
  ContainerDescription description;
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
  content.description.class_names = {"Birch", "Mais", "Erdbeere \xc3\xa4"};
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

inline void write_container(const std::string& path, const SmallContent& content) {
  ContainerWriter writer(path, content.description, content.samples);
  for (std::size_t i = 0; i < content.bytes.size(); ++i) writer.write(i, content.bytes[i]);
  writer.seal();
  writer.publish();
}

inline void write_small_container(const std::string& path) {
  write_container(path, small_content());
}

}  // namespace casvit::dataio
