#include "trainer/import/torch_file.h"

#include <algorithm>

#include "trainer/checkpoint/quoted_name.h"
#include "trainer/error.h"
#include "trainer/import/unpickler.h"

namespace casvit::trainer {
namespace {

using Kind = PickleValue::Kind;

/// 0x1950a86a20f9469cfc6c, which begins legacy files; as bytes (protocol 2) and as digits (0).
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr std::string_view kLegacyMagicDigits = "119547037146038801333356";
constexpr std::int64_t kLegacyVersion = 1001;

std::string first_bytes(const InputFile& file, std::uint64_t count) {
  std::string bytes(std::min(file.bytes(), count), '\0');
  file.read(0, bytes.data(), bytes.size());
  return bytes;
}

/// Zip entries are below one folder, which torch.save names after the file.
std::string root_folder(const ZipArchive& zip, const std::string& path) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::optional<std::string> folder;
  for (const ZipArchive::Entry& entry : zip.entries()) {
    if (!entry.name.ends_with(kPickle)) continue;
    const std::string found = entry.name.substr(0, entry.name.size() - kPickle.size());
    if (found.find('/') != std::string::npos) continue;
    if (folder) throw CheckpointError(path + " holds two data.pkl; torch.save writes one");
    folder = found;
  }
  if (!folder) {
    throw CheckpointError(path +
                          " is a zip archive, but not one of torch.save: it has no data.pkl");
  }
  return *folder;
}

}  // namespace

bool looks_like_torch_file(const InputFile& file) {
  const std::string bytes = first_bytes(file, 9);
  // A safetensors file can begin with the same bytes, a length, but goes on with '{'.
  if (bytes.size() < 9 || bytes[8] == '{') return false;
  return ZipArchive::begins_like_one(bytes) ||
         (bytes[0] == '\x80' && bytes[1] >= 2 && bytes[1] <= 5);
}

TorchFile::TorchFile(const std::string& path) : file_(path) {
  if (ZipArchive::begins_like_one(first_bytes(file_, 4))) {
    open_zip();
  } else {
    open_legacy();
  }
}

void TorchFile::refuse(const std::string& defect) const { throw CheckpointError(path() + defect); }

void TorchFile::open_zip() {
  zip_.emplace(file_);
  const std::string folder = root_folder(*zip_, path());
  if (const auto* order = zip_->find(folder + "/byteorder")) {
    const std::string text = zip_->read(*order, 16);
    if (text != "little") {
      refuse(" was saved on a machine of another byte order (" + in_quotes(text) +
             "); load and save it with PyTorch on a little-endian one");
    }
  }
  if (zip_->find(folder + "/constants.pkl") != nullptr) {
    refuse(" is a TorchScript program, not weights; save its state_dict() with torch.save");
  }
  const std::string pickle = zip_->read(*zip_->find(folder + "/data.pkl"), kMaxPickleBytes);
  Unpickler unpickler(pickle, path(), graph_);
  root_ = unpickler.load();
  for (const StorageReference& storage : graph_.storages) {
    const ZipArchive::Entry* entry = zip_->find(folder + "/data/" + storage.key);
    if (entry == nullptr) {
      refuse(" lacks the storage " + in_quotes(storage.key) + " that its pickle refers to");
    }
    if (entry->bytes != storage.elements * storage.format.bytes) {
      refuse(": storage " + in_quotes(storage.key) + " has " + std::to_string(entry->bytes) +
             " bytes where its pickle says " +
             std::to_string(storage.elements * storage.format.bytes));
    }
    places_.push_back({entry->offset, entry->bytes, entry});
  }
}

void TorchFile::open_legacy() {
  const std::string bytes = first_bytes(file_, kMaxPickleBytes);
  if (bytes.empty()) refuse(" is empty");
  const auto begins = static_cast<unsigned char>(bytes[0]);
  if (begins != 0x80 && bytes[0] != 'L') {
    const bool is_safetensors = bytes.size() > 8 && bytes[8] == '{';
    refuse(is_safetensors ? " is no file of torch.save but a safetensors file: it needs no import"
                          : " is no file of torch.save: it begins like none");
  }
  Unpickler unpickler(bytes, path(), graph_);
  const PickleValue& magic = graph_[unpickler.load()];
  if (magic.kind != Kind::kBigInteger ||
      (magic.text != kLegacyMagic && magic.text != kLegacyMagicDigits)) {
    refuse(" is a pickle, but not one of torch.save");
  }
  const PickleValue& version = graph_[unpickler.load()];
  if (version.kind != Kind::kInteger || version.integer != kLegacyVersion) {
    refuse(" is of a version of torch.save's old form that is not known");
  }
  const PickleValue* little = graph_.find(graph_[unpickler.load()], "little_endian");
  if (little == nullptr || little->kind != Kind::kBool || little->integer != 1) {
    refuse(
        " was saved on a machine of another byte order; load and save it with PyTorch on a "
        "little-endian one");
  }
  root_ = unpickler.load();
  const PickleValue& keys = graph_[unpickler.load()];
  place_legacy_storages(keys, unpickler.position());
}

/// Behind the pickles: of each storage, in the order of `keys`, its elements (int64), then they.
void TorchFile::place_legacy_storages(const PickleValue& keys, std::uint64_t offset) {
  if (keys.kind != Kind::kList) refuse(" lacks the list of its storages");
  places_.resize(graph_.storages.size());
  std::vector<bool> is_placed(places_.size());
  for (const ValueId id : keys.items) {
    const auto found = graph_.storage_index.find(graph_[id].text);
    if (graph_[id].kind != Kind::kText || found == graph_.storage_index.end() ||
        is_placed[found->second]) {
      refuse(" has a storage that none of its tensors refers to, or has it twice");
    }
    const StorageReference& storage = graph_.storages[found->second];
    std::uint64_t elements = 0;
    if (file_.bytes() - offset < sizeof elements) refuse(" is cut off before its tensors' bytes");
    file_.read(offset, &elements, sizeof elements);
    offset += sizeof elements;
    const std::uint64_t count = storage.elements * storage.format.bytes;
    if (elements != storage.elements) {
      refuse(": storage " + in_quotes(storage.key) + " has " + std::to_string(elements) +
             " elements where its pickle says " + std::to_string(storage.elements));
    }
    if (count > file_.bytes() - offset) refuse(" is cut off within its tensors' bytes");
    places_[found->second] = {offset, count, nullptr};
    is_placed[found->second] = true;
    offset += count;
  }
  if (std::find(is_placed.begin(), is_placed.end(), false) != is_placed.end()) {
    refuse(" lacks the bytes of a storage that its pickle refers to");
  }
  if (offset != file_.bytes()) {
    refuse(" has " + std::to_string(file_.bytes() - offset) + " bytes behind its last tensor");
  }
}

TensorExtent TorchFile::locate(const TensorReference& tensor, const std::string& name) const {
  TensorExtent extent;
  extent.elements = 1;
  std::uint64_t last = tensor.offset;
  bool fits = true;
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    const auto size = static_cast<std::uint64_t>(tensor.shape[i]);
    extent.elements *= size;
    std::uint64_t reach = 0;
    fits =
        fits && size > 0 &&
        !__builtin_mul_overflow(size - 1, static_cast<std::uint64_t>(tensor.strides[i]), &reach) &&
        !__builtin_add_overflow(last, reach, &last);
  }
  const std::string what = path() + ": tensor " + in_quotes(name);
  if (extent.elements == 0) {
    extent.is_contiguous = true;
    return extent;
  }
  const std::uint64_t width = tensor.format.bytes;
  if (!fits || last >= places_[tensor.storage].bytes / width) {
    throw CheckpointError(what + " reaches beyond its storage");
  }
  extent.begin_byte = tensor.offset * width;
  extent.span = last - tensor.offset + 1;
  if (extent.elements > extent.span) {
    throw CheckpointError(what +
                          " repeats elements of its storage (it was expanded); save a clone()");
  }
  constexpr std::uint64_t kSparsest = 64;
  if (extent.span / kSparsest > extent.elements + (1U << 14)) {
    throw CheckpointError(what + " is strewn over a storage that is much larger; save a clone()");
  }
  std::uint64_t expected = 1;
  extent.is_contiguous = true;
  for (std::size_t i = tensor.shape.size(); i > 0; --i) {
    const auto size = static_cast<std::uint64_t>(tensor.shape[i - 1]);
    const auto stride = static_cast<std::uint64_t>(tensor.strides[i - 1]);
    if (size != 1 && stride != expected) extent.is_contiguous = false;
    expected *= size;
  }
  return extent;
}

void TorchFile::check_storage(std::size_t storage) const {
  if (places_[storage].entry != nullptr) zip_->check(*places_[storage].entry);
}

void TorchFile::read(std::size_t storage, std::uint64_t offset, void* buffer,
                     std::size_t count) const {
  const Place& place = places_[storage];
  if (offset > place.bytes || count > place.bytes - offset) {
    refuse(": storage " + in_quotes(graph_.storages[storage].key) + " is read beyond its end");
  }
  file_.read(place.offset + offset, buffer, count);
}

}  // namespace casvit::trainer
