# Plugins for tests: build/PRESET/tests/plugins/NAME.so

# test_plugin(NAME SOURCE definitions...)
function(test_plugin name source)
  add_library(test_plugin_${name} MODULE ${source})
  target_link_libraries(test_plugin_${name} PRIVATE weir_sdk)
  target_link_options(test_plugin_${name} PRIVATE -Wl,-Bsymbolic,--exclude-libs,ALL)
  target_compile_definitions(test_plugin_${name} PRIVATE ${ARGN})
  set_target_properties(test_plugin_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests/plugins)
  if(TARGET venue_test)
    add_dependencies(venue_test test_plugin_${name})
  endif()
endfunction()

test_plugin(loopback tests/venue/loopback.c)
set(bad tests/plugins_bad/bad.c)
test_plugin(bad_none ${bad} NAME="bad")
test_plugin(bad_magic ${bad} MAGIC=0x12345678u)
test_plugin(bad_size ${bad} SIZE=8)
test_plugin(bad_abi ${bad} ABI=3u)
test_plugin(bad_layout ${bad} LAYOUT=7u)
test_plugin(bad_no_symbol ${bad} NO_SYMBOL)
test_plugin(bad_second_symbol ${bad} SECOND_SYMBOL)
test_plugin(bad_needs_symbol ${bad} NEEDS_SYMBOL)
test_plugin(bad_name ${bad} NAME="Bad\ name")
test_plugin(bad_no_name ${bad} NAME=0)
test_plugin(bad_no_caps ${bad} NO_CAPS)
test_plugin(bad_caps_size ${bad} CAPS_SIZE=4)
test_plugin(bad_caps_rule ${bad} CAPS_RULE=77)
test_plugin(bad_caps_orders ${bad} CAPS_ORDERS=1)
test_plugin(bad_no_callback ${bad} NO_ON_FRAME)
test_plugin(bad_stack ${bad} NAME="bad")
target_link_libraries(test_plugin_bad_stack PRIVATE -Wl,-z,execstack) # after the tree's own option
test_plugin(bad_function tests/plugins_bad/shape.c FUNCTION)
test_plugin(bad_small tests/plugins_bad/shape.c SMALL)
test_plugin(bad_bss tests/plugins_bad/shape.c BSS)

# GNU-unique symbols are made by g++ only
find_program(GXX g++)
if(GXX)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/tests/plugins/bad_unique.so
    COMMAND ${GXX} -std=c++17 -shared -fPIC -O1 -Wl,-z,noexecstack -o ${CMAKE_BINARY_DIR}/tests/plugins/bad_unique.so ${CMAKE_SOURCE_DIR}/tests/plugins_bad/unique.cc
    DEPENDS ${CMAKE_SOURCE_DIR}/tests/plugins_bad/unique.cc)
  add_custom_target(test_plugin_bad_unique DEPENDS ${CMAKE_BINARY_DIR}/tests/plugins/bad_unique.so)
  if(TARGET venue_test)
    add_dependencies(venue_test test_plugin_bad_unique test_plugin_loopback)
  endif()
endif()
