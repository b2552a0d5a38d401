/* support_fault.h - an allocation of this program that fails: malloc, calloc and realloc are
 * wrapped by the linker (CMakeLists.txt). */
#ifndef TESTS_SCRIPT_SUPPORT_FAULT_H
#define TESTS_SCRIPT_SUPPORT_FAULT_H

#include <stdbool.h>

void fault_arm(long n);  /* the n-th from now on fails, once */
bool fault_disarm(void); /* true: it had come so far */

#endif
