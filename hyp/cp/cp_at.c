/* The phrase AT {member | ALL}, of all commands of cp_at.def in one place: it is found and cut out,
 * and the command issued here, on that member, or on all. What is sent has the phrase with the
 * name of the member that it is for, which then knows that it is to look no further. */
#include <stdio.h>

#include "hyp/cp/cp_internal.h"

enum at_place { AT_LAST, AT_USER, AT_SEND };
enum at_whom { AT_ONE, AT_ALL }; /* ONE: what it does may take long */

struct at_row {
    const char *prefix, *name;
    enum at_place place;
    enum at_whom whom;
};

static const struct at_row rows[] = {
#define T(prefix, name, place, whom) {prefix, name, AT_##place, AT_##whom},
#include "hyp/cp/cp_at.def"
#undef T
};

static const struct at_row *row_of(const char *prefix, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!strcmp(rows[i].prefix, prefix) && !strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}

/* --- where it is --------------------------------------------------------------------------- */

struct span {
    size_t from, to;
};

/* The word at or behind `at`; empty at the end of the line. */
static struct span word_at(const struct cp_request *req, size_t at)
{
    struct span s;
    while (at < req->len && req->raw[at] == ' ')
        at++;
    s.from = at;
    while (at < req->len && req->raw[at] != ' ')
        at++;
    s.to = at;
    return s;
}

static bool is(const struct cp_request *req, struct span s, const char *word)
{
    return s.to - s.from == strlen(word) && !memcmp(req->upper + s.from, word, s.to - s.from);
}

/* AT and the name behind it; an empty name: it is not there. */
struct phrase {
    size_t from;
    struct span name;
};

static struct phrase last_words(const struct cp_request *req)
{
    struct span before = {0, 0}, last = {0, 0};
    for (struct span s = word_at(req, req->at); s.to > s.from; s = word_at(req, s.to)) {
        before = last;
        last = s;
    }
    if (!is(req, before, "AT"))
        last = (struct span){0, 0};
    return (struct phrase){before.from, last};
}

/* ALL is a member's name only for who may be on several: else it begins a text. */
static bool on_several(const struct cp_request *req, struct span user)
{
    char userid[DIR_NAME_BYTES];
    if (is(req, user, "ALL") || is(req, user, "OP") || is(req, user, "OPERATOR"))
        return true;
    snprintf(userid, sizeof userid, "%.*s", (int)(user.to - user.from), req->upper + user.from);
    const struct dir_entry *e = directory_find(req->cp->directory, userid);
    return e && e->kind == DIR_IDENTITY;
}

static struct phrase behind_user(const struct cp_request *req, bool send)
{
    struct span user = word_at(req, req->at);
    if (send && is(req, user, "CP"))
        user = word_at(req, user.to);
    struct span at = word_at(req, user.to), name = word_at(req, at.to);
    if (!is(req, at, "AT") || (is(req, name, "ALL") && !on_several(req, user)))
        name = (struct span){0, 0};
    return (struct phrase){at.from, name};
}

static void cut(struct cp_request *req, const struct phrase *p)
{
    size_t to = p->name.to;
    memmove(req->raw + p->from, req->raw + to, sizeof req->raw - to);
    memmove(req->upper + p->from, req->upper + to, sizeof req->upper - to);
    req->len -= to - p->from;
}

/* --- whom it names --------------------------------------------------------------------------- */

static bool is_member(struct cp *cp, const char *name)
{
    struct cp_cluster_member m;
    for (unsigned i = 0; cp->cluster && cp->cluster->member(cp->cluster_ctx, i, &m); i++)
        if (m.name[0] && !strcasecmp(m.name, name))
            return true;
    return config_slot_of(cp->config, name) || !strcasecmp(cp->config->member, name);
}

/* The command without its phrase: what is before and behind that. */
static bool halves(const struct cp_request *req, const char *prefix, const char *name,
                   const struct phrase *p, char head[CP_COMMAND_BYTES_MAX],
                   char tail[CP_COMMAND_BYTES_MAX])
{
    struct span rest = word_at(req, req->at);
    int before = p->from > rest.from ? (int)(p->from - rest.from) : 0;
    int n = snprintf(head, CP_COMMAND_BYTES_MAX, "%s%s%s %.*s", prefix, *prefix ? " " : "",
                     name, before, req->raw + rest.from);
    strcpy(tail, req->raw + p->name.to);
    return n + strlen(tail) + 16 < CP_COMMAND_BYTES_MAX;
}

static int elsewhere(struct cp_request *req, const struct at_row *row, const char *as,
                     const struct phrase *p, const char *member)
{
    char head[CP_COMMAND_BYTES_MAX], tail[CP_COMMAND_BYTES_MAX];
    if (!halves(req, row->prefix, as, p, head, tail))
        return cp_fail(req, MSG_CMD002E, "command too long");
    const struct cp_remote_text text = {.head = head, .tail = tail, .phrase = true};
    u64 within_ms = row->whom == AT_ONE ? CP_REMOTE_LONG_TIMEOUT_MS : CP_REMOTE_TIMEOUT_MS;
    return member ? cp_remote_text(req, member, &text, within_ms)
                  : cp_remote_all(req, &text, within_ms);
}

int cp_at_route(struct cp_request *req, const char *prefix, const char *name, const char *as)
{
    const struct at_row *row = row_of(prefix, name);
    char member[CP_COMMAND_BYTES_MAX];
    bool local;
    if (!row)
        return CP_AT_HERE;
    const struct phrase p =
        row->place == AT_LAST ? last_words(req) : behind_user(req, row->place == AT_SEND);
    if (p.name.to == p.name.from)
        return CP_AT_HERE;
    snprintf(member, sizeof member, "%.*s", (int)(p.name.to - p.name.from),
             req->upper + p.name.from);
    if (!strcmp(member, "ALL") && row->whom == AT_ALL)
        return elsewhere(req, row, as, &p, NULL);
    if (row->place != AT_LAST && !is_member(req->cp, member))
        return CP_AT_HERE; /* just a text that begins with AT */
    if (!cp_member_reachable(req->cp, member, &local))
        return cp_fail(req, MSG_ATC1850E, member);
    if (!local)
        return elsewhere(req, row, as, &p, member);
    cut(req, &p);
    req->here = true;
    return CP_AT_HERE;
}
