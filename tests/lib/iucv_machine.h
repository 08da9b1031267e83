/* Machines of one host whose programs issue IUCV, one instruction at a time: for tests that include
 * this once. `iucv` runs it; `parm` is the parameter list before and after. */
#ifndef ENDICOTT_TESTS_LIB_IUCV_MACHINE_H
#define ENDICOTT_TESTS_LIB_IUCV_MACHINE_H

#include <check.h>
#include <stdlib.h>

#include "hyp/iucv/iucv_internal.h"
#include "io/ebcdic.h"
#include "tests/lib/ipled_machine.h"

#define STORAGE_BYTES (4u << 20)
#define CODE_AT 0x400
#define LOOP_AT 0x420
#define WAIT_AT 0x440
#define PARM_AT 0x2000
#define BUFFER_AT 0x3000
#define OUT_AT 0x4000
#define IN_AT 0x5000
#define ANSWER_AT 0x6000
#define LIST_AT 0x8000
#define DISABLED 0x0002000180000000ull
#define ENABLED 0x0102000180000000ull
#define SUPERVISOR 0x0000000180000000ull
#define ENDED 0x600d
#define TURNS_MAX 1000000
#define GUESTS_MAX 4
#define PGM(name) (0x100u + PGM_##name##_CODE)
#define RC(n) (0x200u + (n)) /* condition code 1 and that IPRCODE */
#define RC2 2u

enum {
    TEST_MESSAGE = 1,
    RETRIEVE,
    DESCRIBE,
    SEND,
    RECEIVE,
    REPLY,
    TEST_COMPLETION,
    REJECT,
    PURGE,
    ACCEPT,
    CONNECT,
    DECLARE,
    QUIESCE,
    RESUME,
    SEVER,
    SET_MASK,
    SET_CONTROL
};
enum {
    ALL = 0x80,
    DATA = 0x80,
    LIST = 0x40,
    PRIORITY = 0x20,
    ONE_WAY = 0x10,
    BY_MESSAGE = 4,
    BY_PATH = 2,
    BY_CLASS = 1
};

static struct {
    void (*fn)(void *arg);
    void *arg;
} notes[64];
static unsigned note_count;
static struct vm_host *host;
static struct vm *guests[GUESTS_MAX], *alice, *bob;
static unsigned guest_count;
static u16 alices, bobs; /* their numbers of the path */
static u8 parm[IUCV_BYTES], irq[IUCV_BYTES];
static u8 key_of_programs;
static const struct vm_config anybody = {.iucv = {{.name = "ANY"}}, .iucvs = 1};

static inline void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    ck_assert_uint_lt(note_count, ARRAY_LEN(notes));
    notes[note_count].fn = fn;
    notes[note_count++].arg = arg;
}

static inline void run_notes(void)
{
    while (note_count) {
        void (*fn)(void *arg) = notes[0].fn;
        void *arg = notes[0].arg;
        memmove(notes, notes + 1, --note_count * sizeof notes[0]);
        fn(arg);
    }
}

static inline void begin(void)
{
    static const struct vm_host_events events = {0};
    const struct vm_host_ports ports = {NULL, post};
    const struct vm_host_config hc = {.deterministic = true,
                                      .processors = 1,
                                      .system = "MEMBERA",
                                      .model = cpu_model_default()};
    struct cause cause = {0};
    note_count = guest_count = 0;
    key_of_programs = 0;
    host = vm_host_create(&hc, &ports, &events, &cause);
    ck_assert_ptr_nonnull(host);
}

static inline void end(void)
{
    while (guest_count)
        vm_destroy(guests[--guest_count]);
    run_notes();
    vm_host_destroy(host);
}

/* A machine with these IUCV statements. */
static inline struct vm *guest(const char *name, const struct vm_config *of)
{
    /* IUCV 0(1); IPM 14; LPSWE 480. At LOOP_AT LA 3,1(3); IUCV 0(1); BZ there; B to the IPM. At
     * WAIT_AT LPSWE 4a0. */
    static const u8 psw[] = {0x00, 0x08, 0, 0, 0x80, 0, CODE_AT >> 8, CODE_AT & 0xff};
    static const u8 code[] = {0xb2, 0xf0,    0x10, 0,    0xb2, 0x22,
                              0,    14 << 4, 0xb2, 0xb2, 0x04, 0x80};
    static const u8 loop[] = {0x41, 0x33, 0,    1,    0xb2, 0xf0, 0x10, 0,
                              0x47, 0x80, 0x04, 0x20, 0x47, 0xf0, 0x04, 0x04};
    static const u8 wait[] = {0xb2, 0xb2, 0x04, 0xa0};
    u8 done[16], enabled[16] = {0}, pgm[16], ext[16];
    be64_store(done, DISABLED), be64_store(done + 8, ENDED);
    be64_store(enabled, ENABLED);
    be64_store(pgm, DISABLED), be64_store(pgm + 8, 0xbad);
    be64_store(ext, DISABLED), be64_store(ext + 8, 0xe);
    const struct ipled_piece pieces[] = {{0, psw, sizeof psw},
                                         {CODE_AT, code, sizeof code},
                                         {LOOP_AT, loop, sizeof loop},
                                         {WAIT_AT, wait, sizeof wait},
                                         {0x480, done, 16},
                                         {0x4a0, enabled, 16},
                                         {0x1d0, pgm, 16},
                                         {0x1b0, ext, 16},
                                         {0, NULL, 0}};
    struct vm_config vc = *of;
    struct cause cause = {0};
    strcpy(vc.name, name);
    vc.personality = VM_UNDER_CP;
    vc.storage_bytes = STORAGE_BYTES;
    vc.cpus = 1;
    vc.console_vdev = 9;
    vc.engine = cpu_engine_default();
    vc.model = cpu_model_default();
    struct vm **at = &guests[guest_count++];
    ck_assert_int_eq(vm_create(host, &vc, at, &cause), ST_OK);
    ipled_pieces(*at, pieces);
    return *at;
}

static inline u64 *gr_of(struct vm *vm, unsigned n)
{
    return &cpu_gr(vm->vcpu[0].cpu)[n];
}

static inline const char *of(struct vm *vm, u64 at)
{
    return (const char *)storage_host(vm_storage(vm), at, 1);
}

static inline void text_at(struct vm *vm, u64 at, const char *text)
{
    ck_assert(storage_write(vm_storage(vm), at, text, strlen(text)));
}

static inline void p32(unsigned at, u32 value)
{
    be32_store(parm + at, value);
}

/* The program goes on there, with external interruptions 4000 enabled by CR0. */
static inline void go(struct vm *vm, u64 mask, u64 addr)
{
    struct cpu *cpu = vm->vcpu[0].cpu;
    vm_stop(vm, -1);
    vm_hold(vm);
    cpu_cr(cpu)[0] = 0xe2;
    cpu_registers_changed(cpu);
    cpu_psw_set(cpu, mask, addr);
    vm_release(vm);
    vm_begin(vm, -1);
}

static inline void turns(struct vm *vm, enum vm_state until)
{
    for (unsigned i = 0; i < TURNS_MAX && vm_state(vm) != until; i++) {
        vm_host_run(vm->host);
        run_notes();
    }
    ck_assert_int_eq(vm_state(vm), until);
}

/* The condition code, RC(n) or 0x100 and the program-interruption code. */
static inline unsigned iucv_run(struct vm *vm, u32 function, u64 at, u64 code_at)
{
    u64 mask, addr;
    if (at == PARM_AT)
        ck_assert(storage_write(vm_storage(vm), at, parm, sizeof parm));
    go(vm, SUPERVISOR | (u64)key_of_programs << 48, code_at);
    *gr_of(vm, 0) = function;
    *gr_of(vm, 1) = at;
    turns(vm, VM_DISABLED_WAIT);
    cpu_psw_get(vm->vcpu[0].cpu, &mask, &addr);
    if (addr != ENDED)
        return 0x100 + be16_load((const u8 *)of(vm, 0x8e));
    if (at == PARM_AT)
        ck_assert(storage_read(vm_storage(vm), at, parm, sizeof parm));
    unsigned cc = *gr_of(vm, 14) >> 28 & 3;
    return cc == 1 && function > TEST_MESSAGE ? RC(parm[3]) : cc;
}

static inline unsigned iucv_at(struct vm *vm, u32 function, u64 at)
{
    return iucv_run(vm, function, at, CODE_AT);
}

/* As often as it ends with condition code 0; register 3 counts. */
static inline unsigned iucv_until(struct vm *vm, u32 function)
{
    *gr_of(vm, 3) = 0;
    return iucv_run(vm, function, PARM_AT, LOOP_AT);
}

static inline unsigned iucv(struct vm *vm, u32 function)
{
    return iucv_at(vm, function, PARM_AT);
}

/* Waits enabled: does an interruption come? Its buffer is in `irq`. */
static inline bool comes(struct vm *vm)
{
    storage_write(vm_storage(vm), BUFFER_AT, (const u8[IUCV_BYTES]){0}, IUCV_BYTES);
    go(vm, SUPERVISOR, WAIT_AT);
    for (unsigned i = 0; i < 200 && vm_state(vm) != VM_DISABLED_WAIT; i++) {
        vm_host_run(vm->host);
        run_notes();
    }
    if (vm_state(vm) != VM_DISABLED_WAIT) {
        vm_stop(vm, -1);
        return false;
    }
    ck_assert_uint_eq(be16_load((const u8 *)of(vm, 0x86)), 0x4000);
    memcpy(irq, of(vm, BUFFER_AT), IUCV_BYTES);
    return true;
}

/* The type of the one that comes. */
static inline unsigned interrupted(struct vm *vm)
{
    ck_assert_msg(comes(vm), "no interruption");
    return irq[3];
}

static inline void declare(struct vm *vm)
{
    memset(parm, 0, sizeof parm);
    p32(12, BUFFER_AT);
    ck_assert_uint_eq(iucv(vm, DECLARE), 0);
}

static inline void pair(const struct vm_config *first, const struct vm_config *second)
{
    alice = guest("ALICE", first);
    bob = guest("BOB", second);
    declare(alice), declare(bob);
}

static inline void connect_parm(const char *to, u8 flags, u16 limit)
{
    memset(parm, 0, sizeof parm);
    parm[2] = flags;
    be16_store(parm + 4, limit);
    ebcdic_pad(to, 8, parm + 8);
    memcpy(parm + 16, "user data of it!", 16);
}

static inline unsigned connect_rc(struct vm *vm, const char *to)
{
    connect_parm(to, 0, 0);
    return iucv(vm, CONNECT);
}

static inline u16 connect_to(struct vm *vm, const char *to, u8 flags, u16 limit)
{
    connect_parm(to, flags, limit);
    ck_assert_uint_eq(iucv(vm, CONNECT), 0);
    return be16_load(parm);
}

static inline void path_parm(u16 path, const char *user)
{
    memset(parm, 0, sizeof parm);
    be16_store(parm, path);
    if (user)
        memcpy(parm + 16, user, 16);
}

static inline void accept_path(u16 path, u8 flags)
{
    path_parm(path, NULL);
    parm[2] = flags;
    ck_assert_uint_eq(iucv(bob, ACCEPT), 0);
}

/* Alice has a path to Bob; both take data in parameter lists, or not. */
static inline void connected(u8 flags)
{
    pair(&anybody, &anybody);
    alices = connect_to(alice, "BOB", flags, 0);
    ck_assert_uint_eq(interrupted(bob), 1);
    bobs = be16_load(irq);
    accept_path(bobs, flags);
    ck_assert_uint_eq(interrupted(alice), 2);
}

static inline void send_to(u16 path, u8 flags, u32 at, u32 length)
{
    path_parm(path, NULL);
    parm[2] = flags;
    p32(12, at), p32(16, length);
}

static inline void receive_parm(u16 path, u32 id, u32 target_class, u32 at, u32 room)
{
    path_parm(path, NULL);
    parm[2] = BY_PATH | BY_MESSAGE | BY_CLASS;
    p32(4, id), p32(8, target_class), p32(12, at), p32(16, room);
}

static inline void reply_parm(u16 path, u32 id, u32 target_class, u32 at, u32 length)
{
    path_parm(path, NULL);
    p32(4, id), p32(8, target_class), p32(28, at), p32(32, length);
}

static inline void set_mask(struct vm *vm, unsigned function, u8 mask)
{
    memset(parm, 0, sizeof parm);
    parm[0] = mask;
    ck_assert_uint_eq(iucv(vm, function), 0);
}

#endif
