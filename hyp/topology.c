/* SYSIB 15.1.2 and 15.1.3: where the configured CPUs are (PoP chapter 10, STSI, "SYSIB 15.1.2
 * to 15.1.6").
 * A socket holds eight CPUs, a book four sockets, by their addresses; an LPAR's CPUs are dedicated
 * and of high entitlement when the configuration is polarized vertically; those of a guest of CP
 * are shared and of medium entitlement. */
#include "hyp/vm_internal.h"

#define CPUS_PER_SOCKET 8
#define SOCKETS_PER_BOOK 4
#define SOCKETS_MAX (VM_CPUS_MAX / CPUS_PER_SOCKET)
#define AT_LENGTH 2
#define AT_MAGNITUDES 4 /* six bytes, of level 6 first */
#define AT_NESTING 11
#define AT_ENTRIES 16
#define CONTAINER_BYTES 8
#define CPU_ENTRY_BYTES 16
#define DEDICATED 0x04u

enum polarization { HORIZONTAL = 0, VERTICAL_MEDIUM = 2, VERTICAL_HIGH = 3 };

/* Of the CPUs of a socket those of one type, bit 0 for CPU 0. */
static u64 cpus_of(const struct vm *vm, unsigned socket, u8 type)
{
    u64 mask = 0;
    for (unsigned i = 0; i < CPUS_PER_SOCKET; i++) {
        unsigned addr = socket * CPUS_PER_SOCKET + i;
        if (cpu_set_configured(vm->cpus, addr) && vm->config.cpu_type[addr] == type)
            mask |= 1ull << 63 >> addr;
    }
    return mask;
}

static u8 *put_container(u8 *at, unsigned level, unsigned id)
{
    at[0] = (u8)level;
    at[7] = (u8)id;
    return at + CONTAINER_BYTES;
}

static u8 *put_cpus(const struct vm *vm, u8 *at, u8 type, u64 mask)
{
    bool dedicated = vm->config.personality == VM_LPAR;
    enum polarization pp = !cpu_set_vertical(vm->cpus) ? HORIZONTAL
                           : dedicated                 ? VERTICAL_HIGH
                                                       : VERTICAL_MEDIUM;
    at[4] = (u8)((dedicated ? DEDICATED : 0) | pp);
    at[5] = type;
    be64_store(at + 8, mask); /* from CPU 0 on */
    return at + CPU_ENTRY_BYTES;
}

/* A socket without CPUs has no entry. */
static u8 *put_socket(const struct vm *vm, u8 *at, unsigned socket, unsigned id)
{
    u8 *begin = at;
    at = put_container(at, 1, id);
    u8 *cpus = at;
    for (unsigned type = 0; type <= UINT8_MAX; type++) {
        u64 mask = cpus_of(vm, socket, (u8)type);
        if (mask)
            at = put_cpus(vm, at, (u8)type, mask);
    }
    if (at == cpus)
        memset(begin, 0, CONTAINER_BYTES);
    return at == cpus ? begin : at;
}

static u8 *put_book(const struct vm *vm, u8 *at, unsigned book)
{
    u8 *begin = at;
    at = put_container(at, 2, book + 1);
    u8 *sockets = at;
    for (unsigned i = 0; i < SOCKETS_PER_BOOK; i++)
        at = put_socket(vm, at, book * SOCKETS_PER_BOOK + i, i + 1);
    if (at == sockets)
        memset(begin, 0, CONTAINER_BYTES);
    return at == sockets ? begin : at;
}

bool topology_sysib(const struct vm *vm, unsigned nesting, u8 *b)
{
    u8 *at = b + AT_ENTRIES;
    bool books = nesting == 3;
    if (nesting != 2 && nesting != 3)
        return false;
    b[AT_MAGNITUDES + 5] = CPUS_PER_SOCKET;
    b[AT_MAGNITUDES + 4] = books ? SOCKETS_PER_BOOK : SOCKETS_MAX;
    b[AT_MAGNITUDES + 3] = books ? SOCKETS_MAX / SOCKETS_PER_BOOK : 0;
    b[AT_NESTING] = (u8)nesting;
    if (books)
        for (unsigned i = 0; i < SOCKETS_MAX / SOCKETS_PER_BOOK; i++)
            at = put_book(vm, at, i);
    else
        for (unsigned i = 0; i < SOCKETS_MAX; i++)
            at = put_socket(vm, at, i, i + 1);
    be16_store(b + AT_LENGTH, (u16)(at - b));
    return true;
}
