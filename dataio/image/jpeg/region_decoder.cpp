#include "dataio/image/jpeg/region_decoder.h"

#include <algorithm>
#include <limits>

#include "dataio/image/jpeg/bit_reader.h"

namespace casvit::dataio::jpeg {
namespace {

/// Places that a faulty run of zeros can reach are there, so that it need only be noticed
/// afterwards.
constexpr std::array<std::uint8_t, 80> kPaddedOrder = [] {
  std::array<std::uint8_t, 80> order{};
  order.fill(63);
  std::copy(kNaturalOrder.begin(), kNaturalOrder.end(), order.begin());
  return order;
}();

Entry look_up(const BitReader& reader, const HuffmanTable& table) {
  return table.entries[reader.peek(kLookupBits)];
}

/// A symbol whose code is longer than the lookup; -1 where there is none. At most 16 bits.
int take_long_code(BitReader& reader, const HuffmanTable& table) {
  const unsigned next = reader.peek(16);
  for (int length = kLookupBits + 1; length <= 16; ++length) {
    const auto at = static_cast<std::size_t>(length);
    if (next < table.limit[at]) {
      const int index = static_cast<int>(next >> (16 - length)) + table.symbol_offset[at];
      if (index < 0 || index > 255) return -1;
      reader.skip(length);
      return table.symbols[static_cast<std::size_t>(index)];
    }
  }
  return -1;
}

int take_number(BitReader& reader, int size) {
  return size == 0 ? 0 : extend(reader.take(size), size);
}

/// The difference to the DC coefficient before. Takes at most 31 bits.
bool take_dc(BitReader& reader, const HuffmanTable& table, int& difference) {
  const Entry entry = look_up(reader, table);
  if ((entry.bits & kSpecial) == 0) {
    reader.skip(entry.bits);
    difference = entry.value;
    return true;
  }
  int size = entry.value;
  if (size == kLongCode) {
    size = take_long_code(reader, table);
    if (size < 0) return false;
  } else {
    reader.skip(entry.bits & ~kSpecial);
  }
  difference = take_number(reader, size);
  return true;
}

/// Stores coefficients, or passes over those of a block that is not needed.
template <bool kNeeded>
struct AcSink {
  std::int16_t* block;
  unsigned place = 1;  ///< of the next coefficient, zigzag

  bool add(unsigned run, int value) {
    if constexpr (kNeeded) block[kPaddedOrder[place + run]] = static_cast<std::int16_t>(value);
    place += run + 1;
    return place < 64;
  }
};

/// What `entry` stands for that is no finished number. At most 31 bits are taken.
/// @returns whether more coefficients follow; `place` is 65 for a code that there is not
template <bool kNeeded>
bool take_special(BitReader& reader, const HuffmanTable& table, Entry entry,
                  AcSink<kNeeded>& sink) {
  int run = entry.run;
  int size = entry.value;
  if (size == kLongCode) {
    const int symbol = take_long_code(reader, table);
    if (symbol < 0) {
      sink.place = 65;
      return false;
    }
    run = symbol >> 4;
    size = symbol & 15;
    if (size == 0 && run == 15) size = kSixteenZeros;
  } else {
    reader.skip(entry.bits & ~kSpecial);
  }
  if (size == kEndOfBlock) return false;
  if (size == kSixteenZeros) {
    sink.place += 16;
    return sink.place < 64;
  }
  return sink.add(static_cast<unsigned>(run), take_number(reader, size));
}

/// A block's AC coefficients. Note "Bits at hand": a refill gives 56; three finished numbers take
/// at most 30 of them, and after two the 31 of anything else remain.
template <bool kNeeded>
bool take_ac(BitReader& reader, const HuffmanTable& table, AcSink<kNeeded> sink) {
  for (;;) {
    reader.refill();
    Entry entry = look_up(reader, table);
    for (int i = 0; i < 2 && (entry.bits & kSpecial) == 0; ++i) {
      reader.skip(entry.bits);
      if (!sink.add(entry.run, entry.value)) return sink.place == 64;
      entry = look_up(reader, table);
    }
    if ((entry.bits & kSpecial) != 0) {
      // A place of 64 or less: the end of the block, by its mark or because it is full. ZRL may not
      // end it: libjpeg lets that pass.
      if (!take_special(reader, table, entry, sink)) return sink.place <= 64;
      continue;
    }
    reader.skip(entry.bits);
    if (!sink.add(entry.run, entry.value)) return sink.place == 64;
  }
}

}  // namespace

/// Where the decoder is in the scan.
struct RegionDecoder::Progress {
  struct ComponentState {
    const HuffmanTable* dc = nullptr;
    const HuffmanTable* ac = nullptr;
    int last_dc = 0;
  };

  BitReader reader;
  std::size_t segment = 0;
  int mcus_to_restart = 0;
  std::array<ComponentState, 3> component;
};

bool RegionDecoder::open(std::span<const std::uint8_t> bytes) {
  bytes_ = bytes;
  return read_baseline_header(bytes, header_);
}

bool RegionDecoder::decode(const PixelBox& region, std::uint8_t* out, std::size_t stride) {
  if (!plan(region)) return false;
  if (!data_.read(bytes_.subspan(header_.scan_begin))) return false;
  if (!decode_scan()) return false;
  convert_rows(region, out, stride);
  return true;
}

bool RegionDecoder::plan(const PixelBox& region) {
  int wide = 1;
  int high = 1;
  int blocks = 0;
  const auto components = static_cast<std::size_t>(header_.components);
  for (std::size_t c = 0; c < components; ++c) {
    const Component& component = header_.component[c];
    wide = std::max(wide, component.horizontal);
    high = std::max(high, component.vertical);
    blocks += component.horizontal * component.vertical;
  }
  constexpr int kMaxBlocksOfAnMcu = 10;
  if (components > 1 && blocks > kMaxBlocksOfAnMcu) return false;
  if (components == 1) wide = high = 1;
  mcus_across_ = (header_.width + 8 * wide - 1) / (8 * wide);
  mcus_down_ = (header_.height + 8 * high - 1) / (8 * high);
  first_mcu_row_ = mcus_down_;
  end_mcu_row_ = 0;
  for (std::size_t c = 0; c < components; ++c) {
    if (!planes_[c].plan(header_, c, wide, high, region)) return false;
    first_mcu_row_ = std::min(first_mcu_row_, planes_[c].first_mcu_row());
    end_mcu_row_ = std::max(end_mcu_row_, planes_[c].end_mcu_row());
  }
  for (std::size_t c = 0; c < components; ++c) planes_[c].begin(first_mcu_row_, end_mcu_row_);
  return true;
}

bool RegionDecoder::decode_scan() {
  Progress progress;
  const auto components = static_cast<std::size_t>(header_.components);
  for (std::size_t c = 0; c < components; ++c) {
    const Component& component = header_.component[c];
    const auto dc = header_.dc_definition[static_cast<std::size_t>(component.dc_table)];
    const auto ac = header_.ac_definition[static_cast<std::size_t>(component.ac_table)];
    progress.component[c].dc = tables_.find(dc, false);
    progress.component[c].ac = tables_.find(ac, true);
    if (progress.component[c].dc == nullptr || progress.component[c].ac == nullptr) return false;
  }
  progress.reader.next = data_.segment_begin(0);
  progress.mcus_to_restart =
      header_.restart_interval > 0 ? header_.restart_interval : std::numeric_limits<int>::max();
  for (int y = 0; y < end_mcu_row_; ++y) {
    const bool wanted = y >= first_mcu_row_;
    for (std::size_t c = 0; c < components && wanted; ++c) planes_[c].begin_mcu_row();
    if (!decode_mcu_row(progress, wanted)) return false;
    for (std::size_t c = 0; c < components && wanted; ++c) {
      const auto table = static_cast<std::size_t>(header_.component[c].quantization);
      planes_[c].end_mcu_row(y, header_.quantization[table].data(), kernels_);
    }
  }
  if (end_mcu_row_ < mcus_down_) return true;
  // The picture's end is in sight: everything must be used up.
  return at_end_of_segment(progress) && progress.segment + 1 == data_.segments() &&
         data_.ends_picture();
}

bool RegionDecoder::at_end_of_segment(const Progress& progress) const {
  return progress.reader.position() == data_.segment_end(progress.segment);
}

bool RegionDecoder::next_segment(Progress& progress) {
  if (!at_end_of_segment(progress) || progress.segment + 1 == data_.segments()) return false;
  progress.reader = BitReader{0, 0, data_.segment_begin(++progress.segment)};
  progress.mcus_to_restart = header_.restart_interval;
  for (Progress::ComponentState& state : progress.component) state.last_dc = 0;
  return true;
}

bool RegionDecoder::decode_mcu_row(Progress& progress, bool wanted) {
  const auto components = static_cast<std::size_t>(header_.components);
  BitReader reader = progress.reader;
  for (int mcu_x = 0; mcu_x < mcus_across_; ++mcu_x) {
    if (progress.mcus_to_restart == 0) {
      progress.reader = reader;
      if (!next_segment(progress)) return false;
      reader = progress.reader;
    }
    --progress.mcus_to_restart;
    for (std::size_t c = 0; c < components; ++c) {
      ComponentPlane& plane = planes_[c];
      Progress::ComponentState& state = progress.component[c];
      for (int v = 0; v < plane.vertical(); ++v) {
        for (int h = 0; h < plane.horizontal(); ++h) {
          reader.refill();
          int difference = 0;
          if (!take_dc(reader, *state.dc, difference)) return false;
          state.last_dc += difference;
          if (state.last_dc != static_cast<std::int16_t>(state.last_dc)) return false;
          std::int16_t* block = wanted ? plane.block(mcu_x * plane.horizontal() + h, v) : nullptr;
          if (block != nullptr) {
            block[0] = static_cast<std::int16_t>(state.last_dc);
            if (!take_ac(reader, *state.ac, AcSink<true>{block})) return false;
          } else if (!take_ac(reader, *state.ac, AcSink<false>{nullptr})) {
            return false;
          }
        }
      }
    }
    // Beyond the data are kReadable zeros, more than an MCU can take.
    if (reader.position() > data_.segment_end(progress.segment)) return false;
  }
  progress.reader = reader;
  return true;
}

void RegionDecoder::convert_rows(const PixelBox& region, std::uint8_t* out, std::size_t stride) {
  const auto width = static_cast<std::size_t>(region.width);
  for (int y = region.top; y < region.top + region.height; ++y, out += stride) {
    const std::uint8_t* luma = planes_[0].row(y, kernels_);
    if (header_.components == 1) {
      kernels_.rows->grey_to_rgb(luma, width, out);
    } else {
      kernels_.rows->ycc_to_rgb(luma, planes_[1].row(y, kernels_), planes_[2].row(y, kernels_),
                                width, out);
    }
  }
}

}  // namespace casvit::dataio::jpeg
