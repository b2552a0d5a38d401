/* check.h - what must be true, or the process stops here.
 *
 * For the pure part of base, where assert() would pull in I/O; always on, since a host that is
 * wrong about itself must not trade. [any thread] */
#ifndef WEIR_BASE_CHECK_H
#define WEIR_BASE_CHECK_H

#define must(condition)                        \
    do {                                       \
        if (__builtin_expect(!(condition), 0)) \
            __builtin_trap();                  \
    } while (0)

#endif
