/* For unit tests of the CPU: a configuration of storage and CPUs, run instruction by instruction.
 * Time stands still unless a test moves now_tod. */
#include "tests/lib/cpu_harness.h"

#include <stdio.h>
#include <stdlib.h>

#define LC_PGM_ILC 0x8d
#define LC_PGM_CODE 0x8e
#define LC_PGM_OLD 0x150
#define LC_PGM_NEW 0x1d0
#define LC_SVC_NEW 0x1c0

static u64 harness_tod(void *ctx)
{
    struct cpu_harness *h = ctx;
    return h->now_tod;
}

static void harness_wake(void *ctx, unsigned cpu_address)
{
    (void)ctx;
    (void)cpu_address;
}

static bool harness_take_io(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    (void)ctx;
    (void)isc_mask;
    (void)out;
    return false;
}

static bool harness_take_service(void *ctx, struct cpu_service *out)
{
    (void)ctx;
    (void)out;
    return false;
}

static const struct cpu_ports harness_ports = {harness_tod, harness_wake, harness_take_io,
                                               harness_take_service, NULL};

static void harness_die(const char *what)
{
    fprintf(stderr, "cpu_harness: %s\n", what);
    abort();
}

void harness_init(struct cpu_harness *h, const char *model, unsigned count)
{
    memset(h, 0, sizeof *h);
    h->now_tod = 0xd000000000000000ull;
    if (!cpu_model_find(model))
        harness_die("no such model");
    if (storage_create(&h->st, HARNESS_STORAGE, NULL) != ST_OK ||
        cpu_set_create(&h->set, h->st, cpu_model_find(model), count, &harness_ports, h, NULL))
        harness_die("no storage or no CPUs");
    h->cpu = cpu_set_get(h->set, 0);
    harness_reset(h);
}

void harness_fini(struct cpu_harness *h)
{
    cpu_set_destroy(h->set);
    storage_destroy(h->st);
}

static void new_psw(struct cpu_harness *h, u64 lowcore, u64 addr)
{
    harness_store(h, lowcore, 8, HARNESS_PSW64);
    harness_store(h, lowcore + 8, 8, addr);
}

void harness_reset(struct cpu_harness *h)
{
    cpu_set_reset(h->set, true);
    new_psw(h, LC_PGM_NEW, HARNESS_PGM);
    new_psw(h, LC_SVC_NEW, HARNESS_SVC);
    cpu_cr(h->cpu)[0] |= CR0_AFP;
    cpu_registers_changed(h->cpu);
    cpu_psw_set(h->cpu, HARNESS_PSW64, HARNESS_CODE);
    cpu_start(h->cpu);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

unsigned harness_put(struct cpu_harness *h, u64 abs, const char *hex)
{
    u8 bytes[4096];
    unsigned n = 0, digits = 0;
    for (; *hex; hex++) {
        int v = hex_digit(*hex);
        if (v < 0)
            continue;
        bytes[n] = (u8)(digits & 1 ? bytes[n] << 4 | v : v);
        n += digits++ & 1;
    }
    if (!storage_write(h->st, abs, bytes, n))
        harness_die("outside storage");
    return n;
}

/* One instruction, whose store into each frame is refused at first (mem/storage_ration.c): what it
 * does before that it does twice. With PER nothing is refused. */
static void run_rationed(struct cpu_harness *h)
{
    static u64 set[HARNESS_STORAGE / FRAME_BYTES / 64];
    if (h->cpu->watch) {
        cpu_run(h->cpu, 1);
        return;
    }
    storage_epoch(h->st, set);
    cpu_request_flush_stores(h->cpu);
    storage_ration_start(h->st, 0);
    while (cpu_run(h->cpu, 1) == CPU_EXIT_RATIONED)
        storage_ration_add(h->st, 1);
    storage_ration_stop(h->st);
}

int harness_insns(struct cpu_harness *h, const char *hex, unsigned count)
{
    u64 mask, addr;
    harness_put(h, HARNESS_CODE, hex);
    cpu_psw_get(h->cpu, &mask, &addr);
    cpu_psw_set(h->cpu, mask, HARNESS_CODE);
    for (unsigned i = 0; i < count; i++) {
        run_rationed(h);
        if (harness_psw_addr(h) == HARNESS_PGM) {
            cpu_psw_set(h->cpu, mask, HARNESS_CODE);
            return (int)harness_load(h, LC_PGM_CODE, 2);
        }
    }
    return 0;
}

int harness_insn(struct cpu_harness *h, const char *hex)
{
    return harness_insns(h, hex, 1);
}

u64 harness_psw_addr(struct cpu_harness *h)
{
    u64 mask, addr;
    cpu_psw_get(h->cpu, &mask, &addr);
    return addr;
}

unsigned harness_cc(struct cpu_harness *h)
{
    u64 mask, addr;
    cpu_psw_get(h->cpu, &mask, &addr);
    return mask >> PSW_CC_SHIFT & 3;
}

u64 harness_load(struct cpu_harness *h, u64 abs, unsigned len)
{
    u8 bytes[8] = {0};
    if (!storage_read(h->st, abs, bytes + 8 - len, len))
        harness_die("outside storage");
    return be64_load(bytes);
}

void harness_store(struct cpu_harness *h, u64 abs, unsigned len, u64 v)
{
    u8 bytes[8];
    be64_store(bytes, v);
    if (!storage_write(h->st, abs, bytes + 8 - len, len))
        harness_die("outside storage");
}

u64 harness_old_addr(struct cpu_harness *h)
{
    return harness_load(h, LC_PGM_OLD + 8, 8);
}

unsigned harness_old_ilc(struct cpu_harness *h)
{
    return (unsigned)harness_load(h, LC_PGM_ILC, 1);
}
