/* QUERY: who is logged on, time, levels, cluster. Headings and column order are those that
 * tools parse; every value is the truth of this member. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"

#define NAMES_PER_LINE 4

/* --- names ------------------------------------------------------------------------------- */

struct names {
    struct cp_request *req;
    char line[128];
    unsigned on_line;
};

static void add_name(struct names *n, const char *userid, const char *where)
{
    if (n->on_line == NAMES_PER_LINE) {
        strcat(n->line, ",");
        cp_line_text(n->req, n->line);
        n->on_line = 0;
        n->line[0] = 0;
    }
    size_t at = strlen(n->line);
    snprintf(n->line + at, sizeof n->line - at, "%s%-8s - %-5s", n->on_line ? ", " : "", userid,
             where);
    n->on_line++;
}

static void add_remote(void *arg, const char *userid, const char *member)
{
    struct names *n = arg;
    if (strcasecmp(member, n->req->cp->config->member) && !cp_user_find(n->req->cp, userid))
        add_name(n, userid, "SSI");
}

static int names_here(struct cp_request *req, bool remote_too)
{
    struct names n = {.req = req};
    struct cp *cp = req->cp;
    char where[DIR_NAME_BYTES + 8];
    for (struct cp_user *u = cp_user_next(cp, NULL); u; u = cp_user_next(cp, u))
        add_name(&n, u->userid, cp_where(u, where));
    if (remote_too && cp->cluster && cp->cluster->each)
        cp->cluster->each(cp->cluster_ctx, add_remote, &n);
    if (n.on_line)
        cp_line_text(req, n.line);
    return 0;
}

/* QUERY NAMES [AT {member | ALL}] */
int cp_query_names(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    return word ? cp_fail(req, MSG_CQV003E, word) : names_here(req, !req->here);
}

static int query_one_user(struct cp_request *req, const char *userid)
{
    char where[DIR_NAME_BYTES + 8], member[CONFIG_NAME_BYTES];
    struct cp *cp = req->cp;
    struct cp_user *user = cp_user_find(cp, userid);
    if (user && user->ending)
        return cp_fail(req, MSG_CQU361E, userid);
    if (user)
        cp_line(req, "%-8s - %s", userid, cp_where(user, where));
    else if (!req->here && cp->cluster &&
             cp->cluster->locate(cp->cluster_ctx, userid, member) &&
             strcmp(member, cp->config->member))
        cp_line(req, "%-8s - SSI", userid);
    else
        return cp_fail(req, MSG_CQU045E, userid);
    return 0;
}

/* QUERY USERS [userid] [AT {member | ALL}] */
int cp_query_users(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    unsigned n = 0;
    (void)ctx;
    if (word && cp_userid_ok(word))
        return query_one_user(req, word);
    if (word)
        return cp_fail(req, MSG_CQV003E, word);
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u))
        n++;
    cp_line(req, "%4u USERS,    0 DIALED,    0 NET", n);
    return 0;
}

/* QUERY operand; a word that is no operand but looks like a user id is one. */
int cp_cmd_query(struct cp_request *req, void *ctx)
{
    struct cp_table_row row;
    const char *word = cp_operand_peek(req);
    u64 devno;
    (void)ctx;
    if (word && strlen(word) <= 4 && req->classes & CP_CLASS('B') &&
        !cp_table_find(req->cp, "QUERY", word, req->classes, &row) &&
        scan_hex(word, 0xffff, &devno)) {
        cp_operand(req);
        return cp_query_rdev(req, (u16)devno);
    }
    if (word && !cp_table_find(req->cp, "QUERY", word, req->classes, &row)) {
        bool known = cp_table_find(req->cp, "QUERY", word, CP_CLASS_ANY, &row);
        const struct dir_entry *entry = directory_find(req->cp->directory, word);
        if (req->classes && entry && !known) {
            cp_operand(req);
            int rc = cp_at_route(req, "QUERY", "userid", entry->userid);
            rc = rc == CP_AT_HERE ? cp_no_more(req) : rc;
            return rc ? rc : query_one_user(req, entry->userid);
        }
    }
    return cp_dispatch_operand(req, "QUERY");
}

int cp_query_userid(struct cp_request *req, void *ctx)
{
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    cp_line(req, "%-8s AT %s", req->userid, req->cp->config->member);
    return 0;
}

/* --- time and levels --------------------------------------------------------------------- */

int cp_query_time(struct cp_request *req, void *ctx)
{
    char text[96], stamp[CP_TIME_TEXT_BYTES];
    const char *word = cp_operand(req);
    struct cp_user *user = cp_request_user(req);
    (void)ctx;
    enum vm_dateformat format = cp_request_dateformat(req);
    if (word && !cp_dateformat_word(req, word, &format))
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    cp_line(req, "TIME IS %s", cp_time_text(format, cp_now(req->cp), stamp));
    if (user)
        cp_line_text(req, cp_usage_text(user, text));
    return 0;
}

int cp_query_timezone(struct cp_request *req, void *ctx)
{
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    cp_line(req, "Zone  Direction  Offset    Status");
    cp_line(req, "UTC     ----    00.00.00   Active");
    return 0;
}

int cp_query_cplevel(struct cp_request *req, void *ctx)
{
    char stamp[CP_TIME_TEXT_BYTES];
    const char *word = cp_operand(req);
    enum vm_dateformat format = cp_request_dateformat(req);
    (void)ctx;
    if (word && !cp_dateformat_word(req, word, &format))
        return cp_fail(req, MSG_CQV003E, word);
    cp_line(req, CP_LEVEL_TEXT);
    cp_line(req, "Generated at %s UTC", cp_stamp_text(format, req->cp->generated_ns, stamp));
    cp_line(req, "IPL at %s UTC", cp_stamp_text(format, req->cp->ipl_ns, stamp));
    return 0;
}

int cp_query_storage(struct cp_request *req, void *ctx)
{
    char size[CP_TIME_TEXT_BYTES];
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    cp_size_text(req->cp->config->hardware.main_bytes, size);
    cp_line(req, "STORAGE = %s CONFIGURED = %s INC = 1M STANDBY = 0  RESERVED = 0", size, size);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void columns(struct cp_request *req, const char **names, unsigned count)
{
    char line[96] = "";
    qsort(names, count, sizeof names[0], by_name);
    for (unsigned i = 0; i < count; i++) {
        char upper[16];
        size_t n = 0, at = strlen(line);
        for (; names[i][n] && n < 12; n++)
            upper[n] = names[i][n] >= 'a' && names[i][n] <= 'z' ? (char)(names[i][n] - 32)
                                                                : names[i][n];
        upper[n] = 0;
        snprintf(line + at, sizeof line - at, "%-13s", upper);
        if (i % 6 == 5 || i + 1 == count) {
            cp_line_text(req, line);
            line[0] = 0;
        }
    }
}

static bool has_class(u32 classes, const char *letters)
{
    bool any = *letters == '*';
    for (; *letters && !any; letters++)
        any = classes & CP_CLASS(*letters);
    return any;
}

/* The codes of diag.def that the user may issue, six in a line as the commands are. */
static void diagnose_codes(struct cp_request *req)
{
    static const struct {
        unsigned code;
        const char *classes, *handler;
    } rows[] = {
#define D(code, where, classes, handler, title, here) {code, classes, #handler},
#include "hyp/diag.def"
#undef D
    };
    char line[96] = "";
    unsigned n = 0;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (!strcmp(rows[i].handler, "diag_refused") ||
            !has_class(req->classes, rows[i].classes))
            continue;
        size_t at = strlen(line);
        char name[16];
        snprintf(name, sizeof name, "DIAG%02X", rows[i].code);
        snprintf(line + at, sizeof line - at, "%-13s", name);
        if (++n % 6 == 0) {
            cp_line_text(req, line);
            line[0] = 0;
        }
    }
    if (line[0])
        cp_line_text(req, line);
}

/* QUERY COMMANDS: the user's own, then the DIAGNOSE codes. */
int cp_query_commands(struct cp_request *req, void *ctx)
{
    struct cp_table_row row;
    const char *names[256];
    unsigned n = 0;
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    for (unsigned i = 0; cp_table_row(req->cp, i, &row) && n < ARRAY_LEN(names); i++)
        if (!*row.prefix && (row.anybody || (row.row.classes & req->classes)))
            names[n++] = row.row.name;
    columns(req, names, n);
    return diagnose_codes(req), 0;
}

/* --- cluster ----------------------------------------------------------------------------- */

/* QUERY ISFC */
int cp_query_isfc(struct cp_request *req, void *ctx)
{
    const struct cp *cp = req->cp;
    struct cp_cluster_member m;
    (void)ctx;
    if (cp_no_more(req))
        return msg_number(MSG_CMD003E);
    if (!cp_clustered(req))
        return 0;
    cp_line(req, "Node      Status");
    for (unsigned i = 0; cp->cluster->member(cp->cluster_ctx, i, &m); i++)
        if (m.name[0])
            cp_line(req, "%-8s  %s", m.name,
                    m.local       ? "local"
                    : m.reachable ? "active"
                                  : "not connected");
    return 0;
}

static void islink_stream(struct cp_request *req, const struct cp_cluster_stream *s, unsigned i)
{
    char name[16] = "Control";
    if (i)
        snprintf(name, sizeof name, "Bulk %u", i);
    cp_line(req, "     %-7s %s  %s", name, s->address,
            *s->cipher ? s->cipher : "not encrypted");
    cp_line(
        req,
        "             Sent: %llu  Received: %llu  Waiting: %llu  Last Received: %llu ms ago",
        (unsigned long long)s->sent, (unsigned long long)s->received,
        (unsigned long long)s->waiting, (unsigned long long)s->silent_ms);
}

/* A link has one connection for control and some for data. */
static void islink_node(struct cp_request *req, const struct cp_cluster_member *m)
{
    u64 sent = 0, received = 0;
    for (unsigned i = 0; i < m->streams; i++) {
        sent += m->stream[i].sent;
        received += m->stream[i].received;
    }
    cp_line(req, "Node %-8s Link TCP %s  State: %s", m->name,
            m->streams ? m->stream[0].address : "-", m->link);
    cp_line(req, "     Bytes Sent: %llu  Bytes Received: %llu", (unsigned long long)sent,
            (unsigned long long)received);
    if (m->protocol)
        cp_line(req, "     Protocol: %u  TLS: %s", m->protocol,
                *m->stream[0].cipher ? "Yes" : "No");
    for (unsigned i = 0; i < m->streams; i++)
        islink_stream(req, &m->stream[i], i);
}

/* QUERY ISLINK [NODE name]; the lines behind the second are ours */
int cp_query_islink(struct cp_request *req, void *ctx)
{
    const struct cp *cp = req->cp;
    const char *node = cp_operand(req);
    struct cp_cluster_member m;
    unsigned n = 0;
    (void)ctx;
    if (node && !strcmp(node, "NODE"))
        node = cp_operand(req);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    for (unsigned i = 0; cp->cluster && cp->cluster->member(cp->cluster_ctx, i, &m); i++) {
        if (!m.name[0] || m.local || (node && strcmp(node, m.name) != 0))
            continue;
        islink_node(req, &m);
        n++;
    }
    if (!n && node)
        return cp_fail(req, MSG_LNK600E, node);
    if (!n)
        cp_line(req, "No ISFC links are active.");
    return 0;
}
