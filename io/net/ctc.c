/* The adapter: what a command of one side (X) does, by what the other one (Y) is doing.
 *
 * Guarantees: [C1] a side has one command at most, and it waits only for one of Y's that fits or
 * for a reset. [C2] A write ends well only when the block is in the other program's storage, and
 * it is there once. [C3] Nobody is called with the lock held. Table: "ESCON Channel-to-Channel
 * Adapter" (SA22-7203) as Hercules' ctcadpt.c tells it; where they differ from here:
 * docs/ctca.md. */
#include "io/net/ctc.h"

#include <stdlib.h>
#include <string.h>

#include "io/device.h"
#include "mem/base/ergo.h"
#include "mem/base/lock.h"

#define SENSE_GONE 0x01 /* with intervention required: the other side disconnected */
#define BUSY_ATTENTION (DS_BUSY | DS_ATTENTION)

/** Located by its owner. Made with the member, or the machine of `ipl`. */
struct ctc_hub {
    struct lock lock;
    pthread_cond_t unpinned;
};

/** Located by its owner and peer->peer; hub->lock. */
struct ctc_side {
    struct ctc_hub *hub;
    const struct ctc_side_ops *ops;
    void *arg;
    struct ctc_side *peer; /* NULL: not coupled */
    struct ctc_state s;
    bool extended_first; /* mode after a reset */
    u8 *data;            /* a block to write */
    u32 len;
    u32 turn; /* of its commands that wait */
    u8 *held; /* the other side's block, which this program is taking */
    u32 held_len, held_turn;
    const struct ctc_side *held_of;
    unsigned pins;
};

/* What is to be told once the lock is free. */
struct news {
    struct ctc_side *to;
    bool look;
    u8 status;
};

/* --- commands ------------------------------------------------------------------------------- */

enum klass {
    PREPARE,
    CONTROL,
    READ,
    WRITE,
    SENSE_COMMAND,
    END_OF_FILE,
    NOP,
    EXTENDED,
    BASIC,
    NONE
};

static enum klass control_class(u8 command)
{
    if (command & 0x04)
        return CONTROL;
    if ((command & 0xc0) == 0xc0)
        return command == 0xc3 ? EXTENDED : command == 0xe3 ? PREPARE : NONE;
    return (command & 0xc0) == 0x40 ? BASIC : NOP;
}

static enum klass classify(u8 command, bool extended)
{
    switch (command & 0x03) {
    case 1: return extended && command & 0x80 ? END_OF_FILE : WRITE;
    case 2: return READ;
    case 3: return control_class(command);
    default: break;
    }
    if ((command & 0x0f) == 0x0c)
        return READ; /* backward */
    return (command & 0x1f) == 0x14 ? SENSE_COMMAND : NONE;
}

enum act {
    ENDS,   /* at once */
    WAITS,  /* for a command of Y, who hears an attention */
    JOINS,  /* the same; Y's prepare ends and there is no attention */
    FITS,   /* both end */
    MOVES,  /* data from the one that writes to the one that reads */
    BUSY,   /* with attention */
    CHECKS, /* Y is not ready */
};

/* clang-format off */
/* By what Y does; the last column is for a Y that is not ready, in extended mode. */
static const u8 table[NONE][6] = {
    /*                 idle   prepare control read   write  not ready */
    [PREPARE] =       {WAITS, FITS,   ENDS,   ENDS,  ENDS,  CHECKS},
    [CONTROL] =       {WAITS, JOINS,  BUSY,   BUSY,  BUSY,  CHECKS},
    [READ] =          {WAITS, JOINS,  BUSY,   BUSY,  MOVES, CHECKS},
    [WRITE] =         {WAITS, JOINS,  BUSY,   MOVES, BUSY,  CHECKS},
    [SENSE_COMMAND] = {ENDS,  ENDS,   FITS,   ENDS,  ENDS,  CHECKS},
    [END_OF_FILE] =   {ENDS,  ENDS,   BUSY,   FITS,  BUSY,  CHECKS},
    [NOP] =           {ENDS,  ENDS,   BUSY,   BUSY,  BUSY,  ENDS},
    [EXTENDED] =      {ENDS,  ENDS,   BUSY,   BUSY,  BUSY,  CHECKS},
    [BASIC] =         {ENDS,  ENDS,   BUSY,   BUSY,  BUSY,  ENDS},
};
/* clang-format on */

static const u8 does_of[NONE] = {
    [PREPARE] = CTC_PREPARE, [CONTROL] = CTC_CONTROL, [READ] = CTC_READ, [WRITE] = CTC_WRITE};

static enum act act_of(const struct ctc_side *x, enum klass class)
{
    const struct ctc_side *y = x->peer;
    bool extended = x->s.extended || class == EXTENDED;
    if (!y || !y->s.ready)
        return table[class][extended ? 5 : CTC_IDLE];
    return table[class][y->s.done ? CTC_IDLE : y->s.does];
}

/* --- telling -------------------------------------------------------------------------------- */

static void unpin_locked(struct ctc_side *x)
{
    if (--x->pins == 0)
        pthread_cond_broadcast(&x->hub->unpinned);
}

/* Give back the lock and tell. */
static void drop_and_tell(struct ctc_hub *hub, const struct news *news)
{
    struct ctc_side *to = news->look || news->status ? news->to : NULL;
    if (to)
        to->pins++;
    lock_drop(&hub->lock);
    if (!to)
        return;
    if (news->status)
        to->ops->status(to->arg, news->status);
    if (news->look)
        to->ops->look(to->arg);
    lock_take(&hub->lock);
    unpin_locked(to);
    lock_drop(&hub->lock);
}

/* Y's command has ended. */
static void end_other(struct ctc_side *y, u8 status, u8 sense, struct news *news)
{
    y->s.done = status;
    y->s.sense = sense;
    y->s.calling = 0;
    news->to = y;
    news->look = true;
}

/* X waits for a command of Y's: attention now, or when Y's channel program is over. */
static void call(struct ctc_side *y, struct news *news)
{
    if (!y || !y->s.ready)
        return;
    if (y->s.program) {
        y->s.calling = 1;
        return;
    }
    news->to = y;
    news->status |= DS_ATTENTION;
}

/* X has had a command: it is ready. */
static void now_ready(struct ctc_side *x, struct news *news)
{
    struct ctc_side *y = x->peer;
    if (x->s.ready)
        return;
    x->s.ready = 1;
    x->s.gone = 0;
    if (!y || !y->s.told)
        return;
    y->s.told = 0;
    if (y->s.program)
        return;
    news->to = y;
    news->status |= DS_DEVICE_END;
}

/* Of X's other side. */
static u8 not_ready_sense(const struct ctc_side *x)
{
    bool gone = x->peer ? x->peer->s.gone : x->s.parted;
    return SENSE_INTERVENTION | (gone ? SENSE_GONE : 0);
}

/* --- steps ---------------------------------------------------------------------------------- */

static void drop_data(struct ctc_side *x)
{
    free(x->data);
    x->data = NULL;
}

static void end_own(struct ctc_side *x, u8 status, struct ctc_result *out)
{
    x->s.does = CTC_IDLE;
    x->s.done = x->s.sense = 0;
    x->s.taken = 0;
    drop_data(x);
    out->kind = CTC_END;
    out->status = status;
}

/* The other side's block is this program's to take. */
static void offer(struct ctc_side *x, struct ctc_result *out)
{
    struct ctc_side *y = x->peer;
    x->held = y->data;
    x->held_len = y->len;
    x->held_of = y;
    x->held_turn = y->turn;
    y->data = NULL;
    x->s.does = CTC_READ;
    out->kind = CTC_DATA;
    out->data = x->held;
    out->len = x->held_len;
}

/* Is this program taking the block that Y still waits to be rid of? */
static bool holds_of(const struct ctc_side *x, const struct ctc_side *y)
{
    return x && y && x->held && x->held_of == y && x->held_turn == y->turn &&
           y->s.does == CTC_WRITE && !y->s.done;
}

static bool block_is_there(const struct ctc_side *x)
{
    const struct ctc_side *y = x->peer;
    return y && y->s.does == CTC_WRITE && !y->s.done && y->data;
}

/* Again the command that waits. */
static void step_again(struct ctc_side *x, struct ctc_command *c, struct news *news,
                       struct ctc_result *out)
{
    out->kind = CTC_WAIT;
    if (x->s.done) {
        u32 taken = x->s.taken;
        out->sense = x->s.sense;
        end_own(x, x->s.done, out);
        out->taken = taken;
    } else if (x->s.does == CTC_READ && block_is_there(x)) {
        offer(x, out);
    } else if (x->s.does == CTC_WRITE && !x->data && c->data) {
        x->data = c->data;
        x->len = c->len;
        c->data = NULL;
        news->to = x->peer;
        news->look = x->peer && x->peer->s.does == CTC_READ;
    }
}

static void wait_for_other(struct ctc_side *x, enum klass class, struct ctc_command *c,
                           struct ctc_result *out)
{
    x->turn++;
    x->s.does = does_of[class];
    x->s.done = 0;
    x->s.taken = 0;
    out->kind = CTC_WAIT;
    if (class != WRITE)
        return;
    x->data = c->data;
    x->len = c->len;
    c->data = NULL;
}

static void step_moves(struct ctc_side *x, enum klass class, struct ctc_command *c,
                       struct news *news, struct ctc_result *out)
{
    if (class == READ && block_is_there(x)) {
        offer(x, out);
        return;
    }
    wait_for_other(x, class, c, out);
    news->to = x->peer;
    news->look = class == WRITE && x->data; /* a read waits for a block that comes again */
}

static void step_checks(struct ctc_side *x, struct ctc_result *out)
{
    end_own(x, DS_NORMAL | DS_UNIT_CHECK, out);
    out->sense = not_ready_sense(x);
    x->s.told = 1;
}

static void step_ends(struct ctc_side *x, enum klass class, struct ctc_result *out)
{
    struct ctc_side *y = x->peer;
    end_own(x, DS_NORMAL, out);
    if (class == EXTENDED || class == BASIC)
        x->s.extended = class == EXTENDED;
    if (class == END_OF_FILE && y)
        y->s.eof = 1;
    if (class != SENSE_COMMAND)
        return;
    out->kind = CTC_BYTE;
    out->byte = y && y->s.does && !y->s.done ? y->s.command : 0;
}

static void step_new(struct ctc_side *x, enum klass class, struct ctc_command *c,
                     struct news *news, struct ctc_result *out)
{
    struct ctc_side *y = x->peer;
    enum act act = act_of(x, class);
    if (act == BUSY) {
        x->s.calling = 0; /* it hears of it now */
        end_own(x, BUSY_ATTENTION, out);
        return;
    }
    bool eof = x->s.eof;
    x->s.eof = 0;
    if (eof && class == READ) {
        end_own(x, DS_NORMAL | DS_UNIT_EXCEPTION, out);
        return;
    }
    if (act == FITS && class == SENSE_COMMAND)
        step_ends(x, class, out); /* first: it tells what Y is doing */
    switch (act) {
    case ENDS: step_ends(x, class, out); break;
    case CHECKS: step_checks(x, out); break;
    case MOVES: step_moves(x, class, c, news, out); break;
    case WAITS:
        wait_for_other(x, class, c, out);
        if (class != PREPARE)
            call(y, news);
        break;
    case JOINS:
        wait_for_other(x, class, c, out);
        end_other(y, DS_NORMAL, 0, news);
        break;
    case FITS:
        if (class != SENSE_COMMAND)
            end_own(x, DS_NORMAL, out);
        end_other(y, DS_NORMAL | (class == END_OF_FILE ? DS_UNIT_EXCEPTION : 0), 0, news);
        break;
    case BUSY: break;
    }
}

void ctc_step(struct ctc_side *x, struct ctc_command *c, struct ctc_result *out)
{
    struct news news = {0}, ready = {0};
    *out = (struct ctc_result){0};
    lock_take(&x->hub->lock);
    enum klass class = classify(c->command, x->s.extended);
    if (x->s.does) {
        step_again(x, c, &news, out);
    } else if (class == NONE) {
        end_own(x, DS_NORMAL | DS_UNIT_CHECK, out);
        out->sense = SENSE_COMMAND_REJECT;
    } else {
        x->s.command = c->command;
        now_ready(x, &ready);
        step_new(x, class, c, &news, out);
    }
    news.to = news.to ? news.to : ready.to;
    news.status |= ready.status;
    drop_and_tell(x->hub, &news);
    free(c->data);
    c->data = NULL;
}

void ctc_taken(struct ctc_side *x, u32 n, struct ctc_result *out)
{
    struct news news = {0};
    *out = (struct ctc_result){0};
    lock_take(&x->hub->lock);
    struct ctc_side *y = x->peer;
    if (holds_of(x, y)) {
        y->s.taken = n;
        end_other(y, DS_NORMAL, 0, &news);
    }
    free(x->held);
    x->held = NULL;
    out->sense = x->s.done ? x->s.sense : 0;
    end_own(x, x->s.done ? x->s.done : DS_NORMAL, out);
    drop_and_tell(x->hub, &news);
}

bool ctc_takes(struct ctc_side *x, u8 command)
{
    lock_take(&x->hub->lock);
    enum klass class = classify(command, x->s.extended);
    bool takes = class == WRITE;
    if (takes && x->s.does)
        takes = x->s.does == CTC_WRITE && !x->s.done && !x->data && !holds_of(x->peer, x);
    else if (takes)
        takes = act_of(x, class) != BUSY && act_of(x, class) != CHECKS;
    lock_drop(&x->hub->lock);
    return takes;
}

/* --- channel programs, resets --------------------------------------------------------------- */

void ctc_begin(struct ctc_side *x)
{
    lock_take(&x->hub->lock);
    x->s.program = 1;
    lock_drop(&x->hub->lock);
}

void ctc_ended(struct ctc_side *x)
{
    struct news news = {0};
    lock_take(&x->hub->lock);
    const struct ctc_side *y = x->peer;
    x->s.program = 0;
    if (x->s.calling && y && y->s.does > CTC_PREPARE && !y->s.done)
        call(x, &news);
    x->s.calling = 0;
    drop_and_tell(x->hub, &news);
}

static void cancel_locked(struct ctc_side *x)
{
    struct ctc_side *y = x->peer;
    if (holds_of(x, y)) {
        y->data = x->held; /* nobody took it: for the next read */
        y->len = x->held_len;
        x->held = NULL;
    }
    free(x->held);
    x->held = NULL;
    drop_data(x);
    x->s.does = CTC_IDLE;
    x->s.done = x->s.sense = 0;
    x->s.taken = 0;
    x->s.program = 0;
}

void ctc_cancel(struct ctc_side *x)
{
    lock_take(&x->hub->lock);
    cancel_locked(x);
    lock_drop(&x->hub->lock);
}

/* X is not ready any more: what Y in extended mode waits for does not come. */
static void leave_locked(struct ctc_side *x, bool gone, struct news *news)
{
    struct ctc_side *y = x->peer;
    x->s.ready = 0;
    x->s.gone = gone;
    if (!y || !y->s.does || y->s.done || !y->s.extended)
        return;
    end_other(y, DS_NORMAL | DS_UNIT_CHECK, not_ready_sense(y), news);
    y->s.told = 1;
}

static void mode_reset_locked(struct ctc_side *x)
{
    x->s.extended = x->extended_first;
    x->s.eof = x->s.told = x->s.calling = 0;
}

void ctc_disconnect(struct ctc_side *x)
{
    struct news news = {0};
    lock_take(&x->hub->lock);
    if (x->s.extended)
        leave_locked(x, true, &news);
    mode_reset_locked(x);
    drop_and_tell(x->hub, &news);
}

void ctc_reset(struct ctc_side *x)
{
    struct news news = {0};
    lock_take(&x->hub->lock);
    cancel_locked(x);
    leave_locked(x, false, &news);
    mode_reset_locked(x);
    drop_and_tell(x->hub, &news);
}

/* --- coupling ------------------------------------------------------------------------------- */

/* Two commands that wait, as if `a` had come second: what it is told. */
static void meet(struct ctc_side *a, struct ctc_side *b, struct news *to_a, struct news *to_b)
{
    bool moves = a->s.does + b->s.does == CTC_READ + CTC_WRITE && a->s.does != CTC_CONTROL &&
                 b->s.does != CTC_CONTROL && a->s.does != CTC_PREPARE;
    *to_a = (struct news){.to = a, .look = moves};
    *to_b = (struct news){.to = b, .look = moves};
    if (moves)
        return;
    if (a->s.does == CTC_PREPARE || b->s.does == CTC_PREPARE) {
        if (a->s.does == CTC_PREPARE)
            end_other(a, DS_NORMAL, 0, to_a);
        if (b->s.does == CTC_PREPARE)
            end_other(b, DS_NORMAL, 0, to_b);
        return;
    }
    end_other(a, BUSY_ATTENTION, 0, to_a);
}

/* One side, of two that have been coupled, of which the other has a command that waits or not. */
static void welcome(struct ctc_side *x, struct news *to_x)
{
    const struct ctc_side *y = x->peer;
    *to_x = (struct news){.to = x};
    if (y->s.does > CTC_PREPARE && !y->s.done && !x->s.does)
        call(x, to_x);
    if (!x->s.told || !y->s.ready || x->s.program)
        return;
    x->s.told = 0;
    to_x->status |= DS_DEVICE_END;
}

bool ctc_couple(struct ctc_side *a, struct ctc_side *b)
{
    struct ctc_hub *hub = a->hub;
    struct news to_a, to_b;
    lock_take(&hub->lock);
    bool free_ = a != b && !a->peer && !b->peer;
    if (!free_) {
        lock_drop(&hub->lock);
        return false;
    }
    a->peer = b;
    b->peer = a;
    a->s.parted = b->s.parted = 0;
    if (a->s.does && b->s.does && !a->s.done && !b->s.done) {
        meet(a, b, &to_a, &to_b);
    } else {
        welcome(a, &to_a);
        welcome(b, &to_b);
    }
    b->pins++;
    drop_and_tell(hub, &to_a);
    lock_take(&hub->lock);
    unpin_locked(b);
    drop_and_tell(hub, &to_b);
    return true;
}

/* What X waits for does not come; a block of the other's that it was taking has been let go. */
static void part_locked(struct ctc_side *x, struct news *news)
{
    x->s.calling = 0;
    if (!x->s.does || x->s.done || !x->s.extended)
        return;
    end_other(x, DS_NORMAL | DS_UNIT_CHECK, not_ready_sense(x), news);
    x->s.told = 1;
}

bool ctc_uncouple(struct ctc_side *a)
{
    struct ctc_hub *hub = a->hub;
    struct news to_a = {0}, to_b = {0};
    lock_take(&hub->lock);
    struct ctc_side *b = a->peer;
    if (!b) {
        lock_drop(&hub->lock);
        return false;
    }
    a->peer = b->peer = NULL;
    a->s.parted = b->s.parted = 1;
    part_locked(a, &to_a);
    part_locked(b, &to_b);
    b->pins++;
    drop_and_tell(hub, &to_a);
    lock_take(&hub->lock);
    unpin_locked(b);
    drop_and_tell(hub, &to_b);
    return true;
}

u8 ctc_idle_sense(struct ctc_side *x)
{
    lock_take(&x->hub->lock);
    const struct ctc_side *y = x->peer;
    u8 sense = x->s.extended && !(y && y->s.ready) ? not_ready_sense(x) : 0;
    lock_drop(&x->hub->lock);
    return sense;
}

void ctc_mode(struct ctc_side *x, bool *extended, bool *ready)
{
    lock_take(&x->hub->lock);
    *extended = x->s.extended;
    *ready = x->s.ready;
    lock_drop(&x->hub->lock);
}

void ctc_set_mode(struct ctc_side *x, bool extended, bool ready)
{
    struct news news = {0};
    lock_take(&x->hub->lock);
    cancel_locked(x);
    x->s.extended = extended;
    x->s.gone = x->s.eof = x->s.told = x->s.calling = 0;
    x->s.parted = x->peer == NULL;
    if (ready)
        now_ready(x, &news);
    else
        x->s.ready = 0;
    drop_and_tell(x->hub, &news);
}

bool ctc_coupled(struct ctc_side *x)
{
    lock_take(&x->hub->lock);
    bool coupled = x->peer != NULL;
    lock_drop(&x->hub->lock);
    return coupled;
}

/* --- life ----------------------------------------------------------------------------------- */

struct ctc_hub *ctc_hub_create(void)
{
    struct ctc_hub *hub = calloc(1, sizeof *hub);
    if (!hub)
        return NULL;
    lock_init(&hub->lock, LOCK_CTC);
    pthread_cond_init(&hub->unpinned, NULL);
    return hub;
}

void ctc_hub_destroy(struct ctc_hub *hub)
{
    if (!hub)
        return;
    pthread_cond_destroy(&hub->unpinned);
    lock_fini(&hub->lock);
    free(hub);
}

struct ctc_side *ctc_side_create(struct ctc_hub *hub, bool extended,
                                 const struct ctc_side_ops *ops, void *arg)
{
    struct ctc_side *x = calloc(1, sizeof *x);
    if (!x)
        return NULL;
    x->hub = hub;
    x->ops = ops;
    x->arg = arg;
    x->extended_first = extended;
    x->s.extended = extended;
    return x;
}

void ctc_side_destroy(struct ctc_side *x)
{
    if (!x)
        return;
    ctc_uncouple(x);
    lock_take(&x->hub->lock);
    while (x->pins)
        lock_wait(&x->hub->unpinned, &x->hub->lock);
    lock_drop(&x->hub->lock);
    free(x->data);
    free(x->held);
    free(x);
}

/* --- state ---------------------------------------------------------------------------------- */

int ctc_save(struct ctc_side *x, struct ctc_state *out, u8 *block)
{
    lock_take(&x->hub->lock);
    *out = x->s;
    int bytes = x->data ? (int)x->len : -1;
    if (x->data)
        memcpy(block, x->data, x->len);
    lock_drop(&x->hub->lock);
    return bytes;
}

static bool state_valid(const struct ctc_state *s, int bytes)
{
    u8 bits = s->extended | s->ready | s->gone | s->eof | s->told | s->calling | s->program |
              s->parted;
    return s->does <= CTC_WRITE && bits <= 1 && s->taken <= CTC_BLOCK_BYTES_MAX &&
           (s->does || !s->done) && bytes <= (int)CTC_BLOCK_BYTES_MAX &&
           (s->does == CTC_WRITE || bytes < 0);
}

bool ctc_restore(struct ctc_side *x, const struct ctc_state *s, const u8 *block, int bytes)
{
    if (!state_valid(s, bytes))
        return false;
    u8 *data = bytes < 0 ? NULL : malloc(bytes ? (size_t)bytes : 1);
    if (bytes >= 0 && !data)
        return false;
    if (data)
        memcpy(data, block, (size_t)bytes);
    lock_take(&x->hub->lock);
    cancel_locked(x);
    x->s = *s;
    x->data = data;
    x->len = data ? (u32)bytes : 0;
    lock_drop(&x->hub->lock);
    return true;
}
