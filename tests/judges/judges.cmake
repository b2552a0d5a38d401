# Clients that others wrote trade on `weir exchange`; skipped where npm's packages cannot be had.
if(TARGET weir AND NOT WEIR_FUZZ AND NOT WEIR_SANITIZE MATCHES thread)
  add_test(NAME judges COMMAND ${CMAKE_SOURCE_DIR}/tests/judges/judges.sh $<TARGET_FILE:weir>)
  set_tests_properties(judges PROPERTIES LABELS once SKIP_RETURN_CODE 77 TIMEOUT 200)
endif()
