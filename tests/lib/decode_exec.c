/* One input: flags(1) PSW(16), registers of the kinds that the flags ask for, then pieces of
 * storage until the bytes end: address(3) length(1) bytes. What an input does not say is the
 * default: page tables that map all storage to itself, AFP registers on, new PSWs that point at
 * CODE. */
#include "tests/lib/decode_exec.h"

#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/cpu_internal.h"

#define STORAGE_BYTES (2u << 20)
#define CODE 0x10000u
#define SEGMENT_TABLE 0x20000u
#define PAGE_TABLE 0x24000u
#define CPUS 2
#define INSNS_MAX 400
#define STRETCH_INSNS 50
#define INTERCEPTIONS_MAX 32
#define TRANSLATED_RUNS 3

enum {
    WITH_GR = 1,
    WITH_CR = 2,
    WITH_AR = 4,
    WITH_FPR = 8,
    WITH_PREFIX = 16,
    WITH_EASY_PSW = 32,
    TRANSLATED = 64, /* the same once more, then as translated code where it can be */
    MODEL_Z10 = 128
};

struct machine { /* of one model and engine */
    struct storage *st;
    struct cpu_set *set;
};

struct decode_exec {
    struct machine machines[4]; /* those with a translator behind the others */
    u64 tod;
};

struct input {
    const u8 *p;
    size_t left;
};

static u64 take(struct input *in, unsigned bytes)
{
    u64 v = 0;
    for (unsigned i = 0; i < bytes; i++) {
        v = v << 8 | (in->left ? *in->p : 0);
        if (in->left) {
            in->p++;
            in->left--;
        }
    }
    return v;
}

static u64 port_tod(void *ctx)
{
    struct decode_exec *x = ctx;
    return x->tod += 4096;
}

static void port_wake(void *ctx, unsigned cpu_address)
{
    (void)ctx;
    (void)cpu_address;
}

static bool port_take_io(void *ctx, u8 isc_mask, struct cpu_io_interruption *out)
{
    (void)ctx;
    (void)isc_mask;
    memset(out, 0, sizeof *out);
    return false;
}

static bool port_take_service(void *ctx, struct cpu_service *out)
{
    (void)ctx;
    (void)out;
    return false;
}

static const struct cpu_ports ports = {port_tod, port_wake, port_take_io, port_take_service,
                                       NULL};

static void machine_create(struct decode_exec *x, struct machine *m, const char *model,
                           enum cpu_engine engine)
{
    if (storage_create(&m->st, STORAGE_BYTES, NULL) != ST_OK ||
        cpu_set_create(&m->set, m->st, cpu_model_find(model), CPUS, &ports, x, NULL) != ST_OK ||
        cpu_set_engine(m->set, engine, NULL) != ST_OK)
        abort();
}

struct decode_exec *decode_exec_create(void)
{
    enum cpu_engine translating = cpu_engine_default() == CPU_ENGINE_INTERP
                                      ? CPU_ENGINE_INTERP /* this host cannot translate */
                                      : CPU_ENGINE_JIT_FIRST;
    struct decode_exec *x = calloc(1, sizeof *x);
    if (x == NULL)
        abort();
    machine_create(x, &x->machines[0], "max", CPU_ENGINE_INTERP);
    machine_create(x, &x->machines[1], "z10", CPU_ENGINE_INTERP);
    machine_create(x, &x->machines[2], "max", translating);
    machine_create(x, &x->machines[3], "z10", translating);
    return x;
}

void decode_exec_destroy(struct decode_exec *x)
{
    for (unsigned i = 0; i < ARRAY_LEN(x->machines); i++) {
        cpu_set_destroy(x->machines[i].set);
        storage_destroy(x->machines[i].st);
    }
    free(x);
}

static void put64(struct machine *m, u64 abs, u64 v)
{
    u8 bytes[8];
    be64_store(bytes, v);
    storage_write(m->st, abs, bytes, sizeof bytes);
}

static void default_storage(struct machine *m)
{
    for (u64 at = 0x1a0; at < 0x200; at += 16) {
        put64(m, at, PSW_EA | PSW_BA);
        put64(m, at + 8, CODE);
    }
    put64(m, SEGMENT_TABLE, PAGE_TABLE);
    put64(m, SEGMENT_TABLE + 8, PAGE_TABLE + 2048);
    for (unsigned i = 0; i < STORAGE_BYTES >> 12; i++)
        put64(m, PAGE_TABLE + 8 * i, (u64)i << 12);
}

static void registers(struct cpu *c, struct input *in, unsigned flags)
{
    c->cr[0] |= CR0_AFP;
    c->cr[1] = c->cr[7] = c->cr[13] = SEGMENT_TABLE;
    for (unsigned i = 0; i < 16 && flags & WITH_GR; i++)
        c->gr[i] = take(in, 8);
    for (unsigned i = 0; i < 16 && flags & WITH_CR; i++)
        c->cr[i] = take(in, 8);
    for (unsigned i = 0; i < 16 && flags & WITH_AR; i++)
        c->ar[i] = (u32)take(in, 4);
    for (unsigned i = 0; i < 16 && flags & WITH_FPR; i++)
        *cpu_fpr(c, i) = take(in, 8);
    cpu_registers_changed(c);
}

static void pieces(struct machine *m, struct input *in)
{
    while (in->left != 0) {
        u64 at = take(in, 3) % STORAGE_BYTES;
        u64 len = take(in, 1) + 1;
        len = len < in->left ? len : in->left;
        storage_write(m->st, at, in->p, len); /* refuses what lies outside */
        in->p += len;
        in->left -= len;
    }
}

/* Whoever would carry out an intercepted instruction; the outcome depends on its operands only. */
static void intercepted(struct cpu *c)
{
    const struct cpu_icpt *k = cpu_intercept(c);
    u8 bytes[16] = {0};
    int rc = cpu_read_logical(c, k->ea, k->ar, bytes, sizeof bytes);
    if (rc == 0 && k->r1 & 1)
        rc = cpu_write_logical(c, k->ea, k->ar, bytes, sizeof bytes);
    if (rc != 0)
        cpu_finish_pgm(c, (unsigned)rc);
    else
        cpu_finish_cc(c, k->r2 & 3);
}

static void run(struct cpu *c)
{
    unsigned interceptions = 0;
    for (u64 end = cpu_instructions(c) + INSNS_MAX; cpu_instructions(c) < end;) {
        enum cpu_exit why = cpu_run(c, STRETCH_INSNS);
        if (why == CPU_EXIT_INTERCEPT && ++interceptions < INTERCEPTIONS_MAX)
            intercepted(c);
        else if (why != CPU_EXIT_BUDGET && why != CPU_EXIT_REQUEST)
            return;
        else if (++interceptions > 2 * INTERCEPTIONS_MAX)
            return;
    }
}

/* All of a machine but its storage as the input says; what is left are the pieces. */
static struct input begin(struct machine *m, struct input in, unsigned flags)
{
    struct cpu *c = cpu_set_get(m->set, 0);
    cpu_set_reset(m->set, true);
    u64 mask = take(&in, 8), addr = take(&in, 8);
    if (flags & WITH_EASY_PSW) { /* behind CODE, not waiting */
        mask &= ~PSW_WAIT;
        addr = CODE + (addr & 0xffe);
    }
    registers(c, &in, flags);
    if (flags & WITH_PREFIX)
        c->prefix = (u32)take(&in, 1) * 0x2000 % STORAGE_BYTES;
    cpu_psw_set(c, mask, addr);
    cpu_start(c);
    return in;
}

static void run_all(struct machine *m)
{
    run(cpu_set_get(m->set, 0));
    for (unsigned i = 1; i < CPUS; i++)
        if (!cpu_stopped(cpu_set_get(m->set, i)))
            run(cpu_set_get(m->set, i));
}

void decode_exec_run(struct decode_exec *x, const u8 *data, size_t size)
{
    struct input in = {data, size};
    unsigned flags = (unsigned)take(&in, 1);
    bool translated = flags & TRANSLATED;
    struct machine *m = &x->machines[2 * translated + ((flags & MODEL_Z10) != 0)];
    x->tod = 0xd000000000000000ull;
    storage_clear(m->st);
    default_storage(m);
    struct input rest = begin(m, in, flags);
    pieces(m, &rest);
    run_all(m);
    for (unsigned i = 1; translated && i < TRANSLATED_RUNS; i++) { /* slots are decoded now */
        begin(m, in, flags);
        run_all(m);
    }
}

void decode_exec_stats(struct decode_exec *x, struct cpu_engine_stats *out)
{
    struct cpu_engine_stats z10;
    cpu_engine_stats(x->machines[2].set, out);
    cpu_engine_stats(x->machines[3].set, &z10);
    out->regions += z10.regions;
    out->region_insns += z10.region_insns;
    out->invalidated += z10.invalidated;
}
