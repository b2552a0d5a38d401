/* elf.c - a small shared object with any of its bytes changed, and cut anywhere.
 *
 * The first two bytes say how long it is; then three bytes each are a place and what stands there. The
 * object is on the heap at its exact size, so that a sanitizer sees a step beside it. */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "venue/elf.h"

struct image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    Elf64_Dyn dynamic[6];
    Elf64_Sym symbols[3];
    uint32_t gnu_hash[8];
    char strings[32];
    uint32_t object[4];
};

static struct image image_of(void)
{
    struct image it;
    memset(&it, 0, sizeof it);
    memcpy(it.header.e_ident, ELFMAG, SELFMAG);
    it.header.e_ident[EI_CLASS] = ELFCLASS64;
    it.header.e_ident[EI_DATA] = ELFDATA2LSB;
    it.header.e_type = ET_DYN;
#if defined(__x86_64__)
    it.header.e_machine = EM_X86_64;
#else
    it.header.e_machine = EM_AARCH64;
#endif
    it.header.e_phoff = offsetof(struct image, segments);
    it.header.e_phentsize = sizeof(Elf64_Phdr);
    it.header.e_phnum = 3;
    it.segments[0] = (Elf64_Phdr){.p_type = PT_LOAD, .p_filesz = sizeof it, .p_memsz = sizeof it};
    it.segments[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
                                  .p_offset = offsetof(struct image, dynamic),
                                  .p_filesz = sizeof it.dynamic};
    it.segments[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
    it.dynamic[0] = (Elf64_Dyn){DT_SYMTAB, {offsetof(struct image, symbols)}};
    it.dynamic[1] = (Elf64_Dyn){DT_STRTAB, {offsetof(struct image, strings)}};
    it.dynamic[2] = (Elf64_Dyn){DT_STRSZ, {sizeof it.strings}};
    it.dynamic[3] = (Elf64_Dyn){DT_GNU_HASH, {offsetof(struct image, gnu_hash)}};
    it.symbols[1] = (Elf64_Sym){.st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE)};
    it.symbols[2] = (Elf64_Sym){.st_name = 8,
                                .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
                                .st_shndx = 1,
                                .st_value = offsetof(struct image, object),
                                .st_size = sizeof it.object};
    memcpy(it.strings, "\0malloc\0weir_plugin", 20);
    static const uint32_t hash[8] = {1, 2, 1, 0,
                                     0, 0, 2, 1}; /* one bucket, from symbol 2; its chain ends */
    memcpy(it.gnu_hash, hash, sizeof hash);
    return it;
}

static void count(void *context, enum elf_want what, const char *name)
{
    (void)what;
    *(size_t *)context += strlen(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct image image = image_of();
    struct why why = {0};
    size_t offset = 0, size = sizeof image;
    if (elf_check((unsigned char *)&image, size, "weir_plugin", 16, &offset, &why) != WEIR_OK ||
        offset != offsetof(struct image, object))
        abort(); /* untouched it is fine */
    if (len >= 2 && data[0] & 1)
        size = ((size_t)data[0] << 8 | data[1]) % (sizeof image + 1);
    for (size_t at = 2; at + 3 <= len; at += 3)
        ((unsigned char *)&image)[((size_t)data[at] << 8 | data[at + 1]) % sizeof image] =
            data[at + 2];
    unsigned char *exact = malloc(size > 0 ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, &image, size);
    why.text[0] = '\0';
    enum weir_err err = elf_check(exact, size, "weir_plugin", 16, &offset, &why);
    if (err == WEIR_OK ? offset > size || size - offset < 16 : why.text[0] == '\0')
        abort();
    size_t letters = 0;
    (void)!elf_wants(exact, size, count, &letters, &why);
    free(exact);
    return 0;
}
