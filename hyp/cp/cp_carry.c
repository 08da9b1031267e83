/* A user between two members. From when its state is saved until it is known where it goes on, what
 * is typed for it waits here, and what its console is told is counted: it is carried out here when
 * the user stays, and sent behind it when it has gone. So nothing is lost, and nothing done twice.
 * Its terminals are the program's (struct cp_terminal_ops). */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"
#include "hyp/cp/cp_spool.h"
#include "hyp/spool/spool_device.h"

#define TYPED_MAX 256    /* lines that wait */
#define TERMINALS_MAX 32 /* of one user: its console, and displays that were dialed */
#define TERMINAL_BYTES_MAX (64u << 10)

struct typed {
    struct typed *next;
    char text[];
};

/* Located by: cp_user. From cp_user_freeze to the end at the source; at the destination from the
 * first row of its kind to cp_user_arrived. */
struct cp_carry {
    bool frozen; /* the source: its state has been saved */
    u64 next;    /* the first line of the console that came behind that */
    struct typed *typed;
    unsigned typed_count;
    bool connected;
    char from[CONFIG_NAME_BYTES]; /* who looks on is told; "": nobody does */
    unsigned terminals;
    struct carried_terminal {
        u8 *bytes;
        size_t len;
    } terminal[TERMINALS_MAX];
};

void cp_set_terminals(struct cp *cp, const struct cp_terminal_ops *ops, void *ctx)
{
    cp->terminals = ops;
    cp->terminals_ctx = ctx;
}

static struct cp_carry *carry_of(struct cp_user *user)
{
    if (!user->carry)
        user->carry = calloc(1, sizeof *user->carry);
    return user->carry;
}

void cp_carry_end(struct cp_user *user)
{
    struct cp_carry *c = user->carry;
    if (!c)
        return;
    user->carry = NULL;
    for (struct typed *t = c->typed, *next; t; t = next) {
        next = t->next;
        explicit_bzero(t->text, strlen(t->text)); /* it may be a password */
        free(t);
    }
    for (unsigned i = 0; i < c->terminals; i++)
        free(c->terminal[i].bytes);
    free(c);
}

bool cp_user_frozen(const struct cp_user *user)
{
    return user->carry && user->carry->frozen;
}

bool cp_terminal_frozen(const struct cp *cp, const char *userid)
{
    const struct cp_user *user = cp_user_find(cp, userid);
    return user && cp_user_frozen(user);
}

bool cp_member_is_reachable(struct cp *cp, const char *member)
{
    bool local;
    return cp_member_reachable(cp, member, &local);
}

/* ---- what is typed ---- */

int cp_carry_typed(struct cp_user *user, const char *text)
{
    struct cp_carry *c = carry_of(user);
    size_t n = strlen(text);
    if (n > CP_COMMAND_BYTES_MAX || !c || c->typed_count == TYPED_MAX)
        return ST_LIMIT;
    struct typed *t = malloc(sizeof *t + n + 1), **link = &c->typed;
    if (!t)
        return ST_NOMEM;
    t->next = NULL;
    memcpy(t->text, text, n + 1);
    while (*link)
        link = &(*link)->next;
    *link = t;
    c->typed_count++;
    return ST_OK;
}

/* The user may log off by any of it. */
static void type_all(struct cp *cp, const char *userid, struct typed *typed)
{
    for (struct typed *next; typed; typed = next) {
        next = typed->next;
        cp_console_input(cp, userid, typed->text);
        explicit_bzero(typed->text, strlen(typed->text));
        free(typed);
    }
}

static struct typed *take_typed(struct cp_user *user)
{
    struct typed *typed = user->carry ? user->carry->typed : NULL;
    if (typed)
        user->carry->typed = NULL;
    return typed;
}

/* ---- source ---- */

static const struct cp_terminal_ops *terminals(const struct cp_user *user)
{
    return user->cp->terminals;
}

void cp_user_freeze(struct cp_user *user)
{
    struct console_line partial;
    struct cp *cp = user->cp;
    cp_relay(user);
    console_poll(user->console); /* who observes it here has seen all of it */
    cp_spool_console_freeze(user);
    spool_devices_moving(cp_spool(cp), user->userid, true);
    struct cp_carry *c = carry_of(user);
    if (!c)
        return;
    if (terminals(user))
        terminals(user)->freeze(cp->terminals_ctx, user);
    c->frozen = true;
    c->next = console_next_number(user->console);
    if (console_partial(user->console, &partial))
        c->next++; /* goes along as it is; whatever ends it does so there, too */
}

void cp_user_ends_here(struct cp_user *user)
{
    cp_spool_console_thaw(user);
    spool_devices_moving(cp_spool(user->cp), user->userid, false);
}

void cp_user_thaw(struct cp_user *user)
{
    struct cp *cp = user->cp;
    char userid[DIR_NAME_BYTES];
    cp_user_ends_here(user);
    if (!cp_user_frozen(user))
        return;
    struct typed *typed = take_typed(user);
    cp_carry_end(user);
    if (terminals(user))
        terminals(user)->thaw(cp->terminals_ctx, user);
    strcpy(userid, user->userid);
    type_all(cp, userid, typed);
}

/* To the member that has the user now. */
static void send_behind(struct cp_user *user)
{
    struct cp *cp = user->cp;
    struct cp_carry *c = user->carry;
    char member[CONFIG_NAME_BYTES];
    struct console_line line;
    if (!cp_locate(cp, user->userid, member) || !strcmp(member, cp->config->member))
        return;
    while (console_read(user->console, &c->next, &line))
        cp_remote_written(cp, member, user->userid, line.text);
    for (const struct typed *t = c->typed; t; t = t->next)
        cp_remote_typed(cp, member, user->userid, t->text);
}

void cp_carry_depart(struct cp_user *user)
{
    if (!cp_user_frozen(user))
        return;
    if (terminals(user))
        terminals(user)->departed(user->cp->terminals_ctx, user);
    send_behind(user);
}

void cp_carry_save(struct cp_user *user, u16 connected, u16 from, u16 terminal,
                   struct codec_out *out)
{
    const char *member = user->cp->config->member;
    if (!cp_user_frozen(user))
        return;
    codec_put_u8(out, connected, !user->disconnected);
    if (!user->disconnected || console_attached(user->console))
        codec_put_bytes(out, from, member, strlen(member));
    if (terminals(user))
        terminals(user)->save(user->cp->terminals_ctx, user, terminal, out);
}

bool cp_user_terminal_home(const struct cp_user *user, unsigned i,
                           char member[CONFIG_NAME_BYTES])
{
    return terminals(user) && terminals(user)->home(user->cp->terminals_ctx, user, i, member);
}

/* ---- destination ---- */

bool cp_carry_take_connected(struct cp_user *user, const struct codec_row *row)
{
    u8 connected;
    if (!codec_get_u8(row, &connected) || !carry_of(user))
        return false;
    user->carry->connected = connected != 0;
    return true;
}

bool cp_carry_take_from(struct cp_user *user, const struct codec_row *row)
{
    struct cp_carry *c = carry_of(user);
    if (!c || !row->len || row->len >= sizeof c->from)
        return false;
    memcpy(c->from, row->p, row->len);
    c->from[row->len] = 0;
    return cp_userid_ok(c->from);
}

bool cp_carry_take_terminal(struct cp_user *user, const struct codec_row *row)
{
    struct cp_carry *c = carry_of(user);
    if (!c || c->terminals == TERMINALS_MAX || row->len > TERMINAL_BYTES_MAX)
        return false;
    struct carried_terminal *t = &c->terminal[c->terminals];
    *t = (struct carried_terminal){malloc(row->len + 1), row->len};
    if (!t->bytes)
        return false;
    memcpy(t->bytes, row->p, row->len);
    c->terminals++;
    return true;
}

static void tell(struct cp_user *user)
{
    char text[MSG_LINE_BYTES];
    if (!*user->carry->from)
        return;
    msg_format(text, sizeof text, MSG_RLX1939I, user->userid, user->carry->from,
               user->cp->config->member);
    console_write_line(user->console, text);
}

/* The line first: who shows the guest's own screen is not disturbed by it. */
void cp_carry_arrived(struct cp_user *user)
{
    struct cp_carry *c = user->carry;
    struct cp *cp = user->cp;
    if (!c)
        return;
    tell(user);
    if (c->connected) {
        user->disconnected = false;
        user->ldev = ++cp->last_ldev;
    }
    for (unsigned i = 0; i < c->terminals && terminals(user); i++)
        terminals(user)->arrived(cp->terminals_ctx, user, c->terminal[i].bytes,
                                 c->terminal[i].len);
}

void cp_carry_goes_on(struct cp_user *user)
{
    struct cp *cp = user->cp;
    char userid[DIR_NAME_BYTES];
    struct typed *typed = take_typed(user);
    cp_carry_end(user);
    strcpy(userid, user->userid);
    type_all(cp, userid, typed);
}

/* One that has left this member again since: what comes for it is lost, as with the member. */
static struct cp_user *carried(struct cp *cp, const char *userid)
{
    struct cp_user *u = cp->users;
    while (u && strcmp(u->userid, userid))
        u = u->next;
    return u;
}

void cp_carry_take_typed(struct cp *cp, const char *userid, const char *text)
{
    struct cp_user *user = carried(cp, userid);
    if (user && (user->incoming || user->carry))
        cp_carry_typed(user, text);
    else if (user)
        cp_console_input(cp, userid, text);
}

void cp_carry_take_written(struct cp *cp, const char *userid, const char *text)
{
    struct cp_user *user = carried(cp, userid);
    if (user)
        console_write_line(user->console, text);
}
