# casvit_add_test(NAME SOURCES... [RANKS N...] [LIBRARIES ...] [TIMEOUT seconds] [ENVIRONMENT ...] [ONE_THREAD])
# One GoogleTest program. Without RANKS it runs alone; with RANKS it runs under mpirun once a count.
# A test with RANKS brings its own main (it starts the World); others get gtest_main.
# ONE_THREAD: nothing in it runs side by side, so that ThreadSanitizer would find nothing.
# Tests run in the source folder's tests/ directory, so that small data are found by relative path.

find_package(GTest REQUIRED)
find_program(MPIEXEC_PROGRAM NAMES mpirun mpiexec)

set(CASVIT_MPI_TEST_ENVIRONMENT
    "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_btl_base_warn_component_unused=0;OMPI_MCA_btl_vader_single_copy_mechanism=none")
set(CASVIT_SANITIZER_ENVIRONMENT
    "LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/launch/lsan.supp:print_suppressions=0"
    "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/launch/tsan.supp")
# MPI_Finalize unloads Open MPI's plugins, whose leaks can then be told from ours no more: programs
# under mpirun are checked for everything but leaks.
set(CASVIT_MPI_SANITIZER_ENVIRONMENT "ASAN_OPTIONS=detect_leaks=0")

function(casvit_add_test name)
  cmake_parse_arguments(TEST "ONE_THREAD" "TIMEOUT" "RANKS;LIBRARIES;ENVIRONMENT" ${ARGN})
  if(TEST_ONE_THREAD AND CASVIT_SANITIZE MATCHES "thread")
    return()
  endif()
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  add_executable(${name} ${TEST_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE casvit_flags ${TEST_LIBRARIES} GTest::gmock GTest::gtest)
  set(environment ${CASVIT_SANITIZER_ENVIRONMENT} "CASVIT_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}" ${TEST_ENVIRONMENT})
  if(NOT TEST_RANKS)
    target_link_libraries(${name} PRIVATE GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}/tests")
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} ENVIRONMENT
                         "${environment};${CASVIT_MPI_TEST_ENVIRONMENT}")
  endif()
  foreach(ranks IN LISTS TEST_RANKS)
    add_test(NAME ${name}_${ranks}_ranks
             COMMAND ${MPIEXEC_PROGRAM} --oversubscribe --bind-to none -np ${ranks} $<TARGET_FILE:${name}>
             WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}/tests")
    set_tests_properties(${name}_${ranks}_ranks PROPERTIES TIMEOUT ${TEST_TIMEOUT} PROCESSORS 2 ENVIRONMENT
                         "${environment};${CASVIT_MPI_SANITIZER_ENVIRONMENT};${CASVIT_MPI_TEST_ENVIRONMENT}")
  endforeach()
endfunction()

# A test written in Python: casvit_add_python_test(NAME script.py [ENVIRONMENT ...])
function(casvit_add_python_test name script)
  cmake_parse_arguments(TEST "" "TIMEOUT" "ENVIRONMENT" ${ARGN})
  if(NOT TEST_TIMEOUT)
    set(TEST_TIMEOUT 300)
  endif()
  if(NOT CASVIT_PYTHON)
    return()
  endif()
  add_test(NAME ${name} COMMAND ${CASVIT_PYTHON} ${CMAKE_CURRENT_SOURCE_DIR}/${script}
           WORKING_DIRECTORY "${CMAKE_SOURCE_DIR}/tests")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} ENVIRONMENT
                       "${CASVIT_SANITIZER_ENVIRONMENT};CASVIT_BIN=${CMAKE_RUNTIME_OUTPUT_DIRECTORY};${CASVIT_MPI_TEST_ENVIRONMENT};${TEST_ENVIRONMENT}")
endfunction()
