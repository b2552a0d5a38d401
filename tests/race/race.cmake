# Each tests/race/NAME.c is a plain program race_NAME, since Criterion aborts under the thread
# sanitizer. It exits 0 when all is well; `race` builds find the races, the others the rest.
file(GLOB races CONFIGURE_DEPENDS tests/race/*.c)
foreach(source ${races})
  get_filename_component(name ${source} NAME_WE)
  add_executable(race_${name} ${source})
  rooms_of(${source} rooms)
  target_link_libraries(race_${name} PRIVATE ${rooms} Threads::Threads)
  target_include_directories(race_${name} PRIVATE tests)
  set_target_properties(race_${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests WEIR_TEST ON)
  add_test(NAME race_${name} COMMAND race_${name})
  set_tests_properties(race_${name} PROPERTIES LABELS race TIMEOUT 120)
endforeach()
