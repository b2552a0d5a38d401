# Equal journals from all builds: the last build of `./dev test` compares with those before it.
if(TARGET weir)
  set(others)
  foreach(build check fast)
    list(APPEND others ${CMAKE_SOURCE_DIR}/build/${build}/weir)
  endforeach()
  add_test(NAME scenario_hashes COMMAND ${CMAKE_SOURCE_DIR}/tests/scenario/hashes.sh $<TARGET_FILE:weir> ${others})
  set_tests_properties(scenario_hashes PROPERTIES LABELS last SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()
