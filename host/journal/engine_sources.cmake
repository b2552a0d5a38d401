# engine_sources.cmake - a fingerprint of all that the engine is made from, as a C file.
#
# cmake -DOUT=FILE -P engine_sources.cmake FILES...: the state that a snapshot holds means something to
# the code that wrote it only, so a snapshot says which code that was. [snapshot.h]
math(EXPR last "${CMAKE_ARGC} - 1")
set(sums "")
set(found FALSE)
foreach(i RANGE 0 ${last})
  if(found)
    file(SHA256 ${CMAKE_ARGV${i}} sum)
    string(APPEND sums ${sum})
  elseif(CMAKE_ARGV${i} MATCHES "engine_sources\\.cmake$")
    set(found TRUE)
  endif()
endforeach()
string(SHA256 sum "${sums}")
string(SUBSTRING ${sum} 0 16 sum)
file(WRITE ${OUT} "#include \"journal/snapshot.h\"\n\nconst uint64_t snapshot_engine_sources = 0x${sum}u;\n")
