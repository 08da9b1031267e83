/* Sessions: a logged-on user with console and virtual machine; also their move to another
 * member. Single logon is decided before (cp_logon.c) or by relocation (claims). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_domain.h"
#include "hyp/cp/cp_net.h"
#include "hyp/cp/cp_spool.h"
#include "mem/base/log.h"

static struct cp_user *find_any(const struct cp *cp, const char *userid)
{
    struct cp_user *u = cp->users;
    while (u && strcasecmp(u->userid, userid))
        u = u->next;
    return u;
}

struct cp_user *cp_user_find(const struct cp *cp, const char *userid)
{
    struct cp_user *u = find_any(cp, userid);
    return u && !u->incoming ? u : NULL;
}

struct cp_user *cp_user_next(const struct cp *cp, const struct cp_user *after)
{
    struct cp_user *u = after ? after->next : cp->users;
    while (u && u->incoming)
        u = u->next;
    return u;
}

const char *cp_user_id(const struct cp_user *user)
{
    return user->userid;
}

const struct dir_entry *cp_user_entry(const struct cp_user *user)
{
    return user->entry;
}

struct console *cp_user_console(const struct cp_user *user)
{
    return user->console;
}

struct vm *cp_user_vm(const struct cp_user *user)
{
    return user->vm;
}

bool cp_user_disconnected(const struct cp_user *user)
{
    return user->disconnected;
}

u64 cp_user_logon_ns(const struct cp_user *user)
{
    return user->logon_ns;
}

bool cp_user_cp_read(const struct cp_user *user)
{
    return user->cp_read;
}

bool cp_user_leaving(const struct cp_user *user)
{
    return user->ending || user->signal_timer || user->cp->shutting_down;
}

bool cp_shutting_down(const struct cp *cp)
{
    return cp->shutting_down;
}

bool cp_user_relocatable(const struct cp_user *user)
{
    return user->relocate;
}

const char *cp_user_domain(const struct cp_user *user)
{
    return user->domain;
}

void cp_user_set_relocation(struct cp_user *user, bool relocate, const char *domain)
{
    user->relocate = relocate;
    if (domain)
        snprintf(user->domain, sizeof user->domain, "%s", domain);
}

u64 cp_user_claim(const struct cp_user *user)
{
    return user->claim;
}

void cp_user_set_claim(struct cp_user *user, u64 generation)
{
    user->claim = generation;
    user->incoming = false;
    spool_devices_arrived(cp_spool(user->cp), user->userid);
    cp_lost_goes_on(user);
    cp_carry_arrived(user);
}

void cp_user_take_files(struct cp_user *user)
{
    spool_deliver(cp_spool(user->cp), user->userid);
    cp_spool_console_resume(user);
    cp_carry_goes_on(user);
}

int cp_observe_users(struct cp *cp,
                     void (*cb)(void *ctx, struct cp_user *user, enum cp_user_event event),
                     void *ctx)
{
    if (cp->observer_count == CP_OBSERVERS_MAX)
        return ST_LIMIT;
    cp->observers[cp->observer_count].cb = cb;
    cp->observers[cp->observer_count++].ctx = ctx;
    return ST_OK;
}

void cp_notify_observers(struct cp_user *user, enum cp_user_event event)
{
    struct cp *cp = user->cp;
    if (event == CP_USER_RESET)
        cp_timebomb_end(user);
    for (unsigned i = 0; i < cp->observer_count; i++)
        cp->observers[i].cb(cp->observers[i].ctx, user, event);
    if (event == CP_USER_RESET)
        return;
    struct event what = {.id = event == CP_USER_LOGON ? EVENT_LOGON : EVENT_LOGOFF};
    snprintf(what.user, sizeof what.user, "%s", user->userid);
    events_post(cp->events, &what);
}

static void append(struct cp *cp, struct cp_user *user)
{
    struct cp_user **link = &cp->users;
    while (*link)
        link = &(*link)->next;
    *link = user;
    cp->user_count++;
}

/* TERMINAL options at logon; CHARACTER_DEFAULTS and USER may name the line-editing characters. */
static struct cp_terminal terminal_of(const struct cp *cp, const struct dir_entry *entry)
{
    const char *edit = cp->config->features.edit;
    struct cp_terminal t = {.more_s = 50,
                            .more_warn_s = 10,
                            .hold = true,
                            .linend = edit[CONFIG_LINE_END],
                            .linedel = edit[CONFIG_LINE_DELETE],
                            .chardel = edit[CONFIG_CHAR_DELETE],
                            .escape = edit[CONFIG_ESCAPE],
                            .tabchar = edit[CONFIG_TAB]};
    char *const place[DIR_EDIT_CHARACTERS] = {&t.linend, &t.linedel, &t.chardel, &t.escape};
    for (unsigned i = 0; i < DIR_EDIT_CHARACTERS; i++)
        if (entry->edit[i] != DIR_EDIT_DEFAULT)
            *place[i] = entry->edit[i];
    return t;
}

int cp_session_begin(struct cp *cp, const struct dir_entry *entry, struct cp_user **out,
                     struct cause *cause)
{
    const struct console_ports ports = {
        .ctx = cp->ports.ctx, .wall_ns = cp->ports.wall_ns, .wakeup = cp->ports.console_wakeup};
    if (cp->user_count == CP_USERS_MAX)
        return cause_set(cause, ST_LIMIT, "too many users");
    struct cp_user *user = calloc(1, sizeof *user);
    if (!user || !(user->console = console_create(&ports))) {
        free(user);
        return cause_set(cause, ST_NOMEM, "out of memory");
    }
    user->cp = cp;
    strcpy(user->userid, entry->userid);
    user->entry = entry;
    user->classes = entry->classes;
    user->settings = CP_SET_DEFAULT | cp_dateformat_at_logon(entry) |
                     (entry->options & DIR_OPT_CONCEAL ? CP_SET_CONCEAL : 0);
    user->terminal = terminal_of(cp, entry);
    cp_pf_default(user);
    strcpy(user->secuser, entry->console_secuser);
    strcpy(user->observer, entry->console_observer);
    user->relocate = entry->relocate;
    user->share = entry->share;
    user->quickdsp = entry->options & DIR_OPT_QUICKDSP;
    if (entry->loaddev)
        user->loaddev = *entry->loaddev;
    strcpy(user->domain, entry->domain[0]              ? entry->domain
                         : entry->kind == DIR_IDENTITY ? cp->config->member
                                                       : "SSI");
    user->cp_read = true;
    user->logon_ns = cp_now(cp);
    int status =
        cp->ports.vm->create(cp->ports.vm_host, entry, user->console, &user->vm, cause);
    if (status) {
        console_destroy(user->console);
        free(user);
        return status;
    }
    cp_user_fence(user);
    if (entry->has_console)
        spool_device_create(cp_spool(cp), user->userid, SPOOL_DEV_CONS, entry->console_vdev,
                            entry->console_class[0] ? entry->console_class[0] : 'T');
    append(cp, user);
    cp_terminal_apply(user);
    *out = user;
    return ST_OK;
}

void cp_session_end(struct cp_user *user, bool release_claim)
{
    struct cp *cp = user->cp;
    struct cp_user **link = &cp->users;
    user->ending = true;
    cp_held_drop(cp, user->userid);
    if (release_claim) /* a relocation sees this before the machine goes */
        cp_notify_observers(user, CP_USER_LOGOFF);
    while (*link != user)
        link = &(*link)->next;
    *link = user->next;
    cp->user_count--;
    if (user->signal_timer)
        cp->ports.timer_cancel(cp->ports.ctx, user->signal_timer);
    if (user->go_timer)
        cp->ports.timer_cancel(cp->ports.ctx, user->go_timer);
    cp_timebomb_end(user);
    if (user->lost_timer)
        cp->ports.timer_cancel(cp->ports.ctx, user->lost_timer);
    console_set_input_notify(user->console, NULL, NULL);
    cp_spool_console_end(user);
    cp_ctcas_leave(user);
    cp->ports.vm->destroy(user->vm);
    cp_ctcas_end(user);
    cp_nics_end(user, !release_claim);
    cp_disks_end(cp, user->userid);
    cp_relay(user);
    console_poll(user->console); /* observers get the last lines */
    console_destroy(user->console);
    cp_trace_end(user);
    cp_carry_end(user);
    if (release_claim && user->claim && cp->cluster)
        cp->cluster->release(cp->cluster_ctx, user->userid, user->claim);
    free(user);
    cp_shutdown_goes_on(cp);
}

void cp_user_tell(struct cp_user *user, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    console_write_line(user->console, text);
}

void cp_operator_tell(struct cp *cp, const char *fmt, ...)
{
    char text[1024];
    struct cp_user *operator_user = cp_user_find(cp, cp->config->features.operator_userid);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (operator_user)
        console_write_line(operator_user->console, text); /* the log shows it, too */
    else
        log_line("%s", text);
}

/* --- relocation -------------------------------------------------------------------------- */

enum {
    ROW_SETTINGS = CODEC_MANDATORY | 1,
    ROW_LOGON = CODEC_MANDATORY | 2,
    ROW_SECUSER = 3,
    ROW_OBSERVER = 4,
    ROW_CP_READ = CODEC_MANDATORY | 5,
    ROW_CONSOLE = CODEC_MANDATORY | 6,
    ROW_CLASSES = CODEC_MANDATORY | 7,
    ROW_RELOCATE = 8, /* of an older level: as the directory says */
    ROW_DOMAIN = 9,
    ROW_SHARE = 10, /* of an older level: as the directory says; QUICKDSP, too */
    ROW_QUICKDSP = 11,
    ROW_IPLSYS = 12,
    ROW_PF = 13, /* one for each key that does something else than at logon */
    ROW_TIMEBOMB = CODEC_MANDATORY | 14,
    ROW_TERMINAL = 15,                /* of an older level: as at logon, but AUTOCR OFF */
    ROW_LOADDEV = 16,                 /* of an older level: as the directory says */
    ROW_RESERVED = 17,                /* not there: none */
    ROW_TRACE = CODEC_MANDATORY | 18, /* not there: no traps */
    ROW_TRAP = CODEC_MANDATORY | 19,  /* behind it, for each */
    ROW_CONNECTED = 20,               /* of an older level: it is disconnected */
    ROW_CONSOLE_SPOOL = CODEC_MANDATORY | 40, /* where its spooling goes on */
    ROW_FROM = 21,                            /* which member; not there: nobody looks on */
    ROW_AT_TERMINAL = 22,                     /* one for each terminal */
    ROW_LOST = 23,                            /* when DISCONNECT_TIMEOUT is over */
    ROW_RELAYED = 25, /* of an older level: all of its console is shown to observers again */
    ROW_BY = 26,      /* of an older level, or not there: nobody */
    ROW_FORCED = 24,  /* not there: no facilities were taken from it */
    CONSOLE_VERSION = 1,
};

/* Least and most as 0 to 10000 with ABSOLUTE above that, and the limit. */
static void save_dispatching(const struct cp_user *user, struct codec_out *out)
{
    const struct share *s = &user->share;
    u8 row[9] = {[8] = (u8)s->limit};
    be32_store(row, s->least.n | (u32)s->least.absolute << 31);
    be32_store(row + 4, s->most.n | (u32)s->most.absolute << 31);
    codec_put_bytes(out, ROW_SHARE, row, sizeof row);
    codec_put_u8(out, ROW_QUICKDSP, user->quickdsp);
    cp_reserved_save(user, ROW_RESERVED, out);
    codec_put_bytes(out, ROW_IPLSYS, user->iplsys, strlen(user->iplsys));
}

static bool take_share_value(const u8 *row, struct share_value *out)
{
    u32 word = be32_load(row);
    *out = (struct share_value){word >> 31, word & 0x7fffffff};
    return out->n <= (out->absolute ? SHARE_ABSOLUTE_MAX : SHARE_RELATIVE_MAX);
}

static bool take_share(struct cp_user *user, const struct codec_row *row)
{
    struct share s;
    if (row->len != 9 || row->p[8] > SHARE_LIMITHARD || !take_share_value(row->p, &s.least) ||
        !take_share_value(row->p + 4, &s.most) || !s.least.n || (row->p[8] && !s.most.n))
        return false;
    s.limit = row->p[8];
    user->share = s;
    user->cp->ports.vm->share(user->vm, &s);
    return true;
}

static bool take_iplsys(struct cp_user *user, const struct codec_row *row)
{
    if (row->len >= sizeof user->iplsys)
        return false;
    memcpy(user->iplsys, row->p, row->len);
    user->iplsys[row->len] = 0;
    return true;
}

#define TERMINAL_ROW_BYTES 10
enum { TERMINAL_HOLD = 1, TERMINAL_GUESTCTL = 2, TERMINAL_NO_AUTOCR = 4, TERMINAL_STAMP = 8 };

static void save_terminal(const struct cp_user *user, struct codec_out *out)
{
    const struct cp_terminal *t = &user->terminal;
    const u8 row[TERMINAL_ROW_BYTES] = {
        (u8)t->more_s,
        (u8)t->more_warn_s,
        (u8)t->linesize,
        (u8)((t->hold ? TERMINAL_HOLD : 0) | (t->breakin_guest ? TERMINAL_GUESTCTL : 0) |
             (t->no_autocr ? TERMINAL_NO_AUTOCR : 0) | (t->timestamp ? TERMINAL_STAMP : 0)),
        (u8)(t->break_pf + 1),
        (u8)t->linend,
        (u8)t->linedel,
        (u8)t->chardel,
        (u8)t->escape,
        (u8)t->tabchar};
    codec_put_bytes(out, ROW_TERMINAL, row, sizeof row);
}

static bool take_terminal(struct cp_user *user, const struct codec_row *row)
{
    const u8 *p = row->p;
    if (row->len != TERMINAL_ROW_BYTES || p[4] > CP_PF_KEYS + 1)
        return false;
    user->terminal = (struct cp_terminal){.more_s = p[0],
                                          .more_warn_s = p[1],
                                          .linesize = p[2],
                                          .hold = p[3] & TERMINAL_HOLD,
                                          .breakin_guest = p[3] & TERMINAL_GUESTCTL,
                                          .no_autocr = p[3] & TERMINAL_NO_AUTOCR,
                                          .timestamp = p[3] & TERMINAL_STAMP,
                                          .break_pf = p[4] - 1,
                                          .linend = (char)p[5],
                                          .linedel = (char)p[6],
                                          .chardel = (char)p[7],
                                          .escape = (char)p[8],
                                          .tabchar = (char)p[9]};
    return true;
}

void cp_user_save(struct cp_user *user, struct codec_out *out)
{
    codec_put_u32(out, ROW_SETTINGS, user->settings);
    codec_put_u32(out, ROW_CLASSES, user->classes);
    codec_put_u64(out, ROW_LOGON, user->logon_ns);
    codec_put_bytes(out, ROW_SECUSER, user->secuser, strlen(user->secuser));
    codec_put_bytes(out, ROW_OBSERVER, user->observer, strlen(user->observer));
    if (*user->by)
        codec_put_bytes(out, ROW_BY, user->by, strlen(user->by));
    codec_put_u8(out, ROW_CP_READ, user->cp_read);
    codec_put_u8(out, ROW_RELOCATE, user->relocate);
    codec_put_bytes(out, ROW_DOMAIN, user->domain, strlen(user->domain));
    if (user->forced)
        codec_put_u8(out, ROW_FORCED, 1);
    save_dispatching(user, out);
    cp_pf_save(user, ROW_PF, out);
    cp_timebomb_save(user, ROW_TIMEBOMB, out);
    cp_loaddev_save(user, ROW_LOADDEV, out);
    cp_trace_save(user, ROW_TRACE, ROW_TRAP, out);
    save_terminal(user, out);
    if (user->lost_timer)
        codec_put_u64(out, ROW_LOST, user->lost_due_ns);
    codec_put_u64(out, ROW_RELAYED, user->relay_cursor);
    cp_carry_save(user, ROW_CONNECTED, ROW_FROM, ROW_AT_TERMINAL, out);
    cp_spool_console_save(user, ROW_CONSOLE_SPOOL, out);
    codec_begin(out, ROW_CONSOLE, CONSOLE_VERSION);
    console_save(user->console, out);
    codec_end(out);
}

static bool take_name(const struct codec_row *row, char out[DIR_NAME_BYTES])
{
    char name[DIR_NAME_BYTES] = "";
    if (row->len >= DIR_NAME_BYTES)
        return false;
    memcpy(name, row->p, row->len);
    if (*name && !cp_userid_ok(name))
        return false;
    strcpy(out, name);
    return true;
}

/* Without SET PRIVCLASS what the directory grants here is the most. */
static bool take_classes(struct cp_user *user, const struct codec_row *row)
{
    if (!codec_get_u32(row, &user->classes))
        return false;
    if (!user->cp->config->features.set_privclass)
        user->classes &= user->entry->classes;
    user->cp->ports.vm->privclass(user->vm, user->classes);
    return true;
}

static bool take_session_row(struct cp_user *user, const struct codec_row *row,
                             struct cause *cause)
{
    struct codec_in block;
    u8 flag;
    switch (row->tag) {
    case ROW_SETTINGS: return codec_get_u32(row, &user->settings);
    case ROW_CLASSES: return take_classes(user, row);
    case ROW_LOGON: return codec_get_u64(row, &user->logon_ns);
    case ROW_SECUSER: return take_name(row, user->secuser);
    case ROW_OBSERVER: return take_name(row, user->observer);
    case ROW_BY: return take_name(row, user->by);
    case ROW_CP_READ: return codec_get_u8(row, &flag) && (user->cp_read = flag != 0, true);
    case ROW_RELOCATE: return codec_get_u8(row, &flag) && (user->relocate = flag != 0, true);
    case ROW_DOMAIN: return row->len && take_name(row, user->domain);
    case ROW_FORCED:
        if (!codec_get_u8(row, &flag))
            return false;
        user->forced |= flag != 0; /* it may have been, on its way here */
        return true;
    case ROW_SHARE: return take_share(user, row);
    case ROW_QUICKDSP:
        if (!codec_get_u8(row, &flag))
            return false;
        user->quickdsp = flag != 0;
        user->cp->ports.vm->quickdsp(user->vm, user->quickdsp);
        return true;
    case ROW_RESERVED: return cp_reserved_take(user, row);
    case ROW_PF: return cp_pf_take(user, row);
    case ROW_TIMEBOMB: return cp_timebomb_take(user, row);
    case ROW_LOADDEV: return cp_loaddev_take(user, row);
    case ROW_IPLSYS: return take_iplsys(user, row);
    case ROW_TERMINAL: return take_terminal(user, row);
    case ROW_LOST: return codec_get_u64(row, &user->lost_due_ns);
    case ROW_RELAYED: return codec_get_u64(row, &user->relay_cursor);
    case ROW_CONNECTED: return cp_carry_take_connected(user, row);
    case ROW_FROM: return cp_carry_take_from(user, row);
    case ROW_AT_TERMINAL: return cp_carry_take_terminal(user, row);
    case ROW_CONSOLE_SPOOL: return cp_spool_console_take(user, row);
    case ROW_TRACE: return cp_trace_take_set(user, row);
    case ROW_TRAP: return cp_trace_take_trap(user, row);
    case ROW_CONSOLE:
        return codec_open(row, &block) && block.version == CONSOLE_VERSION &&
               !console_restore(user->console, &block, cause);
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

int cp_user_restore(struct cp_user *user, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    bool good = true;
    while (good && codec_next(in, &row))
        good = take_session_row(user, &row, cause);
    if (!good || in->failed)
        return cause_set(cause, ST_PROTO, "session of %s: rows are damaged", user->userid);
    cp_terminal_apply(user);
    return ST_OK;
}

int cp_user_arrive(struct cp *cp, const char *userid, struct codec_in *in, struct cp_user **out,
                   struct cause *cause)
{
    const struct dir_entry *entry = directory_find(cp->directory, userid);
    struct cp_user *user;
    if (!entry)
        return cause_set(cause, ST_NOENT, "%.8s is not in the CP directory of %s", userid,
                         cp->config->member);
    if (cp->shutting_down)
        return cause_set(cause, ST_REFUSED, "%s is shutting down", cp->config->member);
    if (find_any(cp, userid))
        return cause_set(cause, ST_EXIST, "%s is logged on at %s", entry->userid,
                         cp->config->member);
    int status = cp_session_begin(cp, entry, &user, cause);
    if (status)
        return status;
    user->disconnected = user->incoming = true;
    user->terminal.no_autocr = true;
    status = cp_user_restore(user, in, cause);
    if (status) {
        cp_session_end(user, false);
        return status;
    }
    *out = user;
    return ST_OK;
}

void cp_user_depart(struct cp_user *user)
{
    cp_carry_depart(user);
    cp_session_end(user, false);
}
