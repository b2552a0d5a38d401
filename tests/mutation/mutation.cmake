# Engines with one mistake each, and who notices. It brings its own build of them.
add_test(NAME mutation COMMAND ${CMAKE_SOURCE_DIR}/tests/mutation/run.sh)
set_tests_properties(mutation PROPERTIES TIMEOUT 600)
