/* simdjson_floor.h - simdjson, parsing alone: the floor of whoever reads JSON with the fastest parser there is.
 * In C++, so a library of its own; the bench goes without it where Debian's libsimdjson-dev or a C++
 * compiler is not there. Behind each text there must be simdjson_padding() readable bytes. */
#ifndef BENCH_SIMDJSON_FLOOR_H
#define BENCH_SIMDJSON_FLOOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

size_t simdjson_padding(void);
const char *simdjson_kernel(void); /* which of its kernels this machine has */
/* On-Demand: all values are come to, none is read. 0: no document. */
uint64_t simdjson_lazy(const char *text, size_t len);
/* A document in memory. 0: none. */
uint64_t simdjson_whole(const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
