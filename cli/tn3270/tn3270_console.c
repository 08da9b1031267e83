/* CP's screen on a 3270 terminal: a user's console in the output area, input to CP or the guest,
 * and the status. A full screen waits (MORE...): TERMINAL MORE seconds or Clear let it go on,
 * Enter holds it (HOLDING). The guest is not held up by that; lines wait in its console. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_internal.h"

#define MS_PER_S 1000u

static void show(struct tn_conn *c, enum tn_draw how, const char *input);

/* ---- who is it ---- */

static struct cp_user *user_of(const struct tn_conn *c)
{
    struct cp_user *user = cp_user_find(c->server->member->cp, c->user);
    if (!user || !c->console || cp_user_console(user) != c->console)
        return NULL;
    struct cp_terminal_view view = cp_terminal_view(user);
    return view.connected && view.ldev == c->ldev ? user : NULL;
}

/* "LOGOFF AT ..." or "DISCONNECT AT ..." in a line, which may begin with a CPU; else NULL. */
static const char *last_word(const char *line)
{
    if (line[0] && line[1] && !strncmp(line + 2, ": ", 2))
        line += 4;
    bool is = !strncmp(line, "LOGOFF AT", 9) || !strncmp(line, "DISCONNECT AT", 13);
    return is ? line : NULL;
}

/* Back to the logon screen; the last line says why, when CP wrote it. After LOGOFF and DISCONNECT
 * the terminal hangs up, unless they said HOLD. */
static void leave(struct tn_conn *c, const char *otherwise)
{
    struct console_line line;
    char text[CONSOLE_LINE_BYTES_MAX + 1];
    struct console *console = c->console;
    u64 cursor = console ? console_next_number(console) - 1 : 0;
    snprintf(text, sizeof text, "%s", otherwise);
    if (console && console_read(console, &cursor, &line) && last_word(line.text)) {
        snprintf(text, sizeof text, "%.80s", last_word(line.text));
        c->goodbye = !console_line_held(console); /* once that is sent */
    }
    tn_console_end(c, false);
    tn_logo_show(c, text, false);
}

static void observed(void *ctx, const char *text, size_t len)
{
    struct tn_conn *c = ctx;
    char why[48];
    (void)text;
    c->dirty = true;
    struct cp_user *user = user_of(c);
    c->breakin |= c->full && len && user &&
                  (!cp_terminal_view(user).breakin_guest || cp_user_cp_read(user));
    if (len)
        return;
    c->observer = 0; /* the console goes away; it can still be read */
    snprintf(why, sizeof why, "%s is no longer logged on here", c->user);
    leave(c, why);
}

void tn_disconnect(struct member *m, const char *userid)
{
    cp_terminal_lost(m->cp, userid);
}

void tn_console_end(struct tn_conn *c, bool disconnect)
{
    bool ours = disconnect && user_of(c);
    tn_conn_timer_stop(c);
    tn_display_end(c);
    if (c->console && c->observer)
        console_unobserve(c->console, c->observer);
    c->console = NULL;
    c->observer = 0;
    explicit_bzero(&c->typed, sizeof c->typed);
    if (ours)
        tn_disconnect(c->server->member, c->user);
}

void tn_console_begin(struct tn_conn *c, struct cp_user *user)
{
    c->mode = TN_CONSOLE;
    c->bad_logons = 0;
    c->form = false;
    c->console = cp_user_console(user);
    c->ldev = cp_terminal_view(user).ldev;
    strcpy(c->user, cp_user_id(user));
    c->holding = c->warned = c->not_accepted = c->full = c->breakin = false;
    tn_screen_begin(&c->screen, c->size, c->console, c->size.rows / 2);
    c->observer = console_observe(c->console, console_next_number(c->console), observed, c);
    if (!c->observer) {
        tn_console_end(c, true);
        tn_logo_show(c, "No storage is free for a console; try again later", true);
        return;
    }
    show(c, TN_DRAW_ALL, "");
}

static void more_timer(struct tn_conn *c);

void tn_console_resume(struct tn_conn *c, struct cp_user *user)
{
    c->console = cp_user_console(user);
    c->ldev = cp_terminal_view(user).ldev;
    c->observer = console_observe(c->console, console_next_number(c->console), observed, c);
    if (!c->observer) {
        tn_console_end(c, true);
        tn_logo_show(c, "No storage is free for a console; try again later", true);
    } else if (c->warned) {
        tn_conn_timer(c, (u64)cp_terminal_view(user).more_warn_s * MS_PER_S, more_timer);
    }
}

/* ---- output ---- */

bool tn_console_full(struct tn_conn *c)
{
    struct cp_user *user = user_of(c);
    struct con3270 *con = user ? vm_console_display(cp_user_vm(user)) : NULL;
    return con && con3270_written(con) && !c->breakin && !c->screen.more &&
           !cp_user_cp_read(user);
}

/* CP's screen waits for somebody to have read it. */
static bool waits(const struct tn_conn *c, const struct cp_user *user)
{
    return c->screen.more || (c->breakin && user && !cp_user_cp_read(user));
}

static const char *status(void *ctx, bool more)
{
    struct tn_conn *c = ctx;
    struct cp_user *user = user_of(c);
    if (c->not_accepted)
        return "NOT ACCEPTED";
    if (more || waits(c, user))
        return c->holding ? "HOLDING" : "MORE...";
    if (user && cp_user_cp_read(user))
        return "CP READ";
    return user && vm_console_reading(cp_user_vm(user)) ? "VM READ" : "RUNNING";
}

static void next_page(struct tn_conn *c, enum tn_draw how)
{
    c->holding = c->warned = c->breakin = false;
    tn_conn_timer_stop(c);
    tn_screen_next(&c->screen);
    show(c, how, "");
}

static void more_timer(struct tn_conn *c)
{
    struct cp_user *user = user_of(c);
    struct tn_out out;
    if (!user || c->warned) {
        if (user)
            next_page(c, TN_DRAW_CHANGES);
        return;
    }
    c->warned = true;
    tn_out_begin(&out, c->size, TN_WRITE, TN_ALARM);
    tn_conn_send(c, &out);
    tn_conn_timer(c, (u64)cp_terminal_view(user).more_warn_s * MS_PER_S, more_timer);
}

/* The screen is full: its time runs, unless it is held. */
static void watch_more(struct tn_conn *c)
{
    struct cp_user *user = user_of(c);
    if (!waits(c, user) || c->holding || !user) {
        tn_conn_timer_stop(c);
        c->warned = false;
        c->holding &= waits(c, user);
    } else if (!c->timer && !c->warned) {
        tn_conn_timer(c, (u64)cp_terminal_view(user).more_s * MS_PER_S, more_timer);
    }
}

static void show_display(struct tn_conn *c)
{
    if (!c->full) { /* what CP writes from here on begins a new screen */
        if (!c->screen.drawn)
            c->screen.end = (struct tn_place){console_next_number(c->console), 0};
        tn_screen_next(&c->screen);
        tn_conn_timer_stop(c);
        c->cursor = 0; /* all of the display */
        c->full = true;
    }
    c->dirty = false;
    tn_display_show(c);
}

static void show(struct tn_conn *c, enum tn_draw how, const char *input)
{
    struct tn_out out;
    if (c->away.frozen) {
        c->screen.drawn &= how == TN_DRAW_CHANGES;
        c->dirty = true; /* where it goes on */
        return;
    }
    if (tn_console_full(c)) {
        show_display(c);
        return;
    }
    how = c->full ? TN_DRAW_ALL : how;
    c->full = false;
    if (tn_conn_backlog(c) > TN3270_BACKLOG_BYTES) {
        c->screen.drawn &= how == TN_DRAW_CHANGES;
        c->dirty = true; /* again when that has been sent */
        return;
    }
    c->dirty = false;
    c->status = status(c, false);
    c->screen.key_waits = tn_away_key_waits(c);
    if (tn_screen_draw(&c->screen, c->console, how, status, c, c->server->config.system, input,
                       &out))
        tn_conn_send(c, &out);
    watch_more(c);
}

void tn_console_recheck(struct tn_conn *c)
{
    char why[48];
    if (c->mode != TN_CONSOLE)
        return;
    if (!user_of(c)) {
        snprintf(why, sizeof why, "%s was disconnected from here", c->user);
        leave(c, why);
    } else if (c->dirty || c->full || tn_console_full(c) || status(c, false) != c->status) {
        show(c, TN_DRAW_CHANGES, "");
    }
}

/* ---- input ---- */

static void remember(struct tn_typed *t, const char *text)
{
    t->back = 0;
    if (*text)
        snprintf(t->line[t->count++ % CP_RETRIEVE_LINES_MAX], TN_INPUT_BYTES, "%s", text);
}

/* RETRIEVE: each press one line further, round and round. */
static const char *retrieve(struct tn_typed *t, bool forward)
{
    unsigned held = t->count < CP_RETRIEVE_LINES_MAX ? t->count : CP_RETRIEVE_LINES_MAX;
    if (!held)
        return "";
    t->back = forward ? (t->back > 1 ? t->back - 1 : held) : t->back % held + 1;
    return t->line[(t->count - t->back) % CP_RETRIEVE_LINES_MAX];
}

/* What could not be taken; "": all of it was. */
static const char *type(struct tn_conn *c, const char *text)
{
    const char *left;
    c->not_accepted = cp_terminal_input(c->server->member->cp, c->user, text, &left) != ST_OK;
    c->screen.alarm = c->not_accepted;
    if (c->mode == TN_CONSOLE && !c->closing)
        tn_console_recheck(c);
    return c->not_accepted ? left : "";
}

static void enter(struct tn_conn *c, const struct tn_in *in)
{
    char text[TN_INPUT_BYTES];
    const char *left = "";
    tn_in_text(in, tn_screen_input(c->size), text, sizeof text);
    struct cp_user *user = user_of(c);
    bool waiting = waits(c, user);
    c->holding |= waiting && user && cp_terminal_view(user).hold;
    if (*text || !waiting) {
        remember(&c->typed, text);
        left = type(c, text);
    }
    if (c->mode == TN_CONSOLE && !c->closing)
        show(c, TN_DRAW_INPUT, left);
    explicit_bzero(text, sizeof text);
}

void tn_console_attention(struct tn_conn *c)
{
    struct cp_user *user = user_of(c);
    char text[] = "#CP";
    if (!user)
        return;
    text[0] = cp_terminal_view(user).linend;
    type(c, *text ? text : "");
    if (c->mode == TN_CONSOLE && !c->closing)
        show(c, TN_DRAW_INPUT, "");
}

static void function_key(struct tn_conn *c, const struct cp_user *user, unsigned key)
{
    struct cp_pf pf = *cp_terminal_pf(user, key); /* what it types may change it */
    const char *left = "";
    char text[32];
    switch (pf.kind) {
    case CP_PF_UNDEFINED:
        snprintf(text, sizeof text, "PF%02u UNDEFINED", key);
        show(c, TN_DRAW_INPUT, text);
        return;
    case CP_PF_DELAYED: show(c, TN_DRAW_INPUT, pf.text); return;
    case CP_PF_RETRIEVE:
    case CP_PF_FORWARD:
        show(c, TN_DRAW_INPUT, retrieve(&c->typed, pf.kind == CP_PF_FORWARD));
        return;
    case CP_PF_IMMED: left = type(c, pf.text); break;
    }
    if (c->mode == TN_CONSOLE && !c->closing)
        show(c, TN_DRAW_INPUT, left);
}

bool tn_console_break_key(struct tn_conn *c, u8 aid)
{
    struct cp_user *user = user_of(c);
    int key = user ? cp_terminal_view(user).break_pf : 0;
    return key > 0 ? tn_aid_pf(aid) == (unsigned)key : !key && aid == TN_AID_PA1;
}

void tn_console_key(struct tn_conn *c, const struct tn_in *in)
{
    unsigned pf = tn_aid_pf(in->aid);
    struct cp_user *user = user_of(c);
    c->not_accepted = false;
    if (!user)
        tn_console_recheck(c);
    else if (c->full && tn_console_break_key(c, in->aid))
        tn_console_attention(c);
    else if (pf)
        function_key(c, user, pf);
    else if (in->aid == TN_AID_CLEAR)
        next_page(c, TN_DRAW_ALL);
    else if (in->aid == TN_AID_PA2)
        next_page(c, TN_DRAW_INPUT);
    else if (in->aid == TN_AID_PA1)
        tn_console_attention(c);
    else
        enter(c, in);
}
