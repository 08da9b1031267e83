/* Both ends of terminals whose user is on another member, and service TERMINAL: see
 * tn3270_away.h. What comes from other members is checked as if it were hostile. */
#include "cli/tn3270/tn3270_away.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/tn3270/tn3270_away_state.h"
#include "cli/tn3270/tn3270_internal.h"
#include "hyp/cp_move.h"

#define HEAD_BYTES 24 /* id, epoch, seq */

enum away_type {
    AWAY_HERE = 1,     /* to home. seq: keys done; behind it screens (8), userid */
    AWAY_ATTACHED = 2, /* to the user's end. seq: screens that came; behind it the last key that
                          is kept (8; members before that do not say) */
    AWAY_KEY = 3,      /* a record. seq: its number */
    AWAY_ATTENTION = 4,
    AWAY_DONE = 5,   /* to home. seq: keys done */
    AWAY_SCREEN = 6, /* a record. seq: its number */
    AWAY_TAKEN = 7,  /* to the user's end. seq: bytes of screens */
    AWAY_LEAVE = 8,  /* to home. seq: LEAVE_ bits; behind it what the logon screen says */
    AWAY_GONE = 9,   /* either way: this end is no more */
};
enum { LEAVE_GOODBYE = 1, LEAVE_ALARM = 2 };

struct tn_key {
    struct tn_key *next;
    u64 number;
    bool attention;
    size_t len;
    u8 record[];
};

struct away_head {
    u64 id, epoch, seq;
};

/* A message that its link could not take. */
struct tn_unsent {
    struct tn_unsent *next;
    char member[CONFIG_NAME_BYTES];
    enum away_type type;
    size_t len;
    u8 bytes[];
};

/* ---- messages ---- */

static void unsent_free(struct tn3270 *s, struct tn_unsent *u)
{
    s->unsent_bytes -= u->len;
    explicit_bzero(u->bytes, u->len); /* a password may have been typed */
    free(u);
}

/* The place of the first message that waits for the member; its end: of none. NULL: any member. */
static struct tn_unsent **unsent_find(struct tn3270 *s, const char *member)
{
    struct tn_unsent **link = &s->unsent;
    while (*link && member && strcmp((*link)->member, member))
        link = &(*link)->next;
    return link;
}

static struct tn_unsent *unsent_take(struct tn3270 *s, const char *member)
{
    struct tn_unsent **link = unsent_find(s, member), *u = *link;
    if (u)
        *link = u->next;
    return u;
}

/* The member is lost, or (NULL) everything ends. */
static void unsent_drop(struct tn3270 *s, const char *member)
{
    struct tn_unsent *u;
    while ((u = unsent_take(s, member)) != NULL)
        unsent_free(s, u);
}

static bool unsent_keep(struct tn3270 *s, const char *member, enum away_type type,
                        const struct ssi_iov iov[2])
{
    bool last = type == AWAY_GONE || type == AWAY_LEAVE; /* nothing else would tell it */
    size_t len = iov[0].len + iov[1].len;
    size_t max = TN_AWAY_UNSENT_BYTES_MAX + (last ? TN_AWAY_UNSENT_LAST_BYTES : 0);
    struct tn_unsent **link = &s->unsent;
    struct tn_unsent *u = s->unsent_bytes + len <= max ? malloc(sizeof *u + len) : NULL;
    if (!u)
        return false;
    *u = (struct tn_unsent){.type = type, .len = len};
    snprintf(u->member, sizeof u->member, "%s", member);
    memcpy(u->bytes, iov[0].p, iov[0].len);
    if (iov[1].len)
        memcpy(u->bytes + iov[0].len, iov[1].p, iov[1].len);
    while (*link)
        link = &(*link)->next;
    *link = u;
    s->unsent_bytes += len;
    return true;
}

/* The link of `member` takes something again. */
static void writable(void *ctx, const char *member)
{
    struct member *m = ctx;
    struct tn3270 *s = m->tn3270;
    struct tn_unsent *u;
    int rc = ST_OK;
    while (s && s->ssi && rc == ST_OK && (u = unsent_take(s, member)) != NULL) {
        rc = ssi_send(s->ssi, member, TN_AWAY_SERVICE, (u16)u->type, u->bytes, u->len);
        if (rc == ST_BUSY) { /* in its place; it comes again */
            struct tn_unsent **link = unsent_find(s, member);
            u->next = *link;
            *link = u;
        } else {
            unsent_free(s, u);
        }
    }
}

/* False: there is no link, or more waits for it than is kept. */
static bool post_to(struct tn3270 *s, const char *member, enum away_type type,
                    const struct away_head *head, const void *data, size_t len)
{
    u8 bytes[HEAD_BYTES];
    const struct ssi_iov iov[] = {{bytes, sizeof bytes}, {data, len}};
    int rc = ST_BUSY;
    be64_store(bytes, head->id);
    be64_store(bytes + 8, head->epoch);
    be64_store(bytes + 16, head->seq);
    if (!s->ssi)
        return false;
    if (!*unsent_find(s, member)) /* else behind those */
        rc = ssi_send_vec(s->ssi, member, TN_AWAY_SERVICE, (u16)type, iov, len ? 2 : 1);
    return rc == ST_BUSY ? unsent_keep(s, member, type, iov) : rc == ST_OK;
}

static bool post_peer(struct tn_conn *c, enum away_type type, u64 seq, const void *data,
                      size_t len)
{
    const struct away_head head = {c->away.id, c->away.epoch, seq};
    return *c->away.peer && post_to(c->server, c->away.peer, type, &head, data, len);
}

static void close_silently(struct tn_conn *c)
{
    c->away.peer[0] = 0;
    tn_conn_close(c);
}

/* ---- keys at home ---- */

static void keys_done(struct tn_conn *c, u64 done)
{
    while (c->away.keys && c->away.keys->number <= done) {
        struct tn_key *k = c->away.keys;
        c->away.keys = k->next;
        c->away.key_count--;
        explicit_bzero(k->record, k->len); /* a password may have been typed */
        free(k);
    }
    c->away.done = done > c->away.done ? done : c->away.done;
}

/* Without a peer yet it waits for one. False: the peer is out of reach. */
static bool key_send(struct tn_conn *c, const struct tn_key *k)
{
    enum away_type type = k->attention ? AWAY_ATTENTION : AWAY_KEY;
    return !*c->away.peer || post_peer(c, type, k->number, k->record, k->len);
}

static void lost_at(struct tn_conn *c, const char *member);

/* What the keys wait for cannot come: the terminal is told so, and its keyboard unlocked. */
static void out_of_reach(struct tn_conn *c)
{
    char member[sizeof c->away.peer];
    memcpy(member, c->away.peer, sizeof member);
    lost_at(c, member);
}

static bool key_keep(struct tn_conn *c, const u8 *record, size_t len)
{
    struct tn_key **link = &c->away.keys;
    struct tn_key *k = c->away.key_count < TN_AWAY_KEYS_MAX ? malloc(sizeof *k + len) : NULL;
    if (!k)
        return false;
    *k = (struct tn_key){.number = ++c->away.typed, .attention = !record, .len = len};
    if (len)
        memcpy(k->record, record, len);
    while (*link)
        link = &(*link)->next;
    *link = k;
    c->away.key_count++;
    if (c->mode == TN_AWAY && !key_send(c, k))
        out_of_reach(c);
    return true;
}

bool tn_away_key(struct tn_conn *c, const u8 *record, size_t len)
{
    if (c->away.standin || (c->mode != TN_AWAY && !c->away.frozen))
        return false;
    if (!key_keep(c, record, record ? len : 0))
        tn_conn_close(c); /* who types on and on while nobody hears it */
    return true;
}

/* ATTN locks no keyboard. */
static u64 last_kept(const struct tn_conn *c)
{
    u64 last = 0;
    for (const struct tn_key *k = c->away.keys; k; k = k->next)
        last = k->attention ? last : k->number;
    return last;
}

bool tn_away_key_waits(const struct tn_conn *c)
{
    return c->away.standin ? c->away.done < c->away.awaited : last_kept(c) != 0;
}

/* The user is, or stays, here: what has waited is carried out. */
static void keys_replay(struct tn_conn *c)
{
    while (c->away.keys && !c->closing && !c->away.frozen && c->mode != TN_AWAY) {
        struct tn_key *k = c->away.keys;
        c->away.keys = k->next;
        c->away.key_count--;
        c->away.done = k->number;
        tn_conn_key(c, k->attention ? NULL : k->record, k->len);
        explicit_bzero(k->record, k->len);
        free(k);
    }
}

void tn_away_forget(struct tn_conn *c)
{
    keys_done(c, UINT64_MAX);
    c->away = (struct tn_away){.id = c->away.id, .epoch = c->away.epoch};
}

void tn_away_end(struct tn_conn *c)
{
    if (c->away.standin || c->mode == TN_AWAY)
        post_peer(c, AWAY_GONE, 0, NULL, 0);
    if (!c->away.standin)
        tn_away_forget(c);
}

/* ---- screens of a stand-in ---- */

void tn_away_send(struct tn_conn *c, const u8 *record, size_t len)
{
    c->away.out++;
    if (!c->away.standin)
        return;
    c->away.given += len;
    if (!post_peer(c, AWAY_SCREEN, c->away.out, record, len))
        tn_conn_close(c); /* the link is lost, or takes nothing for long */
}

void tn_away_sent(struct tn_conn *c)
{
    if (c->mode == TN_AWAY && *c->away.peer && c->away.taken != c->away.given) {
        c->away.taken = c->away.given;
        if (!post_peer(c, AWAY_TAKEN, c->away.taken, NULL, 0))
            out_of_reach(c); /* it would draw nothing any more */
    }
}

void tn_away_leave(struct tn_conn *c, const char *text, bool alarm)
{
    u64 how = (c->goodbye ? LEAVE_GOODBYE : 0) | (alarm ? LEAVE_ALARM : 0);
    post_peer(c, AWAY_LEAVE, how, text, strlen(text));
    close_silently(c);
}

/* ---- CP's requests: the user goes, stays, has gone, has come ---- */

static bool is_of(const struct tn_conn *c, const char *userid)
{
    bool shows = c->mode == TN_CONSOLE || (c->mode == TN_DISPLAY && c->dialed);
    return shows && !c->closing && !strcmp(c->user, userid);
}

static void freeze(void *ctx, struct cp_user *user)
{
    struct tn3270 *s = ctx;
    for (struct tn_conn *c = s->conns; c; c = c->next) {
        if (!is_of(c, cp_user_id(user)) || c->away.frozen)
            continue;
        tn_conn_recheck(c);
        c->away.frozen = is_of(c, cp_user_id(user));
        if (c->away.frozen)
            tn_conn_timer_stop(c);
    }
}

/* `again`: it was there before. Home answers ATTACHED. */
static void ask_home(struct tn_conn *c)
{
    u8 bytes[8 + DIR_NAME_BYTES - 1] = {0};
    be64_store(bytes, c->away.out);
    memcpy(bytes + 8, c->user, strlen(c->user));
    c->away.frozen = true;
    if (!post_peer(c, AWAY_HERE, c->away.done, bytes, sizeof bytes))
        tn_conn_close(c);
}

static void thaw(void *ctx, struct cp_user *user)
{
    struct tn3270 *s = ctx;
    for (struct tn_conn *c = s->conns; c; c = c->next) {
        if (!is_of(c, cp_user_id(user)) || !c->away.frozen)
            continue;
        if (c->away.standin) {
            ask_home(c);
            continue;
        }
        c->away.frozen = false;
        keys_replay(c);
        tn_conn_recheck(c);
    }
}

static void save(void *ctx, struct cp_user *user, u16 tag, struct codec_out *out)
{
    struct tn3270 *s = ctx;
    for (struct tn_conn *c = s->conns; c; c = c->next)
        if (is_of(c, cp_user_id(user)) && c->away.frozen)
            tn_away_save(c, tag, out);
}

static void waited(struct tn_conn *c)
{
    char text[64];
    snprintf(text, sizeof text, "%s is not heard of any more", c->user);
    tn_logo_show(c, text, true);
}

/* Home: the user's end is another member's now. */
static void let_go(struct tn_conn *c)
{
    tn_console_end(c, false);
    c->mode = TN_AWAY;
    c->away.frozen = false;
    c->away.given = c->away.taken = 0;
    c->dirty = false;
    tn_conn_timer(c, TN_AWAY_WAIT_MS, waited);
}

static void departed(void *ctx, struct cp_user *user)
{
    struct tn3270 *s = ctx;
    for (struct tn_conn *c = s->conns; c; c = c->next) {
        if (!is_of(c, cp_user_id(user)) || !c->away.frozen)
            continue;
        if (c->away.standin) {
            c->away.peer[0] = 0;
            tn_console_end(c, false);
            tn_conn_close(c);
        } else {
            let_go(c);
        }
    }
}

static struct tn_conn *of_id(struct tn3270 *s, const char *home, u64 id)
{
    for (struct tn_conn *c = s->conns; c; c = c->next)
        if (!c->closing && c->away.id == id && c->away.standin == (home != NULL) &&
            (!home || !strcmp(c->away.peer, home)))
            return c;
    return NULL;
}

/* Whose terminal waits for it: gone, or about to (its member does not know yet). */
static bool expects(const struct tn_conn *c, const char *userid)
{
    return c && !strcmp(c->user, userid) && (c->mode == TN_AWAY || c->away.frozen);
}

static void arrived(void *ctx, struct cp_user *user, const u8 *row, size_t len)
{
    struct tn3270 *s = ctx;
    struct tn_away_state state;
    if (!tn_away_decode(row, len, &state)) {
        tn_disconnect(s->member, cp_user_id(user));
        return;
    }
    bool back = !strcmp(state.home, s->config.system);
    struct tn_conn *c = back ? of_id(s, NULL, state.id) : tn_conn_standin(s);
    if (!c || (back && !expects(c, cp_user_id(user)))) {
        if (!state.dialed)
            tn_disconnect(s->member, cp_user_id(user)); /* it has hung up meanwhile */
        tn_away_fini(&state);
        return;
    }
    tn_conn_timer_stop(c);
    bool all = back && c->away.out != state.out;
    c->away = (struct tn_away){.standin = !back,
                               .id = state.id,
                               .epoch = cp_user_claim(user),
                               .typed = back ? c->away.typed : state.done,
                               .done = c->away.done,
                               .out = back ? c->away.out : state.out,
                               .keys = c->away.keys,
                               .key_count = c->away.key_count};
    keys_done(c, state.done);
    if (!back)
        snprintf(c->away.peer, sizeof c->away.peer, "%s", state.home);
    tn_away_restore(c, user, &state, all);
    tn_away_fini(&state);
    if (!back)
        ask_home(c);
    else
        keys_replay(c);
    if (back && !c->closing)
        tn_conn_recheck(c);
}

static bool home(void *ctx, const struct cp_user *user, unsigned i,
                 char member[CONFIG_NAME_BYTES])
{
    struct tn3270 *s = ctx;
    for (struct tn_conn *c = s->conns; c; c = c->next)
        if (is_of(c, cp_user_id(user)) && !i--) {
            snprintf(member, CONFIG_NAME_BYTES, "%s",
                     c->away.standin ? c->away.peer : s->config.system);
            return true;
        }
    return false;
}

static const struct cp_terminal_ops terminal_ops = {.freeze = freeze,
                                                    .thaw = thaw,
                                                    .save = save,
                                                    .departed = departed,
                                                    .arrived = arrived,
                                                    .home = home};

/* ---- what home is told ---- */

static void refuse(struct tn3270 *s, const char *from, const struct away_head *h)
{
    post_to(s, from, AWAY_GONE, h, NULL, 0);
}

static void take_here(struct tn3270 *s, const char *from, const struct away_head *h,
                      const u8 *data, size_t len)
{
    char userid[DIR_NAME_BYTES] = "";
    u8 kept[8];
    struct tn_conn *c = of_id(s, NULL, h->id);
    if (len != 8 + DIR_NAME_BYTES - 1)
        return;
    memcpy(userid, data + 8, DIR_NAME_BYTES - 1);
    if (!expects(c, userid) || h->epoch < c->away.epoch) {
        refuse(s, from, h);
        return;
    }
    if (c->mode != TN_AWAY)
        let_go(c);
    tn_conn_timer_stop(c);
    snprintf(c->away.peer, sizeof c->away.peer, "%s", from);
    c->away.epoch = h->epoch;
    c->away.given = c->away.taken = 0;
    keys_done(c, h->seq);
    be64_store(kept, last_kept(c));
    bool sent = post_peer(c, AWAY_ATTACHED, c->away.out, kept, sizeof kept);
    for (const struct tn_key *k = c->away.keys; k && sent; k = k->next)
        sent = key_send(c, k);
    if (!sent)
        out_of_reach(c);
}

/* A message of the user's end that counts; NULL: of one that the user has left. */
static struct tn_conn *heard(struct tn3270 *s, const char *from, const struct away_head *h)
{
    struct tn_conn *c = of_id(s, NULL, h->id);
    bool good =
        c && c->mode == TN_AWAY && c->away.epoch == h->epoch && !strcmp(c->away.peer, from);
    return good ? c : NULL;
}

static void take_screen(struct tn_conn *c, u64 number, const u8 *record, size_t len)
{
    if (number != c->away.out + 1)
        return;
    c->away.given += len;
    tn_conn_send_record(c, record, len); /* counts it */
}

static void take_leave(struct tn_conn *c, u64 how, const u8 *data, size_t len)
{
    char text[160];
    snprintf(text, sizeof text, "%.*s", (int)(len < sizeof text ? len : sizeof text - 1), data);
    for (char *p = text; *p; p++)
        if ((u8)*p < 0x20)
            *p = ' ';
    c->goodbye |= how & LEAVE_GOODBYE;
    tn_logo_show(c, text, how & LEAVE_ALARM);
}

static void at_home(struct tn_conn *c, u16 type, const struct away_head *h, const u8 *data,
                    size_t len)
{
    if (type == AWAY_DONE)
        keys_done(c, h->seq < c->away.typed ? h->seq : c->away.typed);
    else if (type == AWAY_SCREEN)
        take_screen(c, h->seq, data, len);
    else if (type == AWAY_LEAVE)
        take_leave(c, h->seq, data, len);
    else if (type == AWAY_GONE)
        waited(c);
}

/* ---- what a stand-in is told ---- */

static void take_attached(struct tn_conn *c, u64 out, const u8 *data, size_t len)
{
    bool all = out != c->away.out;
    c->away.out = out;
    c->away.awaited = len >= 8 ? be64_load(data) : 0;
    c->away.given = c->away.taken = 0;
    c->away.frozen = false;
    if (all)
        tn_away_redraw(c);
    tn_conn_recheck(c);
}

static void take_key(struct tn_conn *c, u64 number, const u8 *record, size_t len)
{
    if (c->away.frozen || number != c->away.done + 1)
        return; /* [F1]: it comes again */
    c->away.done = number;
    tn_conn_key(c, record, len);
    if (!c->closing)
        post_peer(c, AWAY_DONE, number, NULL, 0);
}

static void at_standin(struct tn_conn *c, u16 type, const struct away_head *h, const u8 *data,
                       size_t len)
{
    bool between = cp_terminal_frozen(c->server->member->cp, c->user);
    if (type == AWAY_GONE) {
        tn_console_end(c, true);
        close_silently(c);
    } else if (type == AWAY_ATTACHED && c->away.frozen && !between) {
        take_attached(c, h->seq, data, len);
    } else if (type == AWAY_KEY || type == AWAY_ATTENTION) {
        take_key(c, h->seq, type == AWAY_KEY ? data : NULL, len);
    } else if (type == AWAY_TAKEN && h->seq <= c->away.given) {
        c->away.taken = h->seq;
        if (c->dirty && !c->away.frozen)
            tn_conn_recheck(c);
    }
}

/* ---- service TERMINAL ---- */

static void receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    struct member *m = ctx;
    struct tn3270 *s = m->tn3270;
    const u8 *p = data;
    if (!s || s->closing || len < HEAD_BYTES)
        return;
    const struct away_head h = {be64_load(p), be64_load(p + 8), be64_load(p + 16)};
    struct tn_conn *standin = of_id(s, from, h.id), *c = heard(s, from, &h);
    p += HEAD_BYTES;
    len -= HEAD_BYTES;
    if (type == AWAY_HERE)
        take_here(s, from, &h, p, len);
    else if (c)
        at_home(c, type, &h, p, len);
    else if (standin && standin->away.epoch == h.epoch)
        at_standin(standin, type, &h, p, len);
}

/* The user's end was there, or may have been. Is it somewhere else by now? */
static void lost_at(struct tn_conn *c, const char *member)
{
    char where[CONFIG_NAME_BYTES], text[64];
    struct cp *cp = c->server->member->cp;
    if (*c->away.peer && strcmp(c->away.peer, member))
        return;
    if (cp && cp_locate(cp, c->user, where) && strcmp(where, member) &&
        strcmp(where, c->server->config.system)) {
        c->away.peer[0] = 0;
        tn_conn_timer(c, TN_AWAY_WAIT_MS, waited);
        return;
    }
    snprintf(text, sizeof text, "%s was on %s, which cannot be reached", c->user, member);
    tn_logo_show(c, text, true);
}

static void lost_member(void *ctx, const char *member, enum ssi_left how)
{
    struct member *m = ctx;
    (void)how;
    if (m->tn3270)
        unsent_drop(m->tn3270, member);
    for (struct tn_conn *c = m->tn3270 ? m->tn3270->conns : NULL; c; c = c->next) {
        if (c->closing)
            continue;
        if (c->away.standin && !strcmp(c->away.peer, member)) {
            tn_console_end(c, true); /* the user is disconnected, and goes on */
            close_silently(c);
        } else if (c->mode == TN_AWAY) {
            lost_at(c, member);
        }
    }
}

static const struct ssi_service service = {.id = TN_AWAY_SERVICE,
                                           .name = "TERMINAL",
                                           .receive = receive,
                                           .member_left = lost_member,
                                           .writable = writable};

int tn3270_away_open(struct tn3270 *s, struct ssi *ssi, struct cause *cause)
{
    cp_set_terminals(s->member->cp, &terminal_ops, s);
    s->ssi = ssi;
    int rc = ssi ? ssi_register_service(ssi, &service, s->member) : ST_OK;
    return rc ? cause_set(cause, rc, "service TERMINAL: %s", status_name(rc)) : ST_OK;
}

void tn_away_close(struct tn3270 *s)
{
    if (s->member && s->member->cp)
        cp_set_terminals(s->member->cp, NULL, NULL);
    unsent_drop(s, NULL);
    s->ssi = NULL;
}
