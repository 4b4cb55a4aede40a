# ONNX::onnx: libonnx, its messages and checker. The CMake files in Debian's package name libraries
# that it does not contain.

find_path(ONNX_INCLUDE_DIR onnx/checker.h)
find_library(ONNX_LIBRARY onnx)
find_library(ONNX_PROTO_LIBRARY onnx_proto)
find_package(Protobuf REQUIRED)
mark_as_advanced(ONNX_INCLUDE_DIR ONNX_LIBRARY ONNX_PROTO_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(ONNX REQUIRED_VARS ONNX_LIBRARY ONNX_PROTO_LIBRARY ONNX_INCLUDE_DIR)

if(ONNX_FOUND AND NOT TARGET ONNX::onnx)
  add_library(ONNX::onnx INTERFACE IMPORTED)
  # LibTorch's wheel brings headers of another protobuf. The right ones stand alone in a folder that
  # comes first where ONNX::onnx is linked before casvit::torch; /usr/include itself cannot.
  file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/protobuf-headers")
  file(CREATE_LINK "${Protobuf_INCLUDE_DIRS}/google" "${CMAKE_BINARY_DIR}/protobuf-headers/google" SYMBOLIC)
  target_include_directories(ONNX::onnx INTERFACE "${CMAKE_BINARY_DIR}/protobuf-headers" "${ONNX_INCLUDE_DIR}")
  target_link_libraries(ONNX::onnx INTERFACE "${ONNX_LIBRARY}" "${ONNX_PROTO_LIBRARY}" protobuf::libprotobuf)
  # As Debian and Ubuntu compile it; its headers need to be told.
  target_compile_definitions(ONNX::onnx INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
endif()
