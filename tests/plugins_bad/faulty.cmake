# build/PRESET/tests/faulty/NAME.so: faulty.c with one fault each, and `none`. In one build only; a plugin with a
# fault that the address sanitizer finds is built with it, and weir is not.
if(CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT WEIR_SANITIZE AND NOT WEIR_COVER AND TARGET weir)
  set(faults none BLOCKS HANGS SPINS LEAKS LEAKS_SESSIONS OPENS_SOCKET KEEPS_POINTER WRITES_AFTER_FREE STARTS_THREAD
    PRINTS READS_BEHIND CRASHES_ON_SHORT EXITS WRONG_MARKET WRONG_TRADE LOSES_FILLS LIES_ABOUT_FILLS FILLS_ANEW DOUBLES_FILLS
    BAD_EVENTS TAKES_CUT DROPS_REDUCE_ONLY DROPS_POST_ONLY REFUSES_POST_ONLY IGNORES_TIF WRONG_SIDE WRONG_SYMBOL
    WRONG_SCALE NOT_PURE WALL_CLOCK CHANCE TAKES_AND_FORGETS INVENTS_FILLS ACKS_ON_SEND REFUSES_AFTER_SENDING
    CANCELS_LAST LACKS_AMEND LACKS_QUERY SHARED_STATE HIDES_LOSS LOSS_IS_REJECT CANNOT_RESOLVE ABI=1u SIZE=8u)
  add_custom_target(faulty_plugins ALL)
  foreach(fault ${faults})
    string(REGEX REPLACE "=.*" "" name ${fault})
    add_library(faulty_${name} MODULE ${CMAKE_SOURCE_DIR}/tests/plugins_bad/faulty.c)
    target_link_libraries(faulty_${name} PRIVATE weir_sdk)
    target_link_options(faulty_${name} PRIVATE -Wl,-Bsymbolic,--exclude-libs,ALL)
    target_compile_definitions(faulty_${name} PRIVATE ${fault})
    set_target_properties(faulty_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name} WEIR_TEST ON
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/faulty)
    add_dependencies(faulty_plugins faulty_${name})
  endforeach()
  target_compile_options(faulty_WRITES_AFTER_FREE PRIVATE -fsanitize=address)
  target_link_options(faulty_WRITES_AFTER_FREE PRIVATE -fsanitize=address)
  add_executable(remote_frames ${CMAKE_SOURCE_DIR}/tests/plugins_bad/remote_frames.c)
  target_link_libraries(remote_frames PRIVATE weir_sdk)
  set_target_properties(remote_frames PROPERTIES WEIR_TEST ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/faulty)
  add_test(NAME cli_guide_connector
    COMMAND ${CMAKE_SOURCE_DIR}/tests/cli/guide.sh $<TARGET_FILE:weir> ${CMAKE_SOURCE_DIR}/docs/connector.md)
  set_tests_properties(cli_guide_connector PROPERTIES TIMEOUT 300 LABELS binary)
  foreach(name plugin_check plugin_new)
    add_test(NAME cli_${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/cli/${name}.sh $<TARGET_FILE:weir> ${CMAKE_BINARY_DIR})
    set_tests_properties(cli_${name} PROPERTIES TIMEOUT 300 LABELS binary)
  endforeach()
endif()
