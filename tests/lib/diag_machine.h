/* A machine whose program is one DIAGNOSE: for tests that include this once. `diag` runs it; the
 * condition code, or 0x100 and the program-interruption code, is what it says. */
#ifndef ENDICOTT_TESTS_LIB_DIAG_MACHINE_H
#define ENDICOTT_TESTS_LIB_DIAG_MACHINE_H

#include <check.h>
#include <pthread.h>
#include <stdio.h>

#include "cpu/cpu_internal.h"
#include "hyp/diag/diag.h"
#include "tests/lib/ipled_machine.h"

#ifndef STORAGE_BYTES
#define STORAGE_BYTES (4u << 20)
#endif
#define CODE_AT 0x400
#define DATA_AT 0x2000    /* what the program gives and gets */
#define ENTRIES_AT 0x3000 /* lists of ranges */
#define WAIT_MASK 0x0002000180000000ull
#define ENDED 0x600d
#define PGM_NEW_AT 0x1d0
#define PGM_CODE_AT 0x8e
#define RX 2
#define RY 4
#define CC_REGISTER 14
#define FILL 0xe5
#define TURNS_MAX 100000
#define CLASS_ALL 0xffffffffu

static struct note {
    void (*fn)(void *arg);
    void *arg;
} notes[64];
static unsigned note_count;
static pthread_mutex_t note_lock = PTHREAD_MUTEX_INITIALIZER; /* a dump's thread posts, too */

static inline void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    pthread_mutex_lock(&note_lock);
    ck_assert_uint_lt(note_count, ARRAY_LEN(notes));
    notes[note_count].fn = fn;
    notes[note_count++].arg = arg;
    pthread_mutex_unlock(&note_lock);
}

static struct {
    unsigned calls;
    u32 seconds;
    char command[VM_TIMEBOMB_BYTES_MAX + 1];
    bool conceal, refuse;
} bomb;

static inline bool timebomb(void *ctx, struct vm *vm, u32 seconds, const char *command,
                            bool conceal)
{
    (void)ctx, (void)vm;
    bomb.calls++;
    bomb.seconds = seconds;
    bomb.conceal = conceal;
    strcpy(bomb.command, command ? command : "");
    return !bomb.refuse;
}

/* Commands of X'08': each is answered by itself in angle brackets, now or as a note; one that
 * begins with ! fails with 99. */
static struct {
    char text[16][32];
    unsigned count;
    bool later;
    void *question;
} commands;

static inline void answer_command(void *guest)
{
    char line[40], *lines[] = {line};
    const char *text = commands.text[commands.count - 1];
    snprintf(line, sizeof line, "<%s>", text);
    vm_diag8_done(guest, commands.question, *text == '!' ? 99 : 0, lines, 1);
}

static inline void command(void *ctx, struct vm *guest, const char *text, void *question)
{
    ck_assert_uint_lt(commands.count, ARRAY_LEN(commands.text));
    snprintf(commands.text[commands.count++], sizeof commands.text[0], "%s", text);
    commands.question = question;
    if (commands.later)
        post(ctx, answer_command, guest);
    else
        answer_command(guest);
}

static struct vm_settings user_settings;
static struct {
    struct vm_minidisk asked, answer;
    enum vm_minidisk_result how;
} minidisk;

static inline void settings_of(void *ctx, struct vm *guest, struct vm_settings *out)
{
    (void)ctx, (void)guest;
    *out = user_settings;
}

static inline enum vm_minidisk_result minidisk_of(void *ctx, struct vm *guest,
                                                  struct vm_minidisk *io)
{
    (void)ctx, (void)guest;
    minidisk.asked = *io;
    if (minidisk.how == VM_MINIDISK_FOUND)
        *io = minidisk.answer;
    return minidisk.how;
}

/* An adapter at 0600 to 0602. */
static struct vm_nic_place the_nic;

static inline bool nic_of_vm(void *ctx, struct vm *guest, u16 vdev, struct vm_nic_place *out)
{
    (void)ctx, (void)guest;
    *out = the_nic;
    return vdev >= 0x600 && vdev <= 0x602;
}

static unsigned smsg_on; /* by X'68' */

static inline void smsg(void *ctx, struct vm *guest)
{
    (void)ctx, (void)guest;
    smsg_on++;
}

/* The cluster is In-flux: who asks for what all of it must know of waits. */
static struct {
    bool flux;
    struct ssi_held *held;
} cluster;

static inline int hold_it(void *ctx, struct ssi_held *held)
{
    (void)ctx;
    if (!cluster.flux)
        return ST_NOENT;
    ck_assert_ptr_null(cluster.held);
    cluster.held = held;
    return ST_OK;
}

static const struct vm_host_events events = {.timebomb = timebomb,
                                             .smsg = smsg,
                                             .hold = hold_it,
                                             .command = command,
                                             .settings = settings_of,
                                             .minidisk = minidisk_of,
                                             .nic = nic_of_vm};
static struct vm_host *host;
static struct vm *vm;

static inline void run_notes(void)
{
    struct note now[ARRAY_LEN(notes)];
    pthread_mutex_lock(&note_lock);
    unsigned count = note_count;
    memcpy(now, notes, sizeof now);
    note_count = 0;
    pthread_mutex_unlock(&note_lock);
    for (unsigned i = 0; i < count; i++)
        now[i].fn(now[i].arg);
}

static struct image *disks[2];

static inline void machine(u32 classes, bool display)
{
    struct cause cause = {0};
    const struct vm_host_ports ports = {NULL, post};
    const struct vm_host_config hc = {.deterministic = true,
                                      .processors = 1,
                                      .system = "MEMBERA",
                                      .model = cpu_model_default()};
    host = vm_host_create(&hc, &ports, &events, &cause);
    ck_assert_ptr_nonnull(host);
    const struct vm_config vc = {.name = "TESTER",
                                 .personality = VM_UNDER_CP,
                                 .storage_bytes = STORAGE_BYTES,
                                 .cpus = 1,
                                 .console_vdev = 9,
                                 .console_3270 = display,
                                 .disk = {{0x200, disks[0]}, {0x300, disks[1]}},
                                 .disks = disks[0] ? 2 : 0,
                                 .privclass = classes,
                                 .engine = cpu_engine_default(),
                                 .model = cpu_model_default()};
    ck_assert_int_eq(vm_create(host, &vc, &vm, &cause), ST_OK);
}

static inline void setup(void)
{
    note_count = 0;
    memset(&bomb, 0, sizeof bomb);
    memset(&cluster, 0, sizeof cluster);
    machine(CLASS_ALL, false);
}

static inline void teardown(void)
{
    vm_destroy(vm);
    run_notes();
    vm_host_destroy(host);
}

static inline u64 *gr(unsigned n)
{
    return &cpu_gr(vm->vcpu[0].cpu)[n];
}

static inline void put(u64 at, const void *p, size_t len)
{
    ck_assert(storage_write(vm_storage(vm), at, p, len));
}

static inline const u8 *got(u64 at)
{
    return storage_host(vm_storage(vm), at, 1);
}

/* IPLs DIAG 2,4,code; IPM 14; LPSWE of the end. */
static inline void load(u16 code)
{
    static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, CODE_AT >> 8, CODE_AT & 0xff};
    u8 program[] = {0x83, RX << 4 | RY,     code >> 8, (u8)code, 0xb2, 0x22,
                    0,    CC_REGISTER << 4, 0xb2,      0xb2,     0x04, 0x80};
    u8 end[16], pgm[16];
    be64_store(end, WAIT_MASK);
    be64_store(end + 8, ENDED);
    be64_store(pgm, WAIT_MASK);
    be64_store(pgm + 8, 0xbad);
    const struct ipled_piece pieces[] = {{0, psw, sizeof psw},
                                         {CODE_AT, program, sizeof program},
                                         {CODE_AT + 0x80, end, sizeof end},
                                         {PGM_NEW_AT, pgm, sizeof pgm},
                                         {0, NULL, 0}};
    ipled_pieces(vm, pieces);
}

/* Runs it: the condition code, or 0x100 and the program-interruption code. */
static inline unsigned run(void)
{
    u64 mask, addr;
    for (unsigned i = 0; i < TURNS_MAX && vm_state(vm) != VM_DISABLED_WAIT; i++) {
        vm_host_run(host);
        run_notes();
    }
    ck_assert_int_eq(vm_state(vm), VM_DISABLED_WAIT);
    cpu_psw_get(vm->vcpu[0].cpu, &mask, &addr);
    if (addr == ENDED)
        return (unsigned)(*gr(CC_REGISTER) >> 28 & 3);
    return 0x100 + be16_load(got(PGM_CODE_AT));
}

static inline unsigned diag(u16 code, u64 rx, u64 rx1, u64 ry, u64 ry1)
{
    load(code);
    *gr(RX) = rx;
    *gr(RX + 1) = rx1;
    *gr(RY) = ry;
    *gr(RY + 1) = ry1;
    return run();
}
#define PGM(name) (0x100u + PGM_##name##_CODE)

#endif
