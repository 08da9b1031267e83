/* The time bomb of a virtual machine (DIAGNOSE X'288'): commands that are issued as the user's when
 * the time is over. It ends with a reset, and goes along with a relocation. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define AGAIN_MS 100
#define HEAD_BYTES 9 /* of a row: when it is due, conceal */

struct concealed {
    struct cp_response resp;
};

static void concealed_done(struct cp_response *resp, void *ctx)
{
    cp_response_fini(resp);
    free(ctx);
}

/* Nobody sees what it answers. */
static void issue_concealed(struct cp_user *user, const char *command)
{
    struct concealed *c = malloc(sizeof *c);
    if (!c)
        return;
    cp_response_init(&c->resp);
    c->resp.done_cb = concealed_done;
    c->resp.done_ctx = c;
    cp_command_as(user->cp, user->userid, user->classes, command, &c->resp);
}

/* It is on its way to or from another member: one of them will have it. */
static bool in_transit(struct cp_user *user)
{
    struct vm_info info = {0};
    user->cp->ports.vm->info(user->vm, &info);
    return user->incoming || info.quiesced;
}

/* The user may be gone after any of the commands. */
static void fire(void *arg)
{
    struct cp_user *user = arg;
    struct cp *cp = user->cp;
    if (in_transit(user)) {
        user->timebomb.timer = cp->ports.timer_start(cp->ports.ctx, AGAIN_MS, fire, user);
        return;
    }
    struct cp_timebomb bomb = user->timebomb;
    char userid[DIR_NAME_BYTES];
    strcpy(userid, user->userid);
    user->timebomb = (struct cp_timebomb){0};
    for (char *next, *at = bomb.command; at && cp_user_find(cp, userid) == user; at = next) {
        next = strchr(at, '\n');
        if (next)
            *next++ = 0;
        if (bomb.conceal)
            issue_concealed(user, at);
        else
            cp_console_command(cp, userid, at);
    }
}

static void start(struct cp_user *user, u64 due_ns)
{
    const struct cp_ports *p = &user->cp->ports;
    u64 now = cp_now(user->cp);
    user->timebomb.due_ns = due_ns;
    user->timebomb.timer =
        p->timer_start(p->ctx, due_ns > now ? (due_ns - now) / NS_PER_MS : 0, fire, user);
}

static void stop(struct cp_user *user)
{
    const struct cp_ports *p = &user->cp->ports;
    if (user->timebomb.timer)
        p->timer_cancel(p->ctx, user->timebomb.timer);
    user->timebomb.timer = 0;
}

void cp_timebomb_end(struct cp_user *user)
{
    stop(user);
    user->timebomb = (struct cp_timebomb){0};
}

bool cp_timebomb(struct cp *cp, const char *userid, u32 seconds, const char *command,
                 bool conceal)
{
    struct cp_user *user = cp_user_find(cp, userid);
    if (!user || (!command && seconds && !user->timebomb.timer))
        return false;
    if (!seconds) {
        cp_timebomb_end(user);
        return true;
    }
    stop(user);
    if (command) {
        snprintf(user->timebomb.command, sizeof user->timebomb.command, "%s", command);
        user->timebomb.conceal = conceal;
    }
    start(user, cp_now(cp) + seconds * NS_PER_S);
    return true;
}

void cp_timebomb_save(const struct cp_user *user, u16 tag, struct codec_out *out)
{
    u8 row[HEAD_BYTES + VM_TIMEBOMB_BYTES_MAX];
    size_t len = strlen(user->timebomb.command);
    if (!user->timebomb.timer)
        return;
    be64_store(row, user->timebomb.due_ns);
    row[8] = user->timebomb.conceal;
    memcpy(row + HEAD_BYTES, user->timebomb.command, len);
    codec_put_bytes(out, tag, row, HEAD_BYTES + len);
}

bool cp_timebomb_take(struct cp_user *user, const struct codec_row *row)
{
    if (row->len <= HEAD_BYTES || row->len > HEAD_BYTES + VM_TIMEBOMB_BYTES_MAX)
        return false;
    stop(user);
    size_t len = row->len - HEAD_BYTES;
    memcpy(user->timebomb.command, row->p + HEAD_BYTES, len);
    user->timebomb.command[len] = 0;
    user->timebomb.conceal = row->p[8] != 0;
    start(user, be64_load(row->p));
    return true;
}
