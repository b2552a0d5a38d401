# What is asked of the tree itself, as tests and as build targets; and what is asked of every test.

# tidy(NAME LABEL arguments...): tests/tidy/NAME.sh as the test tidy_NAME; exit 77 is "nothing to
# look at". It reads the `source`, which is the same for every build, or what became of it: `binary`.
# The labels of all tests: besides these, `once` (one build, the sanitizers', is enough) and `last` (it
# compares the builds, so that the last of them runs it)
function(tidy name label)
  add_test(NAME tidy_${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/${name}.sh ${ARGN})
  set_tests_properties(tidy_${name} PROPERTIES LABELS ${label} SKIP_RETURN_CODE 77)
endfunction()

if(NOT WEIR_FUZZ)
  tidy(self_test source)
  tidy(layers source)
  tidy(banned source)
  tidy(no_float source)
  tidy(sizes source)
  tidy(abi source)
  foreach(room engine pure)
    get_target_property(kind weir_${room} TYPE)
    if(kind STREQUAL STATIC_LIBRARY)
      list(APPEND archives $<TARGET_FILE:weir_${room}>)
    else()
      list(APPEND archives weir_${room})
    endif()
  endforeach()
  tidy(engine_links binary ${archives})
  if(CMAKE_BUILD_TYPE STREQUAL Release AND NOT WEIR_SANITIZE AND NOT WEIR_COVER)
    foreach(target ${ships} ${plugins})
      list(APPEND binaries $<TARGET_FILE:${target}>)
    endforeach()
    tidy(hardening binary ${binaries})
  endif()
endif()

# format, clang_tidy, cppcheck: build targets. The latter two look again only at what has changed.
add_custom_target(format COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/format.sh)
add_custom_target(format_check COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/format.sh --check)
file(GLOB_RECURSE headers CONFIGURE_DEPENDS host/*.h plugins/*.h sdk/*.h)
file(GLOB_RECURSE sources CONFIGURE_DEPENDS host/*.c plugins/*.c sdk/*.c)
find_program(CLANG_TIDY clang-tidy)
# clang's analyzer gives a function up after so many states: of its 225,000 the last three quarters
# took four fifths of the time and found nothing
set(bounded --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=60000)
find_program(CPPCHECK cppcheck)
if(CLANG_TIDY AND sources)
  foreach(source ${sources})
    file(RELATIVE_PATH name ${CMAKE_SOURCE_DIR} ${source})
    string(MAKE_C_IDENTIFIER ${name} stamp)
    add_custom_command(OUTPUT tidied/${stamp}
      COMMAND ${CLANG_TIDY} --quiet --extra-arg=-Wno-unknown-warning-option ${bounded} -p ${CMAKE_BINARY_DIR} ${source}
      COMMAND ${CMAKE_COMMAND} -E touch tidied/${stamp}
      DEPENDS ${source} ${headers} ${CMAKE_SOURCE_DIR}/.clang-tidy COMMENT "clang-tidy ${name}" VERBATIM)
    list(APPEND stamps tidied/${stamp})
  endforeach()
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/tidied)
  add_custom_target(clang_tidy DEPENDS ${stamps})
endif()
if(CPPCHECK AND sources)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/cppchecked)
  add_custom_command(OUTPUT cppchecked.stamp
    COMMAND ${CPPCHECK} -q -j2 --std=c11 --library=posix,gnu --enable=warning,performance,portability
      --error-exitcode=1 --inline-suppr --suppressions-list=${CMAKE_SOURCE_DIR}/tests/tidy/cppcheck.txt
      --cppcheck-build-dir=cppchecked -D__x86_64__ -D__linux__ -D__GNUC__=12 "-D__attribute__(x)="
      "-DcJSON_ArrayForEach(item,list)=for(item=(list)?(list)->child:0;item;item=item->next)"
      -I ${CMAKE_SOURCE_DIR}/host -I ${CMAKE_SOURCE_DIR}/plugins -I ${CMAKE_SOURCE_DIR}/sdk/include ${sources}
    COMMAND ${CMAKE_COMMAND} -E touch cppchecked.stamp
    DEPENDS ${sources} ${headers} ${CMAKE_SOURCE_DIR}/tests/tidy/cppcheck.txt COMMENT "cppcheck" VERBATIM)
  add_custom_target(cppcheck DEPENDS cppchecked.stamp)
endif()

# Every test runs between reports_begin and reports_end: what a sanitizer says goes to files, and
# one that says anything fails the run even where the program's own exit code stays 0 (Criterion
# passes a test that leaks). reports_end prints it. In a cover build it prints the coverage as well.
get_property(tests DIRECTORY PROPERTY TESTS)
set(reports ${CMAKE_BINARY_DIR}/reports)
if(tests)
  set_property(TEST ${tests} APPEND PROPERTY FIXTURES_REQUIRED reports)
  set_property(TEST ${tests} APPEND PROPERTY ENVIRONMENT
    CRITERION_VERBOSITY_LEVEL=1
    ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1:log_path=${reports}/asan
    UBSAN_OPTIONS=print_stacktrace=1:log_path=${reports}/ubsan
    TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:log_path=${reports}/tsan)
  add_test(NAME reports_begin COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/reports.sh begin ${reports})
  add_test(NAME reports_end COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/reports.sh end ${reports})
  set_tests_properties(reports_begin PROPERTIES FIXTURES_SETUP reports)
  set_tests_properties(reports_end PROPERTIES FIXTURES_CLEANUP reports)
  if(WEIR_COVER)
    add_test(NAME coverage COMMAND ${CMAKE_SOURCE_DIR}/tests/tidy/coverage.sh ${CMAKE_BINARY_DIR})
    set_tests_properties(coverage PROPERTIES FIXTURES_CLEANUP reports)
  endif()
endif()
