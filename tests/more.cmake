# What single rooms add to the tests.
include(tests/venue/plugins.cmake)
include(tests/cli/cli.cmake)
include(tests/kill/kill.cmake)
include(tests/property/property.cmake)
