#pragma once

#include <cstddef>
#include <cstdint>

namespace casvit::dataio::jpeg {

/// Coefficients of a block, natural order; products with `quantization` count modulo 2^16.
using Block = std::int16_t[64];

/// Inverse DCT of `blocks` blocks side by side: 8 rows of `8 * blocks` bytes, `stride` bytes apart.
/// The arithmetic is that of libjpeg's jidctint.c (ISLOW), rounding and all, with 16-bit
/// intermediates as in libjpeg-turbo's vector version, so that even senseless coefficients give its
/// bits.
using InverseDct = void (*)(const Block* coefficients, const std::uint16_t* quantization,
                            std::size_t blocks, std::uint8_t* out, std::size_t stride);

void inverse_dct_portable(const Block* coefficients, const std::uint16_t* quantization,
                          std::size_t blocks, std::uint8_t* out, std::size_t stride);
#if defined(__x86_64__)
void inverse_dct_avx2(const Block* coefficients, const std::uint16_t* quantization,
                      std::size_t blocks, std::uint8_t* out, std::size_t stride);
#endif

}  // namespace casvit::dataio::jpeg
