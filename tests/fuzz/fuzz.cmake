# Each tests/fuzz/NAME.c holds LLVMFuzzerTestOneInput() and becomes the program fuzz_NAME. In a
# `fuzz` build that is a libFuzzer program, which ctest gives a minute and `./dev fuzz` as long as
# one wants. In all others it is a test, which gives it the corpus of tests/fuzz/corpus/NAME and a
# fixed number of seeded mutations. plugin_VENUE.c and plugin_VENUE_*.c get that plugin's code, too.
file(GLOB fuzzes CONFIGURE_DEPENDS tests/fuzz/*.c)
if(WEIR_SANITIZE MATCHES thread)
  set(fuzzes)
endif()
foreach(source ${fuzzes})
  get_filename_component(name ${source} NAME_WE)
  add_executable(fuzz_${name} ${source})
  rooms_of(${source} rooms)
  target_link_libraries(fuzz_${name} PRIVATE ${rooms})
  target_include_directories(fuzz_${name} PRIVATE tests)
  if(name MATCHES "^plugin_([a-z0-9]+)") # CMAKE_MATCH_1 is set for what follows the if, not within it
    if(TARGET linked_${CMAKE_MATCH_1})
      target_link_libraries(fuzz_${name} PRIVATE linked_${CMAKE_MATCH_1})
    endif()
  endif()
  if(WEIR_FUZZ)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    set(corpus ${CMAKE_BINARY_DIR}/corpus/${name})
    file(MAKE_DIRECTORY ${corpus})
    file(GLOB seeds LIST_DIRECTORIES true ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} -max_total_time=60 -timeout=10 ${corpus} ${seeds}
      WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    set_tests_properties(fuzz_${name} PROPERTIES LABELS fuzz TIMEOUT 180)
  else()
    target_sources(fuzz_${name} PRIVATE tests/support/fuzz_once.c)
    set_target_properties(fuzz_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests WEIR_TEST ON)
    add_test(NAME fuzz_${name} COMMAND fuzz_${name} ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name}
      WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    set_tests_properties(fuzz_${name} PROPERTIES LABELS fuzz TIMEOUT 120)
  endif()
endforeach()
