# What every target of ours is compiled with: warnings, ccache, a fast linker, sanitizers.

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are cached too, as long as ccache overlooks when they were made.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND};-E;env;CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1;${CCACHE_PROGRAM}")
endif()

find_program(MOLD_PROGRAM ld.mold)
find_program(LLD_PROGRAM ld.lld)
if(MOLD_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 12.1)
  add_link_options(-fuse-ld=mold)
elseif(LLD_PROGRAM)
  add_link_options(-fuse-ld=lld)
endif()

# Flags for our own code alone: usage requirements of libraries come in as SYSTEM.
add_library(casvit_flags INTERFACE)
target_compile_options(casvit_flags INTERFACE -Wall -Wextra -Wpedantic -Werror)
target_include_directories(casvit_flags INTERFACE "${CMAKE_SOURCE_DIR}")
target_compile_definitions(casvit_flags INTERFACE CASVIT_VERSION="${PROJECT_VERSION}")
# GCC 12 takes std::string operator+ for an overlapping copy (its bug 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(casvit_flags INTERFACE -Wno-restrict)
endif()
# A fused multiply-add would make results depend on the compiler's mood: kernels ask for it by name.
target_compile_options(casvit_flags INTERFACE -ffp-contract=off)
if(CASVIT_SANITIZE)
  target_compile_options(casvit_flags INTERFACE -fsanitize=${CASVIT_SANITIZE} -fno-omit-frame-pointer)
  target_compile_definitions(casvit_flags INTERFACE CASVIT_SANITIZED) # their own memory is in every measurement
  # The sanitizers' own code confuses GCC's flow analysis (its manual says so, under -fsanitize).
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(casvit_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  if(CASVIT_SANITIZE MATCHES "undefined")
    target_compile_options(casvit_flags INTERFACE -fno-sanitize-recover=undefined)
  endif()
  target_link_options(casvit_flags INTERFACE -fsanitize=${CASVIT_SANITIZE})
endif()
