/* DIAGNOSE X'08' of arbitrary operands: see diag8_exec.h. */
#include "tests/lib/diag8_exec.h"

#include <stdlib.h>
#include <string.h>

#include "hyp/vm_internal.h"
#include "mem/base/ergo.h"

#define STORAGE_BYTES (1u << 20)
#define CODE_AT 0x400
#define COMMAND_AT 0x1000
#define RESPONSE_AT 0x4000
#define RESPONSE_ROOM 0x4000
#define FILL 0xe5
#define WAIT_MASK 0x0002000180000000ull
#define PSW_64 0x0000000180000000ull
#define PGM_NEW_AT 0x1d0
#define ENDED 0x600d
#define TURNS_MAX 2000
#define COMMANDS_MAX 512 /* of one DIAGNOSE: a line end in each byte but the last */
#define NOTES_MAX 64
#define LINE_BYTES_MAX 256

/* In the first byte of the input. */
#define WANTS_RESPONSE 0x01
#define LATER 0x02 /* CP answers after a while */
#define LENGTH_AS_IT_IS 0x04
#define AT_THE_END 0x08 /* the command ends where storage does, or behind that */
#define RESPONSE_OUTSIDE 0x10
#define FAILS 0x20 /* a command ends with a return code */

static struct {
    void (*fn)(void *arg);
    void *arg;
} notes[NOTES_MAX];
static unsigned note_count, commands;
static const u8 *input;
static void *question;

static void post(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    ERGO(note_count < NOTES_MAX);
    notes[note_count].fn = fn;
    notes[note_count++].arg = arg;
}

static void notes_run(void)
{
    while (note_count) {
        unsigned before = commands;
        note_count--;
        notes[note_count].fn(notes[note_count].arg);
        POST(commands <= before + 1); /* the loop has its turn between two */
    }
}

static void answer(void *arg)
{
    char line[LINE_BYTES_MAX], *lines[LINE_BYTES_MAX];
    memset(line, 'a' + (int)(commands % 26), sizeof line);
    line[input[8]] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(lines); i++)
        lines[i] = line;
    vm_diag8_done(arg, question, input[0] & FAILS ? 99 : 0, lines, input[7]);
}

static void command(void *ctx, struct vm *vm, const char *text, void *asked)
{
    (void)ctx;
    POST(++commands <= COMMANDS_MAX);
    POST(!strchr(text, '\n'));
    question = asked;
    if (input[0] & LATER)
        post(NULL, answer, vm);
    else
        answer(vm);
}

static const struct vm_host_events events = {.command = command};

static struct vm *machine_make(struct vm_host *host)
{
    struct cause cause = {0};
    struct vm *vm = NULL;
    const struct vm_config vc = {.name = "GUEST",
                                 .personality = VM_UNDER_CP,
                                 .storage_bytes = STORAGE_BYTES,
                                 .cpus = 1,
                                 .privclass = ~0u,
                                 .engine = CPU_ENGINE_INTERP,
                                 .model = cpu_model_default()};
    ERGO(vm_create(host, &vc, &vm, &cause) == ST_OK);
    return vm;
}

static void psw_put(struct vm *vm, u64 at, u64 addr)
{
    u8 psw[16];
    be64_store(psw, WAIT_MASK);
    be64_store(psw + 8, addr);
    ERGO(storage_write(vm_storage(vm), at, psw, sizeof psw));
}

/* DIAG r1,r3,8; LPSWE of the end. */
static void program_put(struct vm *vm, u8 registers)
{
    const u8 program[] = {0x83, registers, 0, 8, 0xb2, 0xb2, 0x04, 0x80};
    ERGO(storage_write(vm_storage(vm), CODE_AT, program, sizeof program));
    psw_put(vm, CODE_AT + 0x80, ENDED);
    psw_put(vm, PGM_NEW_AT, 0xbad);
    cpu_psw_set(vm->vcpu[0].cpu, PSW_64, CODE_AT);
    cpu_start(vm->vcpu[0].cpu);
    vm_started(vm, 0);
}

/* Command, response buffer and registers. The room that the response has. */
static u32 operands_put(struct vm *vm, const u8 *data, size_t size)
{
    static u8 fill[RESPONSE_AT + 2 * RESPONSE_ROOM - COMMAND_AT];
    u64 *gr = cpu_gr(vm->vcpu[0].cpu);
    unsigned r1 = data[1] >> 4, r3 = data[1] & 15;
    u32 length = (u32)data[2] << 16 | (u32)data[3] << 8 | data[4];
    u32 room = (u32)(data[5] << 8 | data[6]) % RESPONSE_ROOM;
    size_t text = size - 9;
    if (!(data[0] & LENGTH_AS_IT_IS))
        length = (u32)text;
    u64 at = data[0] & AT_THE_END ? STORAGE_BYTES - text + data[2] : COMMAND_AT;
    memset(fill, FILL, sizeof fill);
    storage_write(vm_storage(vm), COMMAND_AT, fill, sizeof fill);
    for (size_t i = 0; i < text && at + i < STORAGE_BYTES; i++)
        storage_write(vm_storage(vm), at + i, data + 9 + i, 1);
    gr[(r1 + 1) & 15] = data[0] & RESPONSE_OUTSIDE ? STORAGE_BYTES - 8 : RESPONSE_AT;
    gr[(r3 + 1) & 15] = room;
    gr[r1] = at;
    gr[r3] = (data[0] & WANTS_RESPONSE ? 0x40000000u : 0) | length;
    return room;
}

/* Nothing before the buffer has changed, and nothing behind it. */
static void judge(struct vm *vm, u32 room)
{
    u8 b[RESPONSE_ROOM];
    ERGO(storage_read(vm_storage(vm), RESPONSE_AT - 0x1000, b, 0x1000));
    for (unsigned i = 0; i < 0x1000; i++)
        POST(b[i] == FILL);
    ERGO(storage_read(vm_storage(vm), RESPONSE_AT + room, b, sizeof b));
    for (unsigned i = 0; i < sizeof b; i++)
        POST(b[i] == FILL);
}

void diag8_exec_run(const u8 *data, size_t size)
{
    struct cause cause = {0};
    const struct vm_host_config hc = {
        .deterministic = true, .processors = 1, .model = cpu_model_default()};
    const struct vm_host_ports ports = {NULL, post};
    if (size < 9 || size > COMMANDS_MAX || data[8] == LINE_BYTES_MAX - 1)
        return;
    note_count = commands = 0;
    input = data;
    struct vm_host *host = vm_host_create(&hc, &ports, &events, &cause);
    ERGO(host);
    struct vm *vm = machine_make(host);
    program_put(vm, data[1]);
    u32 room = operands_put(vm, data, size);
    for (unsigned i = 0; vm_state(vm) != VM_DISABLED_WAIT; i++) {
        POST(i < TURNS_MAX);
        vm_host_run(host);
        notes_run();
    }
    bool pairs = (data[1] >> 4) != (data[1] & 15) && !((data[1] >> 4 | data[1]) & 1);
    if (pairs && !(data[0] & (RESPONSE_OUTSIDE | AT_THE_END)))
        judge(vm, room);
    vm_destroy(vm);
    notes_run();
    vm_host_destroy(host);
}
