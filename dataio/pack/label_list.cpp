#include "dataio/pack/label_list.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "dataio/container/display.h"
#include "dataio/error.h"
#include "dataio/pack/labels.h"
#include "dataio/pack/split.h"

namespace casvit::dataio {
namespace {

constexpr std::uint64_t kMaxListBytes = std::uint64_t{4} << 30;
constexpr std::array<std::string_view, 6> kPathColumns{"path",  "file",       "filename",
                                                       "image", "image_path", "filepath"};
constexpr std::array<std::string_view, 4> kLabelColumns{"label", "class", "class_name", "target"};
constexpr std::array<std::string_view, 4> kPartColumns{"split", "part", "set", "subset"};

/// One line of a list of pictures.
struct ListEntry {
  std::uint64_t line = 0;  ///< in the file, from 1
  std::string path;
  std::string label;
  std::string part;  ///< empty where the list has no such column
};

struct Row {
  std::uint64_t line = 0;
  std::vector<std::string> fields;
};

class ListFile {
 public:
  explicit ListFile(const std::string& path) : path_(path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);  // fails for all but regular files
    if (error) throw InputError("cannot read " + display_path(path) + ": " + error.message());
    if (size > kMaxListBytes) throw InputError(display_path(path) + " is larger than 4 GiB");
    std::ifstream file(path, std::ios::binary);
    text_.assign(std::istreambuf_iterator<char>(file), {});
    if (!file || text_.size() != size) throw InputError("cannot read " + display_path(path));
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;  // a byte order mark
    extension_ = std::filesystem::path(path).extension().string();
  }

  /// False at the end. Empty lines come as no fields.
  bool next(Row& row) {
    row.fields.clear();
    row.line = ++line_;
    if (at_ >= text_.size()) return false;
    if (extension_ == ".csv") {
      read_quoted(row);
    } else {
      read_plain(row);
    }
    if (row.fields.size() == 1 && row.fields[0].empty()) row.fields.clear();
    return true;
  }

  [[noreturn]] void refuse(std::uint64_t line, const std::string& reason) const {
    throw UsageError(display_path(path_) + ", line " + std::to_string(line) + ": " + reason);
  }

 private:
  /// The rest of the line, without its end.
  std::string_view take_line() {
    const std::size_t end = std::min(text_.find('\n', at_), text_.size());
    std::string_view line(text_.data() + at_, end - at_);
    at_ = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void read_plain(Row& row) {
    std::string_view line = take_line();
    if (extension_ == ".txt" && line.starts_with('#')) return;
    if (extension_ == ".txt" && line.find('\t') == std::string_view::npos) {
      while (line.ends_with(' ')) line.remove_suffix(1);
      const std::size_t blank = line.rfind(' ');
      if (blank == std::string_view::npos) {
        row.fields.emplace_back(line);
        return;
      }
      const std::size_t path_end = line.find_last_not_of(' ', blank);
      row.fields.emplace_back(
          line.substr(0, path_end == std::string_view::npos ? 0 : path_end + 1));
      row.fields.emplace_back(line.substr(blank + 1));
      return;
    }
    for (;;) {
      const std::size_t tab = line.find('\t');
      row.fields.emplace_back(line.substr(0, tab));
      if (tab == std::string_view::npos) return;
      line.remove_prefix(tab + 1);
    }
  }

  /// RFC 4180: a field in quotes may hold commas, line feeds and doubled quotes.
  void read_quoted(Row& row) {
    for (;;) {
      std::string field;
      if (at_ < text_.size() && text_[at_] == '"') {
        take_quoted_field(row.line, field);
      } else {
        const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
        field = text_.substr(at_, end - at_);
        at_ = end;
        const bool ends_line = at_ >= text_.size() || text_[at_] == '\n';
        if (ends_line && field.ends_with('\r')) field.pop_back();
      }
      row.fields.push_back(std::move(field));
      if (at_ >= text_.size()) return;
      const char separator = text_[at_++];
      if (separator == '\n') return;
    }
  }

  void take_quoted_field(std::uint64_t line, std::string& field) {
    ++at_;
    for (;;) {
      const std::size_t quote = text_.find('"', at_);
      if (quote == std::string::npos) refuse(line, "a quote is never closed");
      field.append(text_, at_, quote - at_);
      at_ = quote + 1;
      if (at_ >= text_.size() || text_[at_] != '"') break;
      field += '"';
      ++at_;
    }
    line_ += static_cast<std::uint64_t>(std::count(field.begin(), field.end(), '\n'));
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') {
      refuse(line, "there is something between a closing quote and the next comma");
    }
  }

  std::string path_;
  std::string text_;
  std::string extension_;
  std::size_t at_ = 0;
  std::uint64_t line_ = 0;
};

constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);

struct Columns {
  std::size_t path = 0;
  std::size_t label = 1;
  std::size_t part = 2;
};

template <std::size_t N>
std::size_t find_column(const Row& row, const std::array<std::string_view, N>& names) {
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    std::string name = row.fields[i];
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (std::find(names.begin(), names.end(), name) != names.end()) return i;
  }
  return kNoColumn;
}

/// Whether `row` names the columns, which `columns` then are.
bool is_header(const Row& row, Columns& columns) {
  const std::size_t path = find_column(row, kPathColumns);
  const std::size_t label = find_column(row, kLabelColumns);
  if (path == kNoColumn || label == kNoColumn) return false;
  columns = {path, label, find_column(row, kPartColumns)};
  return true;
}

ListEntry entry_of(const ListFile& file, const Row& row, const Columns& columns) {
  if (row.fields.size() <= std::max(columns.path, columns.label)) {
    file.refuse(row.line, "it has " + std::to_string(row.fields.size()) +
                              " columns; a path and a label are needed");
  }
  ListEntry entry{row.line, row.fields[columns.path], row.fields[columns.label], ""};
  if (columns.part < row.fields.size()) entry.part = row.fields[columns.part];
  if (entry.path.empty()) file.refuse(row.line, "the path is empty");
  if (entry.label.empty()) file.refuse(row.line, "the label is empty");
  if (entry.path.find('\0') != std::string::npos) file.refuse(row.line, "the path holds a zero");
  return entry;
}

/// Names of the parts in the order in which they appear; sets the candidates' parts.
void assign_parts(const ListFile& file, const std::vector<ListEntry>& entries, PackPlan& plan) {
  plan.divided = !entries.empty() && !entries[0].part.empty();
  if (!plan.divided) plan.parts = {"all"};
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].part.empty() == plan.divided) {
      file.refuse(entries[i].line, "some lines have a split and some have none");
    }
    if (!plan.divided) continue;
    const std::string name = entries[i].part == "validation" ? "val" : entries[i].part;
    auto at = std::find(plan.parts.begin(), plan.parts.end(), name);
    if (at == plan.parts.end()) {
      if (!is_part_name(name)) {
        file.refuse(entries[i].line, "the split '" + display_path(name) +
                                         "' is not made of letters, digits, - and _");
      }
      at = plan.parts.insert(plan.parts.end(), name);
    }
    plan.candidates[i].part = static_cast<std::uint32_t>(at - plan.parts.begin());
  }
}

/// What is wrong with a path that is listed again.
std::string repeated(const ListEntry& entry, const ListEntry& other) {
  const std::string path = display_path(entry.path);
  const std::string there = ", in line " + std::to_string(other.line);
  if (other.label != entry.label) {
    return path + " has the label '" + display_path(entry.label) + "'" + there + " it has '" +
           display_path(other.label) + "'";
  }
  if (other.part != entry.part) {
    return path + " is in the split '" + display_path(entry.part) + "'" + there + " it is in '" +
           display_path(other.part) + "'; a picture belongs to one of them";
  }
  return path + " is listed already" + there + "; leave one of them out";
}

void check_listed_once(const ListFile& file, const std::vector<ListEntry>& entries) {
  std::unordered_map<std::string, std::size_t> seen;
  seen.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    // "a/b.jpg" and "./a//b.jpg" are one file.
    const auto path = std::filesystem::path(entries[i].path).lexically_normal().string();
    const auto [at, is_new] = seen.emplace(path, i);
    if (!is_new) file.refuse(entries[i].line, repeated(entries[i], entries[at->second]));
  }
}

std::vector<ListEntry> read_entries(ListFile& file, const OnListed& on_listed) {
  std::vector<ListEntry> entries;
  Columns columns;
  Row row;
  for (bool first = true; file.next(row);) {
    if (on_listed) on_listed();
    if (row.fields.empty()) continue;
    const bool header = first && is_header(row, columns);
    first = false;
    if (!header) entries.push_back(entry_of(file, row, columns));
  }
  return entries;
}

}  // namespace

PackPlan plan_from_list(const std::string& path, const std::string& root,
                        const OnListed& on_listed) {
  ListFile file(path);
  std::vector<ListEntry> entries = read_entries(file, on_listed);
  if (entries.empty()) throw UsageError(display_path(path) + " lists no pictures");
  check_listed_once(file, entries);
  PackPlan plan;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  plan.root = !root.empty() ? root : folder.empty() ? "." : folder;
  std::vector<std::string> texts;
  for (ListEntry& entry : entries) {
    texts.push_back(entry.label);
    Candidate candidate;
    candidate.path = std::move(entry.path);
    plan.candidates.push_back(std::move(candidate));
  }
  LabelClasses classes = classes_of_labels(texts);
  for (std::size_t i = 0; i < entries.size(); ++i) plan.candidates[i].label = classes.labels[i];
  plan.classes = std::move(classes.names);
  assign_parts(file, entries, plan);
  return plan;
}

}  // namespace casvit::dataio
