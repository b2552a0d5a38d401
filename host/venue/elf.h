/* elf.h - what a shared object would bring into the process, read off its bytes before any of it runs.
 *
 * It reads what the dynamic loader reads (program headers, the dynamic segment), not the section
 * headers, which may say something else. Every offset is checked against the size. [any thread] */
#ifndef WEIR_VENUE_ELF_H
#define WEIR_VENUE_ELF_H

#include <stddef.h>

#include "base/why.h"

/* Is it a shared object for this machine that exports `symbol`, an object of at least `size` bytes
 * with initial bytes in the file, and nothing else? No GNU-unique symbols (they are shared between
 * all copies in the process and pin them there), no executable stack. On success the object's bytes,
 * as they are before relocation, are at bytes + *offset_out. */
enum weir_err elf_check(const unsigned char *bytes, size_t len, const char *symbol, size_t size,
                        size_t *offset_out, struct why *why) WEIR_MUST_USE;

/* What it wants from outside: the libraries, then the symbols that it does not define itself. Names are
 * borrowed from bytes. E_*: it is no object that elf_check would take. */
enum elf_want { ELF_LIBRARY, ELF_SYMBOL };
typedef void elf_wanted(void *context, enum elf_want what, const char *name);
enum weir_err elf_wants(const unsigned char *bytes, size_t len, elf_wanted *each, void *context,
                        struct why *why) WEIR_MUST_USE;

#endif
