/* IPL: from a virtual device by channel program, or from host files straight into storage.
 * Files are checked before anything of the machine is touched; a bad file is named. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/vm_internal.h"
#include "io/ebcdic.h"

#define LINUX_ENTRY 0x10000u
#define LINUX_MAGIC_AT 0x10008u
#define LINUX_MAGIC "S390EP"
#define LINUX_INITRD_START 0x10408u
#define LINUX_INITRD_SIZE 0x10410u
#define LINUX_CMDLINE_MAX_AT 0x10430u       /* since Linux 5.17 */
#define LINUX_TRAILER 0x000000207a49504cull /* ends the image since Linux 5.3 (secure boot) */
#define LINUX_SIGNATURE "~Module signature appended~\n" /* follows it in a signed one */
#define LINUX_CMDLINE 0x10480u
#define LINUX_CMDLINE_OLD_MAX 896u
#define LINUX_CMDLINE_MAX 0x10000u
#define INITRD_ALIGN 0x100000u
#define KERNEL_ROOM 0x2000000u /* where the kernel unpacks itself; keep the initrd above it */
#define PSW_64BIT 0x0000000180000000ull
#define FILE_BYTES_MAX (1ull << 31)

struct blob {
    u8 *data;
    u64 len;
};

static int blob_read(const char *path, struct blob *out, struct cause *cause)
{
    struct stat sb;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cause_set(cause, ST_CONFIG, "%s: %s", path, strerror(errno));
    if (fstat(fd, &sb) || !S_ISREG(sb.st_mode) || (u64)sb.st_size > FILE_BYTES_MAX) {
        close(fd);
        return cause_set(cause, ST_CONFIG, "%s: not a regular file of at most 2 GiB", path);
    }
    out->len = (u64)sb.st_size;
    out->data = malloc(out->len ? out->len : 1);
    u64 have = 0;
    while (out->data && have < out->len) {
        ssize_t n = read(fd, out->data + have, out->len - have);
        if (n <= 0)
            break;
        have += (u64)n;
    }
    close(fd);
    if (!out->data || have < out->len) {
        free(out->data);
        out->data = NULL;
        return cause_set(cause, ST_CONFIG, "%s: cannot be read", path);
    }
    return ST_OK;
}

/* ---- Linux images ---- */

static bool is_linux(const struct blob *k)
{
    return k->len > LINUX_CMDLINE &&
           memcmp(k->data + LINUX_MAGIC_AT, LINUX_MAGIC, sizeof LINUX_MAGIC - 1) == 0;
}

/* Older images do not tell where they end. */
static bool linux_whole(const struct blob *k)
{
    size_t sig = sizeof LINUX_SIGNATURE - 1;
    return be64_load(k->data + LINUX_CMDLINE_MAX_AT) == 0 ||
           be64_load(k->data + k->len - 8) == LINUX_TRAILER ||
           memcmp(k->data + k->len - sig, LINUX_SIGNATURE, sig) == 0;
}

static int linux_check(const struct vm *vm, const char *path, const struct blob *k,
                       const char *initrd_path, const struct blob *initrd, const char *append,
                       u64 *initrd_at, struct cause *cause)
{
    u64 max = be64_load(k->data + LINUX_CMDLINE_MAX_AT);
    if (max == 0 || max > LINUX_CMDLINE_MAX)
        max = LINUX_CMDLINE_OLD_MAX;
    if (!linux_whole(k))
        return cause_set(cause, ST_CONFIG, "%s: truncated: a Linux image without its end",
                         path);
    if (k->len > vm->st->size)
        return cause_set(cause, ST_LIMIT, "%s: %llu bytes do not fit into %lluM of storage",
                         path, (unsigned long long)k->len,
                         (unsigned long long)vm->st->size >> 20);
    if (append && strlen(append) >= max)
        return cause_set(cause, ST_CONFIG,
                         "the kernel command line has %zu bytes, %s takes %llu", strlen(append),
                         path, (unsigned long long)max - 1);
    u64 at = k->len > KERNEL_ROOM ? k->len : KERNEL_ROOM;
    at = (at + INITRD_ALIGN - 1) & ~(u64)(INITRD_ALIGN - 1);
    if (vm->st->size < 2 * KERNEL_ROOM)
        at = (k->len + INITRD_ALIGN - 1) & ~(u64)(INITRD_ALIGN - 1);
    if (initrd->len && !storage_holds(vm->st, at, initrd->len))
        return cause_set(cause, ST_LIMIT,
                         "%s: %llu bytes do not fit above X'%llX' into %lluM of storage",
                         initrd_path, (unsigned long long)initrd->len, (unsigned long long)at,
                         (unsigned long long)vm->st->size >> 20);
    *initrd_at = at;
    return ST_OK;
}

static void linux_put(struct vm *vm, const struct blob *k, const struct blob *initrd,
                      const char *append, u64 initrd_at)
{
    u8 word[8];
    storage_write(vm->st, 0, k->data, k->len);
    if (initrd->len) {
        storage_write(vm->st, initrd_at, initrd->data, initrd->len);
        be64_store(word, initrd_at);
        storage_write(vm->st, LINUX_INITRD_START, word, sizeof word);
        be64_store(word, initrd->len);
        storage_write(vm->st, LINUX_INITRD_SIZE, word, sizeof word);
    }
    if (append)
        storage_write(vm->st, LINUX_CMDLINE, append, strlen(append) + 1);
}

/* ---- ELF64-s390 ---- */

static bool is_elf(const struct blob *k)
{
    return k->len > sizeof(Elf64_Ehdr) && memcmp(k->data, ELFMAG, SELFMAG) == 0;
}

struct elf_segment {
    u64 offset, paddr, filesz, memsz;
};

static int elf_segment(const struct vm *vm, const char *path, const struct blob *k, unsigned i,
                       struct elf_segment *s, struct cause *cause)
{
    const u8 *ph = k->data + be64_load(k->data + 32) + i * sizeof(Elf64_Phdr);
    *s = (struct elf_segment){0};
    if (be32_load(ph) != PT_LOAD)
        return ST_OK;
    *s = (struct elf_segment){be64_load(ph + 8), be64_load(ph + 24), be64_load(ph + 32),
                              be64_load(ph + 40)};
    if (s->offset > k->len || s->filesz > k->len - s->offset || s->filesz > s->memsz)
        return cause_set(cause, ST_CONFIG, "%s: truncated: segment %u ends behind the file",
                         path, i);
    if (s->memsz && !storage_holds(vm->st, s->paddr, s->memsz))
        return cause_set(cause, ST_LIMIT, "%s: segment %u at X'%llX' does not fit into %lluM",
                         path, i, (unsigned long long)s->paddr,
                         (unsigned long long)vm->st->size >> 20);
    return ST_OK;
}

static int elf_check(const struct vm *vm, const char *path, const struct blob *k,
                     struct cause *cause)
{
    const u8 *e = k->data;
    u64 phoff = be64_load(e + 32);
    unsigned phnum = be16_load(e + 56);
    if (e[EI_CLASS] != ELFCLASS64 || e[EI_DATA] != ELFDATA2MSB || be16_load(e + 18) != EM_S390)
        return cause_set(cause, ST_CONFIG, "%s: an ELF file, but not ELF64 for s390", path);
    if (be16_load(e + 54) != sizeof(Elf64_Phdr) || phoff > k->len ||
        phnum * sizeof(Elf64_Phdr) > k->len - phoff)
        return cause_set(cause, ST_CONFIG, "%s: truncated: program headers", path);
    for (unsigned i = 0; i < phnum; i++) {
        struct elf_segment s;
        int rc = elf_segment(vm, path, k, i, &s, cause);
        if (rc)
            return rc;
    }
    return ST_OK;
}

static void elf_put(struct vm *vm, const struct blob *k)
{
    for (unsigned i = 0; i < be16_load(k->data + 56); i++) {
        struct elf_segment s;
        elf_segment(vm, "", k, i, &s, NULL);
        if (s.filesz)
            storage_write(vm->st, s.paddr, k->data + s.offset, s.filesz);
    }
}

/* ---- starting ---- */

void vm_started(struct vm *vm, unsigned addr)
{
    vm->ipled = true;
    vm->rest_told = false;
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        vm->vcpu[i].last_exit = CPU_EXIT_BUDGET;
    vcpu_wake(&vm->vcpu[addr]);
}

static void start_at(struct vm *vm, u64 entry)
{
    struct cpu *cpu = vm->vcpu[0].cpu;
    cpu_psw_set(cpu, PSW_64BIT, entry);
    cpu_start(cpu);
    vm->has_ipl_block = false;
    vm_started(vm, 0);
}

int vm_ipl_kernel(struct vm *vm, const char *kernel, const char *initrd, const char *append,
                  struct cause *cause)
{
    struct blob k = {0}, i = {0};
    u64 initrd_at = 0;
    int rc = blob_read(kernel, &k, cause);
    if (!rc && initrd)
        rc = blob_read(initrd, &i, cause);
    bool elf = !rc && is_elf(&k);
    if (elf && (initrd || append))
        rc = cause_set(cause, ST_CONFIG, "%s: an ELF program takes no --%s", kernel,
                       initrd ? "initrd" : "append");
    else if (elf)
        rc = elf_check(vm, kernel, &k, cause);
    else if (!rc && is_linux(&k))
        rc = linux_check(vm, kernel, &k, initrd, &i, append, &initrd_at, cause);
    else if (!rc)
        rc = cause_set(cause, ST_CONFIG,
                       "%s: neither a Linux for s390x image nor an ELF64-s390 program", kernel);
    if (!rc) {
        vm_hold(vm);
        vm_system_reset(vm, true);
        if (elf)
            elf_put(vm, &k);
        else
            linux_put(vm, &k, &i, append, initrd_at);
        start_at(vm, elf ? be64_load(k.data + 24) : LINUX_ENTRY);
        vm_release(vm);
    }
    free(k.data);
    free(i.data);
    return rc;
}

int vm_ipl_image(struct vm *vm, const char *image, struct cause *cause)
{
    struct blob k = {0};
    int rc = blob_read(image, &k, cause);
    if (!rc && k.len < 8)
        rc = cause_set(cause, ST_CONFIG, "%s: truncated: no PSW at 0", image);
    if (!rc && k.len > vm->st->size)
        rc = cause_set(cause, ST_LIMIT, "%s: %llu bytes do not fit into storage", image,
                       (unsigned long long)k.len);
    if (!rc) {
        vm_hold(vm);
        vm_system_reset(vm, true);
        storage_write(vm->st, 0, k.data, k.len);
        struct cause why = {0};
        rc = cpu_ipl_psw(vm->vcpu[0].cpu, &why);
        if (rc)
            rc = cause_set(cause, ST_CONFIG, "%s: %s", image, why.text);
        else
            vm_started(vm, 0);
        vm->has_ipl_block = false;
        vm_release(vm);
    }
    free(k.data);
    return rc;
}

void ipl_parm_put(struct cpu *cpu, const char *parm, unsigned first, unsigned count)
{
    u8 text[VM_PARM_BYTES_MAX] = {0};
    ebcdic_from_utf8(EBCDIC_037, parm, strlen(parm), text, sizeof text);
    u64 *gr = cpu_gr(cpu) + first;
    for (unsigned i = 0; i < count; i++)
        gr[i] = (gr[i] & ~0xffffffffull) | be32_load(text + 4 * i);
}

int vm_ipl_device(struct vm *vm, u16 devno, bool clear, const char *loadparm, const char *parm,
                  struct cause *cause)
{
    if (!css_find_devno(vm->css, devno))
        return cause_set(cause, ST_NOENT, "device %04X does not exist", devno);
    vm_hold(vm);
    vm_system_reset(vm, clear);
    int rc = css_ipl(vm->css, devno, cause);
    if (!rc)
        rc = cpu_ipl_psw(vm->vcpu[0].cpu, cause);
    if (!rc && parm)
        ipl_parm_put(vm->vcpu[0].cpu, parm, 0, VM_PARM_BYTES_MAX / 4);
    if (!rc) {
        ipl_block_make(vm, devno, loadparm, parm);
        ipl_block_loadparm(vm);
        vm_started(vm, 0);
    }
    vm_release(vm);
    return rc;
}
