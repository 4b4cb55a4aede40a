// Writes the JPEGs that Pillow cannot: other sampling factors, YCCK, CMYK without an Adobe marker,
// RGB stored as it is, arithmetic coding. make_pictures.py compiles and runs it.
// Usage: unusual_jpegs KIND HEIGHT WIDTH OUT.jpg < raw samples (3 or 4 bytes a pixel)

// jpeglib.h needs FILE and size_t before it.
// clang-format off
#include <cstddef>
#include <cstdio>
#include <jpeglib.h>
// clang-format on

#include <cstdlib>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string kind = argv[1];
  const int height = std::atoi(argv[2]);
  const int width = std::atoi(argv[3]);
  const bool four = kind == "ycck" || kind == "cmyk";
  const std::size_t stride = static_cast<std::size_t>(width) * (four ? 4 : 3);
  std::vector<JSAMPLE> pixels(stride * static_cast<std::size_t>(height));
  if (std::fread(pixels.data(), 1, pixels.size(), stdin) != pixels.size()) return 1;

  jpeg_compress_struct info;
  jpeg_error_mgr error;
  info.err = jpeg_std_error(&error);
  jpeg_create_compress(&info);
  std::FILE* out = std::fopen(argv[4], "wb");
  if (out == nullptr) return 1;
  jpeg_stdio_dest(&info, out);
  info.image_width = static_cast<JDIMENSION>(width);
  info.image_height = static_cast<JDIMENSION>(height);
  info.input_components = four ? 4 : 3;
  info.in_color_space = four ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 85, TRUE);
  if (kind == "ycck") jpeg_set_colorspace(&info, JCS_YCCK);
  if (kind == "cmyk") info.write_Adobe_marker = FALSE;
  if (kind == "rgb") jpeg_set_colorspace(&info, JCS_RGB);
  if (kind == "arithmetic") info.arith_code = TRUE;
  if (kind == "restart") info.restart_interval = 2;
  if (kind == "440" || kind == "411" || kind == "410" || kind == "luma-halved") {
    info.comp_info[0].h_samp_factor = kind == "411" || kind == "410" ? 4 : 1;
    info.comp_info[0].v_samp_factor = kind == "440" || kind == "410" ? 2 : 1;
    if (kind == "luma-halved") {
      info.comp_info[1].h_samp_factor = 2;
      info.comp_info[1].v_samp_factor = 2;
    }
  }
  jpeg_start_compress(&info, TRUE);
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = pixels.data() + info.next_scanline * stride;
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  return std::fclose(out) == 0 ? 0 : 1;
}
