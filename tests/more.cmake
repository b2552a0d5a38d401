# What single rooms add to the tests.
include(tests/venue/plugins.cmake)
include(tests/cli/cli.cmake)
include(tests/kill/kill.cmake)
include(tests/property/property.cmake)
if(CMAKE_C_COMPILER_ID STREQUAL Clang AND CMAKE_BUILD_TYPE STREQUAL Release AND NOT WEIR_SANITIZE AND NOT WEIR_FUZZ)
  include(tests/mutation/mutation.cmake)
  include(tests/scenario/scenario.cmake)
endif()
