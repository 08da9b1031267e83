/* Saved systems with real machines: what SAVESYS keeps of a CPU and of storage keys, what each type
 * of page is to two machines that IPL the system, PARM, what cannot be loaded; stores of two
 * members on one folder.
 * Run alone: tests/run unit/hyp_saved_system_test */
#include <stdio.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hyp/segment/segment.h"
#include "io/css_internal.h"
#include "tests/lib/diag_machine.h"

#define PAGES_AT 0x100000ull /* a page of each type */
#define PAGE(type) (PAGES_AT + (u64)(type)*FRAME_BYTES)
#define PREFIX 0x8000
#define SPIN_AT 0x6000

static char folder[] = "/tmp/hyp_saved_system.XXXXXX";
static struct vm *other;

static void setup_systems(void)
{
    struct cause cause = {0};
    ck_assert_ptr_nonnull(mkdtemp(folder));
    setup();
    segments_destroy(host->segments);
    host->segments = segments_create(folder);
    const struct vm_config vc = {.name = "OTHER",
                                 .personality = VM_UNDER_CP,
                                 .storage_bytes = STORAGE_BYTES,
                                 .cpus = 2,
                                 .privclass = CLASS_ALL,
                                 .engine = cpu_engine_default(),
                                 .model = cpu_model_default()};
    ck_assert_int_eq(vm_create(host, &vc, &other, &cause), ST_OK);
}

static void teardown_systems(void)
{
    segment_forget(host->segments, "SYS");
    vm_destroy(other);
    teardown();
    ck_assert_int_eq(rmdir(folder), 0);
}

/* Low storage as EW, a page of each type from PAGES_AT on. */
static struct vm_segment definition(void)
{
    struct vm_segment seg = {.name = "SYS", .system = true, .ranges = 1 + SEG_TYPES};
    seg.range[0].end = 0xffff;
    seg.range[0].type = SEG_EW;
    for (u32 type = 0; type < SEG_TYPES; type++) {
        seg.range[1 + type].start = PAGE(type);
        seg.range[1 + type].end = PAGE(type) + FRAME_BYTES - 1;
        seg.range[1 + type].type = type;
    }
    return seg;
}

static int ends, last_status;
static char last_cause[512];

static void save_done(void *ctx, int status, const struct cause *cause)
{
    (void)ctx;
    ends++;
    last_status = status;
    snprintf(last_cause, sizeof last_cause, "%s", cause->text);
}

static int save_begin(struct vm *machine, bool system)
{
    struct cause cause = {0};
    ends = 0;
    return vm_host_ops()->segment_save(machine, "SYS", system, save_done, NULL, &cause);
}

static int save_ended(void)
{
    while (!ends)
        run_notes();
    return last_status;
}

static int save(struct vm *machine, bool system)
{
    int rc = save_begin(machine, system);
    return rc ? rc : save_ended();
}

/* A machine with a known CPU, whose pages say what they are; it spins from SPIN_AT on. */
static void saved(const struct vm_segment *seg)
{
    static const u8 spin[] = {0xa7, 0xf4, 0x00, 0x00};
    struct cause cause = {0};
    load(0x44);
    vm_stop(vm, -1);
    struct cpu *cpu = vm->vcpu[0].cpu;
    for (u32 type = 0; type < SEG_TYPES; type++) {
        put(PAGE(type), &(char){(char)('A' + type)}, 1);
        storage_key_set(vm_storage(vm), PAGE(type), (u8)(0x10 * (type + 1)));
    }
    put(SPIN_AT, spin, sizeof spin);
    for (unsigned i = 0; i < 16; i++) {
        cpu_gr(cpu)[i] = 0x1111111111111111ull * i;
        cpu_ar(cpu)[i] = 0x01010101u * i;
        *cpu_fpr(cpu, i) = 0x0101010101010101ull * i;
    }
    cpu_cr(cpu)[6] = 0xff000000;
    cpu->fpc = 0x00080003;
    cpu->prefix = PREFIX;
    cpu_registers_changed(cpu);
    cpu_psw_set(cpu, 0x0000200180000000ull, SPIN_AT);
    ck_assert_int_eq(segment_define(host->segments, seg, &cause), ST_OK);
    ck_assert_int_eq(save(vm, true), ST_OK);
}

static int ipl(struct vm *machine, const char *parm)
{
    struct cause cause = {0};
    const struct vm_ipl how = {.is_name = true, .name = "SYS", .parm = parm};
    return vm_host_ops()->ipl(machine, &how, &cause);
}

START_TEST(cpu_goes_on_where_it_was_saved)
{
    u64 mask, addr;
    const struct vm_segment seg = definition();
    saved(&seg);
    storage_write(vm_storage(other), 0x200000, "there", 5);
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    struct cpu *cpu = other->vcpu[0].cpu;
    for (unsigned i = 0; i < 16; i++) {
        ck_assert_uint_eq(cpu_gr(cpu)[i], 0x1111111111111111ull * i);
        ck_assert_uint_eq(cpu_ar(cpu)[i], 0x01010101u * i);
        ck_assert_uint_eq(*cpu_fpr(cpu, i), 0x0101010101010101ull * i);
    }
    ck_assert_uint_eq(cpu_cr(cpu)[6], 0xff000000);
    ck_assert_uint_eq(cpu->fpc, 0x00080003);
    ck_assert_uint_eq(cpu_prefix(cpu), PREFIX);
    cpu_psw_get(cpu, &mask, &addr);
    ck_assert_uint_eq(mask, 0x0000200180000000ull);
    ck_assert_uint_eq(addr, SPIN_AT);
    ck_assert(!cpu_stopped(cpu));
    ck_assert(cpu_stopped(other->vcpu[1].cpu));
    u64 before = cpu_instructions(cpu);
    vm_host_run(host);
    ck_assert_uint_gt(cpu_instructions(cpu), before);
    cpu_psw_get(cpu, &mask, &addr);
    ck_assert_uint_eq(addr, SPIN_AT);
    ck_assert_int_eq(memcmp(storage_host(vm_storage(other), 0x200000, 5), "there", 5), 0);
}
END_TEST

/* MVI 0(1),C'x' in a machine: may it? */
static unsigned store_into(struct vm *machine, u64 at)
{
    static const u8 mvi[] = {0x92, 'x', 0x10, 0x00, 0xb2, 0xb2, 0x04, 0x80};
    u8 psw[16];
    u64 mask, addr;
    struct cpu *cpu = machine->vcpu[0].cpu;
    vm_stop(machine, -1);
    be64_store(psw, WAIT_MASK);
    be64_store(psw + 8, ENDED);
    storage_write(vm_storage(machine), CODE_AT, mvi, sizeof mvi);
    storage_write(vm_storage(machine), PREFIX + 0x480, psw, sizeof psw);
    be64_store(psw + 8, 0xbad);
    storage_write(vm_storage(machine), PREFIX + PGM_NEW_AT, psw, sizeof psw);
    cpu_gr(cpu)[1] = at;
    cpu_psw_set(cpu, 0x0000000180000000ull, CODE_AT);
    /* real 400 is CODE_AT of the prefix area */
    storage_write(vm_storage(machine), PREFIX + CODE_AT, mvi, sizeof mvi);
    vm_begin(machine, -1);
    for (unsigned i = 0; i < TURNS_MAX && vm_state(machine) != VM_DISABLED_WAIT; i++)
        vm_host_run(host);
    cpu_psw_get(cpu, &mask, &addr);
    return addr == ENDED
               ? 0
               : 0x100 + be16_load(storage_host(vm_storage(machine), PREFIX + PGM_CODE_AT, 2));
}

START_TEST(types_of_pages)
{
    /* what a store is, what the other machine sees then; EN and SN are not saved */
    static const struct {
        u32 type;
        unsigned store;
        char first, seen;
        u8 key;
    } rows[] = {{SEG_SW, 0, 'A', 'x', 0x10},     {SEG_EW, 0, 'B', 'B', 0x20},
                {SEG_SR, 0x104, 'C', 'C', 0x30}, {SEG_ER, 0x104, 'D', 'D', 0x40},
                {SEG_SN, 0, 0, 'x', 0},          {SEG_EN, 0, 0, 0, 0},
                {SEG_SC, 0x104, 'G', 'G', 0x70}};
    const struct vm_segment seg = definition();
    saved(&seg);
    ck_assert_int_eq(ipl(vm, NULL), ST_OK);
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        u64 at = PAGE(rows[i].type);
        ck_assert_uint_eq(*storage_host(vm_storage(other), at, 1), (u8)rows[i].first);
        ck_assert_uint_eq(storage_key_get(vm_storage(other), at) & 0xf8, rows[i].key);
        ck_assert_msg(store_into(vm, at) == rows[i].store, "type %u", rows[i].type);
        ck_assert_uint_eq(*storage_host(vm_storage(other), at, 1), (u8)rows[i].seen);
    }
    vm_system_reset(other, true);
    ck_assert_uint_eq(*storage_host(vm_storage(other), PAGE(SEG_SR), 1), 0);
    ck_assert(!storage_has_segments(vm_storage(other)));
}
END_TEST

START_TEST(parm_in_registers)
{
    struct vm_segment seg = definition();
    seg.parm_first = 3;
    seg.parm_count = 3;
    saved(&seg);
    ck_assert_int_eq(ipl(other, "ABCDEF"), ST_OK);
    const u64 *gr = cpu_gr(other->vcpu[0].cpu);
    ck_assert_uint_eq(gr[2], 0x2222222222222222ull);
    ck_assert_uint_eq(gr[3], 0x33333333c1c2c3c4ull);
    ck_assert_uint_eq(gr[4], 0x44444444c5c60000ull);
    ck_assert_uint_eq(gr[5], 0x5555555500000000ull);
    ck_assert_uint_eq(gr[6], 0x6666666666666666ull);
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    ck_assert_uint_eq(gr[3], 0x3333333300000000ull);
}
END_TEST

/* Segments are no systems, nor systems segments; what cannot be loaded leaves a machine reset. */
START_TEST(cannot_be_loaded)
{
    struct cause cause = {0};
    struct vm_segment seg = definition();
    ck_assert_int_eq(ipl(other, NULL), ST_NOENT);
    saved(&seg);
    ck_assert_int_eq(vm_segment_load(other, "SYS", false, &cause), ST_NOENT);
    ck_assert_ptr_null(vm_segment_known(other, "SYS"));
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    ck_assert_ptr_null(vm_segment_loaded(other, "SYS"));
    ck_assert(!vm_segment_purge(other, "SYS"));
    vm->vcpu[0].cpu->prefix = 0x300000;
    cpu_registers_changed(vm->vcpu[0].cpu);
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert_int_eq(save(vm, true), ST_OK);
    ck_assert_int_eq(vm_define_storage(other, &(struct vm_sizes){.storage = 1 << 20}, &cause),
                     ST_OK);
    ck_assert_int_eq(ipl(other, NULL), ST_INVAL);
    ck_assert(!storage_has_segments(vm_storage(other)));
    ck_assert(cpu_stopped(other->vcpu[0].cpu));
}
END_TEST

/* A restricted segment: LOADSHR for who is named only. */
START_TEST(restricted)
{
    struct cause cause = {0};
    struct vm_segment seg = {.name = "SYS", .restricted = true, .ranges = 1};
    seg.range[0].start = PAGES_AT;
    seg.range[0].end = PAGES_AT + FRAME_BYTES - 1;
    seg.range[0].type = SEG_SR;
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert_int_eq(save(vm, false), ST_OK);
    ck_assert_int_eq(vm_segment_load(other, "SYS", false, &cause), ST_PERM);
    strcpy(other->config.namesave[0], "OTHER");
    strcpy(other->config.namesave[1], "SYS");
    other->config.namesaves = 2;
    ck_assert_int_eq(vm_segment_load(other, "SYS", false, &cause), ST_OK);
}
END_TEST

/* What one member saves another has when it looks, and purges; who has loaded it keeps it. */
START_TEST(stores_of_two_members)
{
    const struct vm_segment seg = definition();
    struct segments *there = segments_create(folder);
    ck_assert_ptr_null(segment_find(there, "SYS"));
    saved(&seg);
    const struct vm_segment *found = segment_find(there, "SYS");
    ck_assert_ptr_nonnull(found);
    ck_assert(found->saved && found->system);
    u64 serial = found->serial;
    u8 identity[VM_IDENTITY_BYTES];
    memcpy(identity, found->identity, sizeof identity);
    ck_assert_int_eq(
        memcmp(segment_find(host->segments, "SYS")->identity, identity, sizeof identity), 0);
    ck_assert_int_eq(ipl(vm, NULL), ST_OK);
    saved(&seg);
    found = segment_find(there, "SYS");
    ck_assert_uint_ne(found->serial, serial);
    ck_assert_int_ne(memcmp(found->identity, identity, sizeof identity), 0);
    ck_assert_int_eq(ipl(vm, NULL), ST_OK);
    unsigned users;
    struct vm_segment row;
    ck_assert(vm_host_ops()->segment_row(host, 0, &row, &users));
    ck_assert(!row.purged);
    ck_assert_uint_eq(users, 1);
    ck_assert(!vm_host_ops()->segment_row(host, 1, &row, &users));
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    ck_assert(segment_forget(there, "SYS"));
    ck_assert(vm_host_ops()->segment_row(host, 0, &row, &users)); /* both have it, one row */
    ck_assert(row.purged);
    ck_assert_str_eq(row.name, "SYS");
    ck_assert_uint_eq(users, 2);
    ck_assert(!vm_host_ops()->segment_row(host, 1, &row, &users));
    ck_assert_ptr_null(segment_find(host->segments, "SYS"));
    ck_assert_int_eq(*got(PAGE(SEG_SR)), 'C');
    ck_assert_int_eq(ipl(other, NULL), ST_NOENT);
    vm_system_reset(vm, true);
    vm_system_reset(other, true);
    ck_assert(!vm_host_ops()->segment_row(host, 0, &row, &users));
    segments_destroy(there);
}
END_TEST

/* ---- to another member ---- */

#define BEHIND 0x10000000ull /* storage */

/* Without pages that several store into; the last is behind storage. */
static struct vm_segment moving(void)
{
    struct vm_segment seg = definition();
    seg.range[1].type = SEG_ER;
    seg.range[1 + SEG_SN].type = SEG_SC;
    seg.range[seg.ranges].start = BEHIND;
    seg.range[seg.ranges].end = BEHIND + 2 * FRAME_BYTES - 1;
    seg.range[seg.ranges++].type = SEG_SR;
    return seg;
}

static struct vm *twin(void)
{
    struct cause cause = {0};
    struct vm *there;
    ck_assert_int_eq(vm_create(host, vm_configuration(vm), &there, &cause), ST_OK);
    ck_assert(vm_quiesce(there));
    return there;
}

/* The frames, as a relocation sends them. */
static void frames_to(struct vm *there)
{
    for (u64 f = 0; f < vm_storage(vm)->frames; f++)
        if (storage_frame_touched(vm_storage(vm), f))
            ck_assert(storage_write(vm_storage(there), f << FRAME_SHIFT, got(f << FRAME_SHIFT),
                                    FRAME_BYTES));
}

static int state_to(struct vm *there, const struct codec_out *state, struct cause *cause)
{
    struct codec_in in;
    codec_in_init(&in, state->data, state->len);
    return vm_restore(there, &in, cause);
}

START_TEST(moves_with_its_machine)
{
    struct codec_out state;
    struct cause cause = {0};
    struct vm_segment seg = moving(), found;
    const char *why;
    unsigned users;
    saved(&seg);
    ck_assert_int_eq(ipl(vm, NULL), ST_OK);
    put(PAGE(SEG_EW), "x", 1);
    storage_key_set(vm_storage(vm), PAGE(SEG_SR), 0xa0);
    storage_key_set(vm_storage(vm), BEHIND + FRAME_BYTES, 0xb0);
    ck_assert(vm_quiesce(vm));
    codec_out_init(&state);
    ck_assert_int_eq(vm_save(vm, &state, &cause), ST_OK);
    struct vm *there = twin();
    frames_to(there);
    ck_assert_msg(state_to(there, &state, &cause) == ST_OK, "%s", cause.text);
    ck_assert(vm_segment_get(there, 0, &found, &why));
    ck_assert_str_eq(found.name, "SYS");
    ck_assert_ptr_null(why);
    ck_assert(!vm_segment_get(there, 1, &found, &why));
    ck_assert(vm_host_ops()->segment_row(host, 0, &found, &users));
    ck_assert_uint_eq(users, 2);
    struct storage *st = vm_storage(there);
    ck_assert_uint_eq(*storage_host(st, PAGE(SEG_SR), 1), 'C');
    ck_assert(!storage_write(st, PAGE(SEG_SR), "y", 1));
    ck_assert_uint_eq(*storage_host(st, PAGE(SEG_EW), 1), 'x');
    ck_assert(storage_write(st, PAGE(SEG_EW), "y", 1));
    ck_assert_uint_eq(*got(PAGE(SEG_EW)), 'x');
    ck_assert_uint_eq(storage_key_get(st, PAGE(SEG_SR)), 0xa0);
    ck_assert(storage_holds(st, BEHIND, 2 * FRAME_BYTES));
    ck_assert_uint_eq(storage_key_get(st, BEHIND), 0);
    ck_assert_uint_eq(storage_key_get(st, BEHIND + FRAME_BYTES), 0xb0);
    ck_assert_uint_eq(cpu_gr(there->vcpu[0].cpu)[5], 0x5555555555555555ull);
    vm_destroy(there);
    vm_unquiesce(vm);
    saved(&seg); /* another saving: not what the machine has */
    there = twin();
    ck_assert_int_eq(state_to(there, &state, &cause), ST_NOENT);
    ck_assert_ptr_nonnull(strstr(cause.text, "SYS is not here as it was saved there"));
    vm_destroy(there);
    codec_out_fini(&state);
}
END_TEST

static void stays_because(const struct vm_segment *seg, bool system, bool exclusive,
                          const char *reason)
{
    struct cause cause = {0};
    struct codec_out state;
    struct vm_segment found;
    const char *why;
    vm_system_reset(vm, true);
    ck_assert_int_eq(segment_define(host->segments, seg, &cause), ST_OK);
    ck_assert_int_eq(save(vm, system), ST_OK);
    ck_assert_int_eq(system ? ipl(vm, NULL) : vm_segment_load(vm, "SYS", exclusive, &cause),
                     ST_OK);
    ck_assert(vm_segment_get(vm, 0, &found, &why));
    ck_assert_str_eq(why, reason);
    ck_assert(vm_quiesce(vm));
    codec_out_init(&state);
    ck_assert_int_eq(vm_save(vm, &state, &cause), ST_REFUSED);
    ck_assert_ptr_nonnull(strstr(cause.text, reason));
    codec_out_fini(&state);
    vm_unquiesce(vm);
}

START_TEST(stays_here)
{
    struct vm_segment seg = definition();
    stays_because(&seg, true, false, "has pages that several guests store into");
    seg = moving();
    seg.system = false;
    stays_because(&seg, false, true, "has pages of its own behind storage");
    seg.range[seg.ranges - 1].type = SEG_EW;
    stays_because(&seg, false, false, "has pages of its own behind storage");
    seg = moving();
    seg.restricted = true;
    stays_because(&seg, true, false, "is restricted");
}
END_TEST

/* PSW exchanges store into a prefix area that the guest itself could not: it is no longer what the
 * file has, which the other member would map. */
START_TEST(prefix_in_read_only_pages)
{
    struct cause cause = {0};
    struct codec_out state;
    struct vm_segment found, seg = moving();
    const char *why;
    saved(&seg);
    ck_assert_int_eq(ipl(vm, NULL), ST_OK);
    struct cpu *cpu = vm->vcpu[0].cpu;
    cpu->prefix = PAGE(SEG_SR) - FRAME_BYTES;
    cpu_registers_changed(cpu);
    ck_assert(vm_segment_get(vm, 0, &found, &why));
    ck_assert_str_eq(why, "has a CPU's prefix area in pages that are read-only");
    cpu->prefix = PREFIX; /* and where one has been */
    cpu_registers_changed(cpu);
    ck_assert(vm_segment_get(vm, 0, &found, &why));
    ck_assert_ptr_null(why);
    vm_storage(vm)->base[PAGE(SEG_SR) + 0x150] = 1;
    ck_assert(vm_quiesce(vm));
    codec_out_init(&state);
    ck_assert_int_eq(vm_save(vm, &state, &cause), ST_OK);
    struct vm *there = twin();
    frames_to(there);
    ck_assert_int_eq(state_to(there, &state, &cause), ST_PROTO);
    ck_assert_ptr_nonnull(strstr(cause.text, "page 102 of saved segment SYS is not as it was"));
    vm_destroy(there);
    codec_out_fini(&state);
    vm_unquiesce(vm);
}
END_TEST

/* A name that is saved and defined again: SAVESYS is about the definition. */
START_TEST(defined_again)
{
    struct cause cause = {0};
    struct vm_segment found, seg = definition();
    saved(&seg);
    ck_assert(!vm_host_ops()->segment_defined(host, "SYS", &found));
    seg.machmode = 1;
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert(vm_host_ops()->segment_defined(host, "SYS", &found));
    ck_assert_uint_eq(found.machmode, 1);
    ck_assert(vm_host_ops()->segment_find(host, "SYS", &found));
    ck_assert_uint_eq(found.machmode, 0);
    ck_assert_int_eq(save(vm, false), ST_NOENT);
    ck_assert_int_eq(save(vm, true), ST_OK);
    ck_assert(vm_host_ops()->segment_find(host, "SYS", &found));
    ck_assert_uint_eq(found.machmode, 1);
}
END_TEST

static unsigned files(const char *pattern)
{
    char path[128];
    glob_t found;
    snprintf(path, sizeof path, "%s/%s", folder, pattern);
    unsigned n = glob(path, 0, NULL, &found) ? 0 : (unsigned)found.gl_pathc;
    if (n)
        globfree(&found);
    return n;
}

/* While it is written its machine alone stands still; what is defined, and what was saved before,
 * is as it was until then. */
START_TEST(others_go_on_while_one_saves)
{
    struct cause cause = {0};
    struct vm_segment found, seg = definition();
    saved(&seg);
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    u64 serial = segment_find(host->segments, "SYS")->serial;
    ck_assert_int_eq(save_begin(vm, true), ST_OK);
    ck_assert(vm_held(vm));
    ck_assert(vm->css->quiesced);
    ck_assert_int_eq(vm_host_ops()->segment_save(vm, "SYS", true, save_done, NULL, &cause),
                     ST_BUSY);
    ck_assert_int_eq(vm_host_ops()->segment_save(other, "SYS", true, save_done, NULL, &cause),
                     ST_BUSY); /* out of another machine */
    ck_assert(!vm_held(other));
    ck_assert(!vm_quiesce(vm));
    u64 theirs = cpu_instructions(other->vcpu[0].cpu), ours = cpu_instructions(vm->vcpu[0].cpu);
    vm_host_run(host);
    ck_assert_uint_gt(cpu_instructions(other->vcpu[0].cpu), theirs);
    ck_assert_uint_eq(cpu_instructions(vm->vcpu[0].cpu), ours);
    ck_assert_uint_eq(segment_find(host->segments, "SYS")->serial, serial);
    ck_assert(vm_host_ops()->segment_defined(host, "SYS", &found));
    ck_assert_int_eq(ends, 0);
    ck_assert_int_eq(save_ended(), ST_OK);
    ck_assert_uint_gt(segment_find(host->segments, "SYS")->serial, serial);
    ck_assert(!vm_held(vm));
    ck_assert(!vm->css->quiesced);
    ck_assert_uint_eq(files("*.new"), 0);
}
END_TEST

/* What ends it leaves no file, and what was saved before. */
START_TEST(saving_ended)
{
    struct cause cause = {0};
    struct vm_segment found, seg = definition();
    saved(&seg);
    u64 serial = segment_find(host->segments, "SYS")->serial;
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert_int_eq(save_begin(vm, true), ST_OK);
    vm_system_reset(vm, true);
    ck_assert_int_eq(ends, 1);
    ck_assert_int_eq(last_status, ST_REFUSED);
    run_notes(); /* of the thread */
    ck_assert_int_eq(ends, 1);
    ck_assert(!vm_held(vm));
    ck_assert(!vm->css->quiesced);
    ck_assert_uint_eq(files("*.new"), 0);
    ck_assert_uint_eq(segment_find(host->segments, "SYS")->serial, serial);
    ck_assert(vm_host_ops()->segment_defined(host, "SYS", &found));
    ck_assert_int_eq(save_begin(vm, true), ST_OK);
    vm_host_ops()->still_stop(vm); /* CPHX: if it was not whole just then */
    ck_assert_int_eq(ends, 0);
    int rc = save_ended();
    ck_assert(rc == ST_REFUSED || rc == ST_OK);
    ck_assert(!vm_held(vm));
    ck_assert_uint_eq(files("*.new"), 0);
}
END_TEST

START_TEST(purged_or_defined_anew_while_it_is_saved)
{
    struct cause cause = {0};
    struct vm_segment found, seg = definition();
    for (unsigned anew = 0; anew < 2; anew++) {
        ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
        ck_assert_int_eq(save_begin(vm, true), ST_OK);
        if (anew)
            ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
        else
            ck_assert(segment_forget(host->segments, "SYS"));
        ck_assert_int_eq(save_ended(), ST_NOENT);
        ck_assert_str_eq(last_cause, "SYS was purged or defined anew meanwhile");
        ck_assert_uint_eq(files("*"), 0);
        ck_assert(vm_host_ops()->segment_defined(host, "SYS", &found) == anew);
    }
    ck_assert_int_eq(save(vm, true), ST_OK);
}
END_TEST

START_TEST(machine_gone_while_it_is_saved)
{
    struct cause cause = {0};
    const struct vm_segment seg = definition();
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert_int_eq(save_begin(other, true), ST_OK);
    vm_destroy(other);
    other = NULL;
    ck_assert_int_eq(ends, 1);
    ck_assert_int_eq(last_status, ST_REFUSED);
    ck_assert_uint_eq(files("*"), 0);
    run_notes();
    ck_assert_int_eq(ends, 1);
}
END_TEST

/* A folder that cannot be read just now has not lost anything: who shares pages goes on to. */
START_TEST(folder_that_cannot_be_read)
{
    struct rlimit limit, none;
    const struct vm_segment seg = definition();
    saved(&seg);
    ck_assert_int_eq(ipl(vm, NULL), ST_OK);
    u64 serial = segment_find(host->segments, "SYS")->serial;
    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    const struct vm_segment *found = segment_find(host->segments, "SYS");
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(found->serial, serial);
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    ck_assert_uint_eq(store_into(vm, PAGE(SEG_SW)), 0);
    ck_assert_uint_eq(*storage_host(vm_storage(other), PAGE(SEG_SW), 1), 'x');
}
END_TEST

/* Files have a name as long as somebody has them mapped, on whatever member; what a member that is
 * gone was writing goes at the next start. */
START_TEST(files_of_the_folder)
{
    char path[128];
    const struct vm_segment seg = definition();
    saved(&seg);
    ck_assert_int_eq(ipl(other, NULL), ST_OK);
    saved(&seg);
    ck_assert_uint_eq(files("SYS.*.old"), 1);
    struct segments *there = segments_create(folder);
    ck_assert_uint_eq(files("SYS.*.old"), 1);
    ck_assert(segment_forget(there, "SYS"));
    ck_assert_uint_eq(files("*.dcss"), 0);
    ck_assert_uint_eq(files("SYS.*.old"), 2);
    ck_assert_ptr_null(segment_find(host->segments, "SYS"));
    ck_assert_uint_eq(files("SYS.*.old"), 1);
    vm_system_reset(other, true);
    ck_assert_uint_eq(files("*"), 0);
    snprintf(path, sizeof path, "%s/SYS.0123.new", folder);
    fclose(fopen(path, "w"));
    segments_destroy(there);
    there = segments_create(folder);
    ck_assert_uint_eq(files("*"), 0);
    segments_destroy(there);
}
END_TEST

/* Frames that nobody has stored into take no room. */
START_TEST(untouched_frames_are_holes)
{
    char path[128];
    struct stat info;
    struct cause cause = {0};
    struct vm_segment seg = {.name = "SYS", .ranges = 1};
    seg.range[0].end = (1 << 20) - 1;
    seg.range[0].type = SEG_EW;
    vm_system_reset(vm, true);
    put(0x40000, "there", 5);
    ck_assert_int_eq(segment_define(host->segments, &seg, &cause), ST_OK);
    ck_assert_int_eq(segment_save(host->segments, "SYS", vm_storage(vm), (u8[512]){0}, &cause),
                     ST_NOENT); /* no system */
    ck_assert_int_eq(segment_save(host->segments, "SYS", vm_storage(vm), NULL, &cause), ST_OK);
    snprintf(path, sizeof path, "%s/SYS.dcss", folder);
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert_int_ge(info.st_size, 1 << 20);
    ck_assert_int_le(info.st_blocks * 512, 64 << 10);
    ck_assert_int_eq(vm_segment_load(other, "SYS", false, &cause), ST_OK);
    ck_assert_mem_eq(storage_host(vm_storage(other), 0x40000, 6), "there", 6);
}
END_TEST

/* Blocks of segments that no member has written. */
START_TEST(hostile_blocks)
{
    static const u8 runs[] = {0, 0, 0, 3, 0x10}, damaged[] = {0, 0, 0, 1};
    struct cause cause = {0};
    struct vm_segment seg = moving();
    saved(&seg);
    seg = *segment_find(host->segments, "SYS");
    for (unsigned i = 0; i < 6; i++) {
        struct codec_out out;
        struct codec_in in;
        codec_out_init(&out);
        codec_put_bytes(&out, 0x9031, i == 0 ? "TOOLONGANAME" : "SYS", i == 0 ? 12 : 3);
        codec_put_bytes(&out, 0x9032, seg.identity, i == 1 ? 15 : 16);
        if (i != 2)
            codec_put_u8(&out, 0x9033, i == 3); /* exclusively: pages behind storage */
        codec_put_bytes(&out, 0x9034, i == 4 ? runs : damaged, i == 4 ? 5 : 4);
        codec_in_init(&in, out.data, out.len);
        vm_system_reset(other, true);
        ck_assert_int_eq(vm_segment_restore(other, &in, &cause), ST_PROTO);
        codec_out_fini(&out);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hyp_saved_system");
    TCase *tc = tcase_create("systems");
    tcase_add_checked_fixture(tc, setup_systems, teardown_systems);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, cpu_goes_on_where_it_was_saved);
    tcase_add_test(tc, types_of_pages);
    tcase_add_test(tc, parm_in_registers);
    tcase_add_test(tc, cannot_be_loaded);
    tcase_add_test(tc, restricted);
    tcase_add_test(tc, stores_of_two_members);
    tcase_add_test(tc, moves_with_its_machine);
    tcase_add_test(tc, stays_here);
    tcase_add_test(tc, prefix_in_read_only_pages);
    tcase_add_test(tc, defined_again);
    tcase_add_test(tc, others_go_on_while_one_saves);
    tcase_add_test(tc, saving_ended);
    tcase_add_test(tc, purged_or_defined_anew_while_it_is_saved);
    tcase_add_test(tc, machine_gone_while_it_is_saved);
    tcase_add_test(tc, folder_that_cannot_be_read);
    tcase_add_test(tc, files_of_the_folder);
    tcase_add_test(tc, untouched_frames_are_holes);
    tcase_add_test(tc, hostile_blocks);
    suite_add_tcase(suite, tc);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
