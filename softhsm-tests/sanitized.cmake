# The tests of a sanitized build: the tests that a plain build has compiled, with rooms that are instrumented. Those that run
# the program are the plain build's own (./run test --sanitize).
set(P11MIME_TESTS_FROM "" CACHE PATH "Plain build whose compiled tests a sanitized one links")
if(NOT EXISTS ${P11MIME_TESTS_FROM}/softhsm-tests/libp11mime_test_support.a)
  message(FATAL_ERROR "P11MIME_TESTS_FROM is no plain build with all of its tests: '${P11MIME_TESTS_FROM}'")
endif()
find_package(Catch2 2 REQUIRED)
include(Catch)
target_sources(p11mime PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/sanitized.cpp)

# p11mime_add_sanitized_tests takes the libraries of ROOMS whole and first, so that of a function in a header, which tests
# compile too, it is the instrumented one that is linked.
function(p11mime_add_sanitized_tests name rooms)
  file(GLOB_RECURSE objects CONFIGURE_DEPENDS ${P11MIME_TESTS_FROM}/softhsm-tests/CMakeFiles/p11mime-${name}-tests.dir/*.o)
  set_source_files_properties(${objects} PROPERTIES EXTERNAL_OBJECT ON)
  add_executable(p11mime-${name}-tests sanitized.cpp ${objects})
  set(whole)
  foreach(room ${rooms})
    list(APPEND whole $<TARGET_FILE:p11mime_${room}>)
  endforeach()
  list(GET rooms 0 leftmost)
  target_link_options(p11mime-${name}-tests PRIVATE -Wl,--whole-archive ${whole} -Wl,--no-whole-archive)
  target_link_libraries(p11mime-${name}-tests PRIVATE ${P11MIME_TESTS_FROM}/softhsm-tests/libp11mime_test_support.a
                                                      ZLIB::ZLIB p11mime_${leftmost})
  catch_discover_tests(p11mime-${name}-tests ${ARGN} EXTRA_ARGS --warn NoTests
                       PROPERTIES LABELS ${name} TIMEOUT 600 SKIP_RETURN_CODE 77 ENVIRONMENT P11MIME_SANITIZED=1)
endfunction()

p11mime_add_sanitized_tests(mime "cms;mime")
p11mime_add_sanitized_tests(cms "cms;mime")
p11mime_add_sanitized_tests(token "token;cms;mime")
target_link_libraries(p11mime-token-tests PRIVATE PkgConfig::P11KIT)
p11mime_add_sanitized_tests(cli "cli;token;cms;mime")
target_link_libraries(p11mime-cli-tests PRIVATE PkgConfig::KEYUTILS)
# Sanitizers look at p11mime alone, not at its peers.
p11mime_add_sanitized_tests(matrix "token;cms;mime" TEST_SPEC "[self]")
