#include "dataio/pack/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "dataio/error.h"
#include "tests/dataio/temporary_folder.h"

namespace casvit::dataio {
namespace {

using ::testing::HasSubstr;

const JournalRequest kRequest{"what", "when", "typed", {".a.part", ".b.part"}};

std::string records(int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) {
    SampleRecord record;
    record.length = static_cast<std::uint32_t>(i % 3);  // every third is a rejected one
    record.rejected = i % 3 == 0 ? "why not " + std::to_string(i) : "";
    record.height = 7;
    record.source = {123, 456};
    append_record(bytes, record);
  }
  return bytes;
}

/// A journal of two batches, the first of them durable, kept. @returns its bytes.
Bytes kept_journal(const std::string& path) {
  Journal journal(path, kRequest);
  journal.add_records(records(5));
  journal.mark_durable();
  journal.add_records(records(3));
  journal.keep();
  return file_bytes(path);
}

TEST(Journal, IsReadBackAsItWasWritten) {
  const TemporaryFolder folder;
  kept_journal(folder / "j");
  JournalState state;
  ASSERT_TRUE(Journal::open(folder / "j", state));
  EXPECT_EQ(state.request.request, "what");
  EXPECT_EQ(state.request.created, "when");
  EXPECT_EQ(state.request.command_line, "typed");
  EXPECT_EQ(state.request.files, kRequest.files);
  EXPECT_EQ(state.records, records(5) + records(3));
  EXPECT_EQ(state.durable_bytes, records(5).size());
  EXPECT_TRUE(state.sealed.empty());
  std::string_view rest = state.records;
  EXPECT_EQ(take_record(rest).rejected, "why not 0");
  EXPECT_EQ(take_record(rest).height, 7U);
}

TEST(Journal, GoesAwayUnlessKept) {
  const TemporaryFolder folder;
  { const Journal journal(folder / "j", kRequest); }
  EXPECT_TRUE(folder.names().empty());
  JournalState state;
  EXPECT_FALSE(Journal::open(folder / "j", state));
}

/// Whatever a kill leaves of it, what is read are whole batches from the beginning on.
TEST(Journal, CutAnywhereHoldsABeginning) {
  const TemporaryFolder folder;
  const Bytes whole = kept_journal(folder / "j");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_file(folder / "j", Bytes(whole.begin(), whole.begin() + static_cast<long>(size)));
    JournalState state;
    if (!Journal::open(folder / "j", state)) continue;
    EXPECT_EQ(state.request.command_line, "typed");
    EXPECT_TRUE(state.records.empty() || state.records == records(5)) << size;
  }
}

TEST(Journal, WithAByteChangedEndsBeforeIt) {
  const TemporaryFolder folder;
  const Bytes whole = kept_journal(folder / "j");
  const std::string all = records(5) + records(3);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    Bytes changed = whole;
    changed[at] ^= 0x20;
    write_file(folder / "j", changed);
    JournalState state;
    if (Journal::open(folder / "j", state)) {
      EXPECT_TRUE(all.starts_with(state.records)) << at;
    }
  }
}

TEST(Journal, GoesOnWhereItWasCut) {
  const TemporaryFolder folder;
  const Bytes whole = kept_journal(folder / "j");
  write_file(folder / "j", Bytes(whole.begin(), whole.end() - 3));
  JournalState state;
  {
    auto journal = Journal::open(folder / "j", state);
    ASSERT_TRUE(journal);
    std::string_view rest = state.records;
    static_cast<void>(take_record(rest));
    journal->cut_records(state.records.size() - rest.size());  // one record is kept
    journal->add_records(records(2));
    journal->mark_sealed({11, 12});
  }
  ASSERT_TRUE(Journal::open(folder / "j", state));
  EXPECT_EQ(state.records, records(1) + records(2));
  EXPECT_EQ(state.durable_bytes, records(1).size());
  EXPECT_EQ(state.sealed, (std::vector<std::uint64_t>{11, 12}));
}

TEST(Journal, BelongsToOneProcessAtATime) {
  const TemporaryFolder folder;
  const Journal journal(folder / "j", kRequest);
  JournalState state;
  try {
    static_cast<void>(Journal::open(folder / "j", state));
    FAIL() << "two have it";
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("another casvit-pack is writing this output"));
  }
  EXPECT_THROW(Journal(folder / "j", kRequest), UsageError);
  EXPECT_TRUE(std::filesystem::exists(folder / "j"));
}

}  // namespace
}  // namespace casvit::dataio
