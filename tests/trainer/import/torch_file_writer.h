#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/import/crc32.h"

namespace casvit::trainer {

/// A number's bytes, little-endian.
template <class Integer>
std::string little_endian(Integer value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

/// Opcodes of a pickle, put down one by one; what they mean together is the test's affair.
class PickleWriter {
 public:
  PickleWriter() { raw({"\x80\x02", 2}); }

  PickleWriter& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  PickleWriter& text(std::string_view text) {
    return raw("X").raw(little_endian(static_cast<std::uint32_t>(text.size()))).raw(text);
  }
  PickleWriter& integer(std::int64_t value) { return raw("\x8a\x08").raw(little_endian(value)); }
  PickleWriter& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  PickleWriter& mark() { return raw("("); }
  PickleWriter& tuple() { return raw("t"); }
  PickleWriter& call() { return raw("R"); }
  PickleWriter& sizes(const std::vector<std::int64_t>& values) {
    mark();
    for (const std::int64_t value : values) integer(value);
    return tuple();
  }
  PickleWriter& storage(std::string_view type, std::string_view key, std::int64_t elements) {
    mark().text("storage").global("torch", type).text(key).text("cpu").integer(elements);
    return tuple().raw("Q");
  }
  /// A tensor of the storage that stands before it.
  PickleWriter& tensor(std::string_view type, std::string_view key, std::int64_t elements,
                       std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& strides) {
    global("torch._utils", "_rebuild_tensor_v2").mark().storage(type, key, elements);
    integer(offset).sizes(shape).sizes(strides).raw("\x89").raw("N");
    return tuple().call();
  }
  /// The pickle, ended.
  std::string end() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

/// An entry of a zip archive, and what is wrong with it on purpose.
struct ZipEntry {
  std::string name;
  std::string data;
  std::uint16_t method = 0;
  std::uint16_t flags = 0;
  std::uint32_t crc_change = 0;    ///< added to the checksum
  std::string header_name = {};    ///< in its own header, where that is to be another
  std::int64_t offset_change = 0;  ///< added to the offset in the directory
  std::int64_t bytes_change = 0;   ///< added to the size in the directory
};

/// A zip archive of stored entries, with zip64 records or without.
inline std::string zip_of(const std::vector<ZipEntry>& entries, bool zip64 = false) {
  std::string bytes, directory;
  for (const ZipEntry& entry : entries) {
    const std::uint32_t crc = crc32(0, entry.data.data(), entry.data.size()) + entry.crc_change;
    const std::string& own_name = entry.header_name.empty() ? entry.name : entry.header_name;
    const auto offset =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(bytes.size()) + entry.offset_change);
    const auto size = static_cast<std::uint64_t>(static_cast<std::int64_t>(entry.data.size()) +
                                                 entry.bytes_change);
    const std::uint32_t in_extra = 0xFFFFFFFF;
    const auto narrow = [&](std::uint64_t value) {
      return little_endian(zip64 ? in_extra : static_cast<std::uint32_t>(value));
    };
    const std::string middle = little_endian<std::uint16_t>(20) + little_endian(entry.flags) +
                               little_endian(entry.method) + little_endian<std::uint32_t>(0);
    std::string extra;
    if (zip64) {
      extra = little_endian<std::uint16_t>(1) + little_endian<std::uint16_t>(24) +
              little_endian(size) + little_endian(size) + little_endian(offset);
    }
    directory += "PK\x01\x02" + little_endian<std::uint16_t>(20) + middle + little_endian(crc) +
                 narrow(size) + narrow(size) +
                 little_endian(static_cast<std::uint16_t>(entry.name.size())) +
                 little_endian(static_cast<std::uint16_t>(extra.size())) + std::string(10, '\0') +
                 narrow(offset) + entry.name + extra;
    const auto own_size = little_endian(static_cast<std::uint32_t>(entry.data.size()));
    bytes += "PK\x03\x04" + middle + little_endian(crc) + own_size + own_size +
             little_endian(static_cast<std::uint16_t>(own_name.size())) +
             little_endian<std::uint16_t>(0) + own_name + entry.data;
  }
  const std::uint64_t start = bytes.size();
  const std::uint64_t count = entries.size();
  bytes += directory;
  const std::uint64_t end = bytes.size();
  if (zip64) {
    bytes += "PK\x06\x06" + little_endian<std::uint64_t>(44) + little_endian<std::uint32_t>(0) +
             std::string(8, '\0') + little_endian(count) + little_endian(count) +
             little_endian(end - start) + little_endian(start);
    bytes += "PK\x06\x07" + little_endian<std::uint32_t>(0) + little_endian(end) +
             little_endian<std::uint32_t>(1);
  }
  const auto narrow_count = little_endian(static_cast<std::uint16_t>(zip64 ? 0xFFFF : count));
  bytes += "PK\x05\x06" + std::string(4, '\0') + narrow_count + narrow_count;
  bytes += little_endian(zip64 ? 0xFFFFFFFF : static_cast<std::uint32_t>(end - start));
  bytes += little_endian(zip64 ? 0xFFFFFFFF : static_cast<std::uint32_t>(start));
  return bytes + std::string(2, '\0');
}

/// A file of torch.save in the zip form: a pickle, and storages by key.
inline std::string torch_zip(const std::string& pickle,
                             const std::map<std::string, std::string>& storages = {}) {
  std::vector<ZipEntry> entries{{"archive/data.pkl", pickle}, {"archive/byteorder", "little"}};
  for (const auto& [key, bytes] : storages) entries.push_back({"archive/data/" + key, bytes});
  entries.push_back({"archive/version", "3\n"});
  return zip_of(entries);
}

/// The same in the form of PyTorch before 1.6. @param storages in the order of the file; bytes
/// begin with the number of elements
inline std::string torch_legacy(
    const std::string& pickle,
    const std::vector<std::pair<std::string, std::string>>& storages = {}) {
  PickleWriter keys;
  keys.raw("](");
  std::string data;
  for (const auto& [key, bytes] : storages) {
    keys.text(key);
    data += bytes;
  }
  return PickleWriter().raw("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19").end() +
         PickleWriter().raw("M\xe9\x03").end() +
         PickleWriter().raw("}").text("little_endian").raw("\x88s").end() + pickle +
         keys.raw("e").end() + data;
}

}  // namespace casvit::trainer
