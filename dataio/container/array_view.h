#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>

namespace casvit::dataio {

/// Elements that lie in somebody else's memory, at any alignment: arrays of a file need none.
template <typename T>
class ArrayView {
 public:
  class Iterator {
   public:
    // NOLINTBEGIN(readability-identifier-naming): std::iterator_traits wants these names
    using iterator_category = std::input_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = T;
    // NOLINTEND(readability-identifier-naming)

    Iterator(const ArrayView* view, std::uint64_t at) : view_(view), at_(at) {}
    T operator*() const { return (*view_)[at_]; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    Iterator operator++(int) {
      const Iterator before = *this;
      ++at_;
      return before;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const ArrayView* view_;
    std::uint64_t at_;
  };

  ArrayView() = default;
  /// @param bytes `size * sizeof(T)` of them.
  ArrayView(const std::uint8_t* bytes, std::uint64_t size) : bytes_(bytes), size_(size) {}

  /// `size` times the element at `value`, which must outlive the view.
  static ArrayView repeated(const T* value, std::uint64_t size) {
    ArrayView view(reinterpret_cast<const std::uint8_t*>(value), size);
    view.step_ = 0;
    return view;
  }

  T operator[](std::uint64_t i) const {
    T value;
    std::memcpy(&value, bytes_ + i * step_, sizeof value);
    return value;
  }
  std::uint64_t size() const { return size_; }
  T front() const { return (*this)[0]; }
  T back() const { return (*this)[size_ - 1]; }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, size_}; }
  /// The elements as they lie in memory; not of a repeated one.
  std::span<const std::uint8_t> bytes() const { return {bytes_, size_ * sizeof(T)}; }

 private:
  const std::uint8_t* bytes_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t step_ = sizeof(T);
};

}  // namespace casvit::dataio
