/* Sides in different programs: messages, the device's end, the stub.
 *
 *   device's end                                  stub, which is a side
 *   MODE extended, ready                  ->      how the device is; first of all
 *   START seq command, block of a write   ->      ctc_step
 *   RESULT seq status, block of a read    <-      when it ends (or at once)
 *   TAKEN seq bytes of the block          ->      ctc_taken: the write of the other side ends
 *   CANCEL, DISCONNECT, RESET, ENDED      ->      the same for the side
 *   STATUS attention or device end        <-
 *
 * A RESULT that crosses a CANCEL has a number that nobody waits for, and is dropped. */
#include "io/net/ctc_remote.h"

#include <stdlib.h>
#include <string.h>

#include "io/device.h"
#include "mem/base/lock.h"

enum { START = 1, RESULT, TAKEN, CANCEL, DISCONNECT, RESET, ENDED, STATUS, MODE };

#define START_BYTES 7u
#define START_CHAINED 0x01
#define START_DATA 0x02
#define RESULT_BYTES 13u
#define TAKEN_BYTES 9u
#define CANCEL_BYTES 5u
#define STATUS_BYTES 2u
#define MODE_BYTES 3u

/** Located by its device. */
struct ctc_remote {
    struct lock lock; /* what receive and the device's thread share */
    struct ctc_wire wire;
    const struct ctc_side_ops *ops;
    void *arg;
    u32 seq;
    bool out, have; /* a command is there; its result has come */
    bool extended, extended_first;
    u8 command;
    struct ctc_result result;
    u8 *data; /* of the result */
};

/** Located by its connection. */
struct ctc_stub {
    struct lock lock;    /* seq, out, busy, again, offered */
    pthread_cond_t idle; /* nobody asks any more */
    struct ctc_wire wire;
    struct ctc_side *side;
    u32 seq;
    bool out;         /* a command is under way */
    bool busy, again; /* some thread asks for its result; another one was to */
    bool offered;     /* a block was sent and not taken yet */
    struct ctc_command command;
};

/* --- the device's end ----------------------------------------------------------------------- */

struct ctc_remote *ctc_remote_create(bool extended_first, bool extended, bool ready,
                                     const struct ctc_wire *wire,
                                     const struct ctc_side_ops *ops, void *arg)
{
    struct ctc_remote *remote = calloc(1, sizeof *remote);
    if (!remote)
        return NULL;
    lock_init(&remote->lock, LOCK_CTC_REMOTE);
    remote->wire = *wire;
    remote->ops = ops;
    remote->arg = arg;
    remote->extended_first = extended_first;
    remote->extended = extended;
    const u8 m[MODE_BYTES] = {MODE, extended, ready};
    wire->send(wire->arg, m, sizeof m);
    return remote;
}

void ctc_remote_destroy(struct ctc_remote *remote)
{
    if (!remote)
        return;
    lock_fini(&remote->lock);
    free(remote->data);
    free(remote);
}

static void remote_send(struct ctc_remote *remote, u8 type)
{
    remote->wire.send(remote->wire.arg, &type, 1);
}

bool ctc_remote_extended(struct ctc_remote *remote)
{
    lock_take(&remote->lock);
    bool extended = remote->extended;
    lock_drop(&remote->lock);
    return extended;
}

bool ctc_remote_takes(struct ctc_remote *remote, u8 command)
{
    lock_take(&remote->lock);
    bool takes = !remote->out && (command & 0x03) == 1 && !(remote->extended && command & 0x80);
    lock_drop(&remote->lock);
    return takes;
}

static void send_start(struct ctc_remote *remote, const struct ctc_command *c, u32 seq,
                       bool chained)
{
    size_t len = START_BYTES + (c->data ? c->len : 0);
    u8 *m = malloc(len);
    if (!m)
        return; /* as if the connection were slow: the program gives up, and halts */
    m[0] = START;
    be32_store(m + 1, seq);
    m[5] = c->command;
    m[6] = (u8)((chained ? START_CHAINED : 0) | (c->data ? START_DATA : 0));
    if (c->data)
        memcpy(m + START_BYTES, c->data, c->len);
    remote->wire.send(remote->wire.arg, m, len);
    free(m);
}

/* The mode follows what the other end has accepted. */
static void note_mode(struct ctc_remote *remote)
{
    if (remote->result.status != DS_NORMAL)
        return;
    if (remote->command == 0xc3)
        remote->extended = true;
    else if ((remote->command & 0xc7) == 0x43)
        remote->extended = false;
}

static void take_result(struct ctc_remote *remote, struct ctc_result *out)
{
    *out = remote->result;
    if (out->kind == CTC_DATA)
        return; /* ctc_remote_taken */
    note_mode(remote);
    remote->out = remote->have = false;
}

void ctc_remote_step(struct ctc_remote *remote, struct ctc_command *c, bool chained,
                     struct ctc_result *out)
{
    *out = (struct ctc_result){.kind = CTC_WAIT};
    lock_take(&remote->lock);
    bool start = !remote->out;
    if (remote->have)
        take_result(remote, out);
    u32 seq = start ? ++remote->seq : remote->seq;
    if (start) {
        remote->out = true;
        remote->command = c->command;
    }
    lock_drop(&remote->lock);
    if (start)
        send_start(remote, c, seq, chained);
    free(c->data);
    c->data = NULL;
}

void ctc_remote_taken(struct ctc_remote *remote, u32 n, struct ctc_result *out)
{
    u8 m[TAKEN_BYTES] = {TAKEN};
    lock_take(&remote->lock);
    *out = remote->result;
    out->kind = CTC_END;
    be32_store(m + 1, remote->seq);
    be32_store(m + 5, n);
    remote->out = remote->have = false;
    free(remote->data);
    remote->data = NULL;
    lock_drop(&remote->lock);
    remote->wire.send(remote->wire.arg, m, sizeof m);
}

void ctc_remote_ended(struct ctc_remote *remote)
{
    remote_send(remote, ENDED);
}

void ctc_remote_cancel(struct ctc_remote *remote)
{
    u8 m[CANCEL_BYTES] = {CANCEL};
    lock_take(&remote->lock);
    be32_store(m + 1, remote->seq);
    remote->out = remote->have = false;
    free(remote->data);
    remote->data = NULL;
    lock_drop(&remote->lock);
    remote->wire.send(remote->wire.arg, m,
                      sizeof m); /* also between commands: the program has ended */
}

static void remote_mode_reset(struct ctc_remote *remote)
{
    lock_take(&remote->lock);
    remote->extended = remote->extended_first;
    lock_drop(&remote->lock);
}

void ctc_remote_disconnect(struct ctc_remote *remote)
{
    remote_mode_reset(remote);
    remote_send(remote, DISCONNECT);
}

void ctc_remote_reset(struct ctc_remote *remote)
{
    ctc_remote_cancel(remote);
    remote_mode_reset(remote);
    remote_send(remote, RESET);
}

/* False: it makes no sense. */
static bool take_answer(struct ctc_remote *remote, const u8 *m, size_t len)
{
    struct ctc_result r = {.kind = m[5],
                           .status = m[6],
                           .sense = m[7],
                           .byte = m[8],
                           .taken = be32_load(m + 9),
                           .len = (u32)(len - RESULT_BYTES)};
    bool data = r.kind == CTC_DATA;
    if (r.kind == CTC_WAIT || r.kind > CTC_DATA || r.taken > CTC_BLOCK_BYTES_MAX ||
        r.len > CTC_BLOCK_BYTES_MAX || (!data && (r.len || !r.status)))
        return false;
    u8 *copy = data ? malloc(r.len ? r.len : 1) : NULL;
    if (data && !copy)
        return false;
    if (data)
        memcpy(copy, m + RESULT_BYTES, r.len);
    r.status = data ? DS_NORMAL : r.status;
    r.data = copy;
    lock_take(&remote->lock);
    bool wanted = remote->out && !remote->have && remote->seq == be32_load(m + 1);
    if (wanted) {
        remote->have = true;
        remote->result = r;
        remote->data = copy;
    }
    lock_drop(&remote->lock);
    if (!wanted)
        free(copy);
    else
        remote->ops->look(remote->arg);
    return true;
}

bool ctc_remote_receive(struct ctc_remote *remote, const u8 *m, size_t len)
{
    if (len >= RESULT_BYTES && m[0] == RESULT)
        return take_answer(remote, m, len);
    if (len != STATUS_BYTES || m[0] != STATUS || m[1] & ~(DS_ATTENTION | DS_DEVICE_END))
        return false;
    if (m[1])
        remote->ops->status(remote->arg, m[1]);
    return true;
}

/* --- the stub ------------------------------------------------------------------------------- */

static void send_result(struct ctc_stub *stub, u32 seq, const struct ctc_result *r)
{
    size_t data = r->kind == CTC_DATA ? r->len : 0;
    u8 *m = malloc(RESULT_BYTES + data);
    if (!m)
        return;
    m[0] = RESULT;
    be32_store(m + 1, seq);
    m[5] = r->kind;
    m[6] = r->status;
    m[7] = r->sense;
    m[8] = r->byte;
    be32_store(m + 9, r->taken);
    if (data)
        memcpy(m + RESULT_BYTES, r->data, data);
    stub->wire.send(stub->wire.arg, m, RESULT_BYTES + data);
    free(m);
}

/* The result of the command, if it has ended. One thread at a time asks. */
static bool ask_once(struct ctc_stub *stub)
{
    struct ctc_result r;
    lock_take(&stub->lock);
    bool ask = stub->out && !stub->busy && !stub->offered;
    stub->again = stub->out && stub->busy;
    stub->busy |= ask;
    u32 seq = stub->seq;
    lock_drop(&stub->lock);
    if (!ask)
        return false;
    ctc_step(stub->side, &stub->command, &r);
    lock_take(&stub->lock);
    stub->busy = false;
    bool again = stub->again;
    stub->again = false;
    stub->offered = r.kind == CTC_DATA;
    if (r.kind == CTC_END || r.kind == CTC_BYTE)
        stub->out = false;
    pthread_cond_broadcast(&stub->idle);
    lock_drop(&stub->lock);
    if (r.kind != CTC_WAIT)
        send_result(stub, seq, &r);
    return again;
}

static void stub_look(void *arg)
{
    while (ask_once(arg))
        continue;
}

static void stub_status(void *arg, u8 unit_status)
{
    struct ctc_stub *stub = arg;
    const u8 m[STATUS_BYTES] = {STATUS, unit_status};
    stub->wire.send(stub->wire.arg, m, sizeof m);
}

static const struct ctc_side_ops stub_ops = {.look = stub_look, .status = stub_status};

struct ctc_stub *ctc_stub_create(struct ctc_hub *hub, bool extended_first,
                                 const struct ctc_wire *wire)
{
    struct ctc_stub *stub = calloc(1, sizeof *stub);
    if (!stub)
        return NULL;
    stub->wire = *wire;
    stub->side = ctc_side_create(hub, extended_first, &stub_ops, stub);
    if (!stub->side) {
        free(stub);
        return NULL;
    }
    lock_init(&stub->lock, LOCK_CTC_REMOTE);
    pthread_cond_init(&stub->idle, NULL);
    return stub;
}

void ctc_stub_destroy(struct ctc_stub *stub)
{
    if (!stub)
        return;
    ctc_side_destroy(stub->side);
    pthread_cond_destroy(&stub->idle);
    lock_fini(&stub->lock);
    free(stub->command.data);
    free(stub);
}

struct ctc_side *ctc_stub_side(struct ctc_stub *stub)
{
    return stub->side;
}

/* A thread that asks for a result is soon back; what it has is no command of then. */
static void take_idle(struct ctc_stub *stub)
{
    lock_take(&stub->lock);
    while (stub->busy)
        lock_wait(&stub->idle, &stub->lock);
}

static bool take_start(struct ctc_stub *stub, const u8 *m, size_t len)
{
    u32 n = (u32)(len - START_BYTES);
    bool data = m[6] & START_DATA;
    u8 *copy = data ? malloc(n ? n : 1) : NULL;
    if (n > CTC_BLOCK_BYTES_MAX || (!data && n) || (data && !copy)) {
        free(copy);
        return false;
    }
    if (data)
        memcpy(copy, m + START_BYTES, n);
    take_idle(stub);
    bool free_ = !stub->out;
    if (free_) {
        stub->out = true;
        stub->seq = be32_load(m + 1);
        stub->command = (struct ctc_command){m[5], copy, n};
    }
    lock_drop(&stub->lock);
    if (!free_) {
        free(copy);
        return false;
    }
    if (!(m[6] & START_CHAINED))
        ctc_begin(stub->side);
    stub_look(stub);
    return true;
}

/* The device has given its command up, or took `n` bytes of the block. */
static void stub_over(struct ctc_stub *stub, u32 seq, bool taken, u32 n)
{
    struct ctc_result r;
    take_idle(stub);
    bool mine = stub->out && stub->seq == seq;
    bool offered = mine && stub->offered;
    if (mine && (!taken || offered))
        stub->out = stub->offered = false;
    lock_drop(&stub->lock);
    if (offered && taken)
        ctc_taken(stub->side, n, &r);
    else if (!taken)
        ctc_cancel(stub->side);
}

static bool take_mode(struct ctc_stub *stub, const u8 *m)
{
    take_idle(stub);
    bool free_ = !stub->out;
    lock_drop(&stub->lock);
    if (!free_ || m[1] > 1 || m[2] > 1)
        return false;
    ctc_set_mode(stub->side, m[1], m[2]);
    return true;
}

bool ctc_stub_receive(struct ctc_stub *stub, const u8 *m, size_t len)
{
    switch (len ? m[0] : 0) {
    case START: return len >= START_BYTES && take_start(stub, m, len);
    case TAKEN:
        if (len != TAKEN_BYTES || be32_load(m + 5) > CTC_BLOCK_BYTES_MAX)
            return false;
        stub_over(stub, be32_load(m + 1), true, be32_load(m + 5));
        return true;
    case CANCEL:
        if (len != CANCEL_BYTES)
            return false;
        stub_over(stub, be32_load(m + 1), false, 0);
        return true;
    case MODE: return len == MODE_BYTES && take_mode(stub, m);
    case DISCONNECT: ctc_disconnect(stub->side); return len == 1;
    case RESET: ctc_reset(stub->side); return len == 1;
    case ENDED: ctc_ended(stub->side); return len == 1;
    default: return false;
    }
}
