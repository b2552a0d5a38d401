# A host and the exchange on one virtual clock, with faults: minutes of trading in seconds.
if(TARGET weir AND NOT WEIR_FUZZ AND NOT WEIR_SANITIZE MATCHES thread)
  add_executable(street tests/street/street.c tests/street/network.c tests/kill/compare.c tests/kill/process.c
    tests/engine/support_audit.c)
  target_link_libraries(street PRIVATE weir_control PkgConfig::CRYPTO)
  target_include_directories(street PRIVATE tests)
  target_compile_definitions(street PRIVATE SOURCE_DIR="${CMAKE_SOURCE_DIR}" BUILD_DIR="${CMAKE_BINARY_DIR}")
  set_target_properties(street PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests WEIR_TEST ON)
  add_dependencies(street plugin_sim plugin_binance)
  add_test(NAME street COMMAND street --for 150)
  set_tests_properties(street PROPERTIES TIMEOUT 300)
endif()
