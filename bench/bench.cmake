# Each bench/NAME_bench.c is the program build/PRESET/bench/NAME, linked with the rooms whose headers
# it includes. `./dev bench` runs those of the release build.
if(CMAKE_BUILD_TYPE STREQUAL Release)
  file(GLOB benches CONFIGURE_DEPENDS bench/*_bench.c)
  foreach(source ${benches})
    get_filename_component(name ${source} NAME_WE)
    string(REGEX REPLACE "_bench$" "" name ${name})
    add_executable(bench_${name} ${source})
    rooms_of(${source} rooms)
    target_link_libraries(bench_${name} PRIVATE ${rooms})
    set_target_properties(bench_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  endforeach()
endif()
