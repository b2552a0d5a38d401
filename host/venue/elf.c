/* elf.c - a reader of the dynamic symbol table that believes nothing.
 *
 * The number of symbols stands nowhere but in the hash tables: DT_HASH has it, DT_GNU_HASH must be
 * walked to its last chain. */
#include "venue/elf.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define MACHINE      EM_X86_64
#define MACHINE_NAME "x86-64"
#elif defined(__aarch64__)
#define MACHINE      EM_AARCH64
#define MACHINE_NAME "aarch64"
#else
#error "which ELF machine is this?"
#endif

struct elf {
    const unsigned char *bytes;
    size_t len;
    Elf64_Ehdr header;
    uint64_t symtab, strtab, strsz, hash, gnu_hash; /* addresses; 0: not there */
    uint64_t symbols;                               /* in the table */
};

/* --- bytes -------------------------------------------------------------------------------------*/

static bool inside(const struct elf *elf, uint64_t at, uint64_t size)
{
    return at <= elf->len && size <= elf->len - at;
}

static bool read_at(const struct elf *elf, uint64_t at, void *out, size_t size)
{
    if (!inside(elf, at, size))
        return false;
    memcpy(out, elf->bytes + at, size);
    return true;
}

static bool segment(const struct elf *elf, uint32_t i, Elf64_Phdr *out)
{
    uint64_t at = (uint64_t)i * sizeof *out;
    return elf->header.e_phoff <= UINT64_MAX - at &&
           read_at(elf, elf->header.e_phoff + at, out, sizeof *out);
}

/* Where in the file is this address, with size bytes after it? */
static bool offset_of(const struct elf *elf, uint64_t address, uint64_t size, uint64_t *offset_out)
{
    for (uint32_t i = 0; i < elf->header.e_phnum; i++) {
        Elf64_Phdr part;
        if (!segment(elf, i, &part))
            return false;
        if (part.p_type != PT_LOAD || address < part.p_vaddr)
            continue;
        uint64_t into = address - part.p_vaddr;
        if (into > part.p_filesz || size > part.p_filesz - into ||
            part.p_offset > UINT64_MAX - into || !inside(elf, part.p_offset + into, size))
            continue;
        *offset_out = part.p_offset + into;
        return true;
    }
    return false;
}

static bool read_address(const struct elf *elf, uint64_t address, void *out, size_t size)
{
    uint64_t offset;
    return address != 0 && offset_of(elf, address, size, &offset) &&
           read_at(elf, offset, out, size);
}

/* --- header and segments -----------------------------------------------------------------------*/

static enum weir_err check_header(struct elf *elf, struct why *why)
{
    Elf64_Ehdr *header = &elf->header;
    if (!read_at(elf, 0, header, sizeof *header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return because(why, WEIR_E_BAD_FRAME,
                       "expected a shared object (ELF), found something else");
    if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != MACHINE)
        return because(why, WEIR_E_ABI,
                       "expected a 64-bit object for " MACHINE_NAME ", found machine %u, class %u",
                       header->e_machine, header->e_ident[EI_CLASS]);
    if (header->e_type != ET_DYN)
        return because(why, WEIR_E_BAD_FRAME, "expected a shared object, found ELF type %u",
                       header->e_type);
    if (header->e_phentsize != sizeof(Elf64_Phdr) || header->e_phnum == 0)
        return because(why, WEIR_E_CORRUPT, "the program headers are damaged");
    /* not used, but they end the file, so they show that it was cut */
    if (!inside(elf, header->e_shoff, (uint64_t)header->e_shnum * header->e_shentsize))
        return because(
            why, WEIR_E_CORRUPT, "the object is cut: expected at least %llu bytes, found %zu",
            (unsigned long long)(header->e_shoff + (uint64_t)header->e_shnum * header->e_shentsize),
            elf->len);
    return WEIR_OK;
}

static bool take_dynamic(struct elf *elf, const Elf64_Phdr *part)
{
    for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= part->p_filesz; at += sizeof(Elf64_Dyn)) {
        Elf64_Dyn entry;
        if (part->p_offset > UINT64_MAX - at ||
            !read_at(elf, part->p_offset + at, &entry, sizeof entry))
            return false;
        switch (entry.d_tag) {
        case DT_SYMTAB: elf->symtab = entry.d_un.d_ptr; break;
        case DT_STRTAB: elf->strtab = entry.d_un.d_ptr; break;
        case DT_STRSZ: elf->strsz = entry.d_un.d_val; break;
        case DT_HASH: elf->hash = entry.d_un.d_ptr; break;
        case DT_GNU_HASH: elf->gnu_hash = entry.d_un.d_ptr; break;
        case DT_NULL: return true;
        default: break;
        }
    }
    return true;
}

static enum weir_err check_segments(struct elf *elf, struct why *why)
{
    bool dynamic = false, stack = false, whole = true;
    for (uint32_t i = 0; i < elf->header.e_phnum && whole; i++) {
        Elf64_Phdr part;
        whole = segment(elf, i, &part);
        if (!whole)
            break;
        if (part.p_type == PT_LOAD && !inside(elf, part.p_offset, part.p_filesz))
            whole = false;
        if (part.p_type == PT_DYNAMIC) {
            dynamic = true;
            whole = take_dynamic(elf, &part);
        }
        if (part.p_type == PT_GNU_STACK)
            stack = !(part.p_flags & PF_X);
    }
    if (!whole)
        return because(why, WEIR_E_CORRUPT,
                       "the object is cut or damaged: a segment lies outside of its %zu bytes",
                       elf->len);
    if (!dynamic || elf->symtab == 0 || elf->strtab == 0)
        return because(why, WEIR_E_BAD_FRAME, "expected a dynamic symbol table, found none");
    if (!stack)
        return because(why, WEIR_E_UNSAFE_FILE,
                       "it wants an executable stack; link it with -Wl,-z,noexecstack");
    return WEIR_OK;
}

/* --- symbols -----------------------------------------------------------------------------------*/

static bool word_at(const struct elf *elf, uint64_t address, uint64_t index, uint32_t *out)
{
    return index < UINT32_MAX && address <= UINT64_MAX - index * 4 &&
           read_address(elf, address + index * 4, out, sizeof *out);
}

/* The table ends with the chain that begins last. */
static bool count_by_gnu_hash(struct elf *elf)
{
    uint32_t head[4]; /* buckets, first symbol, bloom words, shift */
    for (uint32_t i = 0; i < 4; i++)
        if (!word_at(elf, elf->gnu_hash, i, &head[i]))
            return false;
    uint64_t buckets = 4 + (uint64_t)head[2] * 2, chains = buckets + head[0];
    uint32_t last = 0, bucket;
    for (uint64_t i = 0; i < head[0]; i++) {
        if (!word_at(elf, elf->gnu_hash, buckets + i, &bucket))
            return false;
        last = bucket > last ? bucket : last;
    }
    elf->symbols = head[1]; /* none has a hash: all before the first hashed one */
    if (last < head[1])
        return last == 0;
    for (uint32_t chain = 0; !(chain & 1); last++)
        if (!word_at(elf, elf->gnu_hash, chains + last - head[1], &chain))
            return false;
    elf->symbols = last;
    return true;
}

static bool count_symbols(struct elf *elf)
{
    uint32_t chains;
    if (elf->hash && word_at(elf, elf->hash, 1, &chains)) {
        elf->symbols = chains;
        return true;
    }
    return elf->gnu_hash && count_by_gnu_hash(elf);
}

static bool symbol_at(const struct elf *elf, uint64_t i, Elf64_Sym *out)
{
    return i < UINT32_MAX && read_address(elf, elf->symtab + i * sizeof *out, out, sizeof *out);
}

/* A name in the string table; NULL: it does not end inside of it. */
static const char *name_of(const struct elf *elf, const Elf64_Sym *symbol)
{
    uint64_t offset;
    if (symbol->st_name >= elf->strsz ||
        !offset_of(elf, elf->strtab + symbol->st_name, elf->strsz - symbol->st_name, &offset))
        return NULL;
    const char *name = (const char *)elf->bytes + offset;
    return memchr(name, '\0', elf->strsz - symbol->st_name) ? name : NULL;
}

static bool is_exported(const Elf64_Sym *symbol)
{
    unsigned char bind = ELF64_ST_BIND(symbol->st_info),
                  seen = ELF64_ST_VISIBILITY(symbol->st_other);
    return symbol->st_shndx != SHN_UNDEF && bind != STB_LOCAL &&
           (seen == STV_DEFAULT || seen == STV_PROTECTED);
}

/* Made by linkers and by the address sanitizer, of no meaning to others. */
static bool is_harmless(const char *name)
{
    static const char *const names[] = {"_init", "_fini", "_edata", "_end", "__bss_start"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return strncmp(name, "__odr_asan", 10) == 0;
}

static enum weir_err check_symbols(struct elf *elf, const char *wanted, Elf64_Sym *found_out,
                                   struct why *why)
{
    bool found = false;
    if (!count_symbols(elf))
        return because(why, WEIR_E_CORRUPT, "the dynamic symbol table is damaged: it has no end");
    for (uint64_t i = 1; i < elf->symbols; i++) {
        Elf64_Sym symbol;
        const char *name = symbol_at(elf, i, &symbol) ? name_of(elf, &symbol) : NULL;
        if (!name)
            return because(why, WEIR_E_CORRUPT,
                           "the dynamic symbol table is damaged at symbol %llu",
                           (unsigned long long)i);
        if (ELF64_ST_BIND(symbol.st_info) == STB_GNU_UNIQUE)
            return because(
                why, WEIR_E_UNSAFE_FILE,
                "symbol %s is GNU-unique, shared by all plugins; compile with -fno-gnu-unique",
                name);
        if (!is_exported(&symbol) || is_harmless(name))
            continue;
        if (strcmp(name, wanted) != 0)
            return because(why, WEIR_E_UNSAFE_FILE,
                           "expected one exported symbol, %s, found also %s; compile with "
                           "-fvisibility=hidden",
                           wanted, name);
        *found_out = symbol;
        found = true;
    }
    if (!found)
        return because(why, WEIR_E_NOT_FOUND, "expected an exported symbol %s, found none", wanted);
    return WEIR_OK;
}

enum weir_err elf_check(const unsigned char *bytes, size_t len, const char *symbol, size_t size,
                        size_t *offset_out, struct why *why)
{
    struct elf elf = {.bytes = bytes, .len = len};
    Elf64_Sym found = {0};
    enum weir_err err = check_header(&elf, why);
    if (err == WEIR_OK)
        err = check_segments(&elf, why);
    if (err == WEIR_OK)
        err = check_symbols(&elf, symbol, &found, why);
    if (err != WEIR_OK)
        return err;
    uint64_t offset;
    if (ELF64_ST_TYPE(found.st_info) != STT_OBJECT)
        return because(why, WEIR_E_ABI,
                       "expected %s to be a constant struct, found a symbol of type %u", symbol,
                       ELF64_ST_TYPE(found.st_info));
    if (found.st_size < size)
        return because(why, WEIR_E_ABI, "expected %s to have at least %zu bytes, found %llu",
                       symbol, size, (unsigned long long)found.st_size);
    if (!offset_of(&elf, found.st_value, size, &offset))
        return because(why, WEIR_E_ABI, "expected %s to be a constant with a value, found none",
                       symbol);
    *offset_out = (size_t)offset;
    return WEIR_OK;
}

/* --- what it wants -----------------------------------------------------------------------------*/

/* The name at this place of the string table; NULL: it does not end inside of it. */
static const char *text_at(const struct elf *elf, uint64_t place)
{
    const Elf64_Sym like = {.st_name = (Elf64_Word)place};
    return place <= UINT32_MAX ? name_of(elf, &like) : NULL;
}

static void each_library(const struct elf *elf, elf_wanted *each, void *context)
{
    for (uint32_t i = 0; i < elf->header.e_phnum; i++) {
        Elf64_Phdr part;
        if (!segment(elf, i, &part) || part.p_type != PT_DYNAMIC)
            continue;
        for (uint64_t at = 0; at + sizeof(Elf64_Dyn) <= part.p_filesz; at += sizeof(Elf64_Dyn)) {
            Elf64_Dyn entry;
            if (!read_at(elf, part.p_offset + at, &entry, sizeof entry) || entry.d_tag == DT_NULL)
                break;
            const char *name = entry.d_tag == DT_NEEDED ? text_at(elf, entry.d_un.d_val) : NULL;
            if (name)
                each(context, ELF_LIBRARY, name);
        }
    }
}

enum weir_err elf_wants(const unsigned char *bytes, size_t len, elf_wanted *each, void *context,
                        struct why *why)
{
    struct elf elf = {.bytes = bytes, .len = len};
    enum weir_err err = check_header(&elf, why);
    if (err == WEIR_OK)
        err = check_segments(&elf, why);
    if (err != WEIR_OK)
        return err;
    if (!count_symbols(&elf))
        return because(why, WEIR_E_CORRUPT, "the dynamic symbol table is damaged: it has no end");
    each_library(&elf, each, context);
    for (uint64_t i = 1; i < elf.symbols; i++) {
        Elf64_Sym symbol;
        const char *name = symbol_at(&elf, i, &symbol) ? name_of(&elf, &symbol) : NULL;
        if (!name)
            return because(why, WEIR_E_CORRUPT,
                           "the dynamic symbol table is damaged at symbol %llu",
                           (unsigned long long)i);
        if (symbol.st_shndx == SHN_UNDEF)
            each(context, ELF_SYMBOL, name);
    }
    return WEIR_OK;
}
