/* The command table and its dispatch: name, abbreviation, privilege class, handler.
 * A command that exists but is outside the user's classes is answered as unknown. */
#include "hyp/cp/cp_internal.h"

#include <stdio.h>

#include "hyp/config/config_scan.h"

#define CP_DEPTH_MAX 8 /* CP CP AT x CMD ... */

/* Rows keep classes as text; CP_CLASS bits are made when asked for. */
struct text_row {
    const char *prefix, *name, *classes, *held;
    cp_handler handler;
    const char *help;
};

static const struct text_row rows[] = {
#define R(prefix, name, classes, handler, help) {prefix, name, classes, "", handler, help},
#define RH(prefix, name, classes, held, handler, help)                                         \
    {prefix, name, classes, held, handler, help},
#include "hyp/cp/cp_cmd.def"
#undef R
};

static u32 class_bits(const char *letters)
{
    u32 bits = 0;
    if (!*letters || *letters == '*')
        return CP_CLASS_ANY;
    for (; *letters; letters++)
        bits |= CP_CLASS(*letters);
    return bits;
}

bool cp_table_row(const struct cp *cp, unsigned i, struct cp_table_row *out)
{
    if (i < ARRAY_LEN(rows)) {
        *out = (struct cp_table_row){
            .prefix = rows[i].prefix,
            .row = {rows[i].name, class_bits(rows[i].classes), rows[i].help},
            .handler = rows[i].handler,
            .held = rows[i].held,
            .anybody = !rows[i].classes[0]};
        return true;
    }
    i -= ARRAY_LEN(rows);
    if (i >= cp->registered_count)
        return false;
    const struct cp_registered *r = &cp->registered[i];
    *out = (struct cp_table_row){.prefix = r->prefix,
                                 .row = r->row,
                                 .held = r->held,
                                 .handler = r->handler,
                                 .ctx = r->ctx};
    return true;
}

int cp_register_command(struct cp *cp, const char *prefix, const struct cp_cmd_row *row,
                        cp_handler handler, void *ctx)
{
    struct cp_table_row have;
    prefix = prefix ? prefix : "";
    if (cp->registered_count == CP_REGISTERED_MAX || strlen(prefix) > 11)
        return ST_LIMIT;
    for (unsigned i = 0; cp_table_row(cp, i, &have); i++)
        if (!strcmp(have.prefix, prefix) && !strcasecmp(have.row.name, row->name))
            return ST_EXIST;
    struct cp_registered *r = &cp->registered[cp->registered_count++];
    strcpy(r->prefix, prefix);
    r->row = *row;
    r->held = "";
    r->handler = handler;
    r->ctx = ctx;
    return ST_OK;
}

int cp_register_held(struct cp *cp, const char *prefix, const char *name, const char *held)
{
    for (unsigned i = 0; i < cp->registered_count; i++) {
        struct cp_registered *r = &cp->registered[i];
        if (strcmp(r->prefix, prefix ? prefix : "") || strcasecmp(r->row.name, name))
            continue;
        r->held = held;
        return ST_OK;
    }
    return ST_NOENT;
}

/* Is `word` an abbreviation of `name`? A name that ends in nn is one with a number: PF1, PF01. */
static bool fits(const char *word, const char *name)
{
    size_t n = strlen(name);
    if (n < 3 || strcmp(name + n - 2, "nn") != 0)
        return scan_abbrev(word, name);
    size_t digits = strlen(word) - (n - 2);
    return strlen(word) > n - 2 && digits <= 2 && !strncasecmp(word, name, n - 2) &&
           strspn(word + n - 2, "0123456789") == digits;
}

bool cp_table_find(const struct cp *cp, const char *prefix, const char *word, u32 classes,
                   struct cp_table_row *out)
{
    for (unsigned i = 0; cp_table_row(cp, i, out); i++)
        if (!strcmp(out->prefix, prefix) && fits(word, out->row.name) &&
            ((classes & out->row.classes) || out->anybody))
            return true;
    return false;
}

static void upper_name(const char *name, char *out, size_t room)
{
    size_t n = 0;
    for (; name[n] && n + 1 < room; n++)
        out[n] = name[n] >= 'a' && name[n] <= 'z' ? (char)(name[n] - 32) : name[n];
    out[n] = 0;
}

int cp_dispatch(struct cp_request *req)
{
    struct cp_table_row row;
    const char *word = cp_operand(req);
    if (!word)
        return 0;
    if (req->depth++ >= CP_DEPTH_MAX || !cp_table_find(req->cp, "", word, req->classes, &row))
        return cp_fail(req, MSG_CMD001E, word);
    upper_name(row.row.name, req->command, sizeof req->command);
    int rc = cp_at_route(req, "", row.row.name, req->command);
    if (rc != CP_AT_HERE)
        return rc;
    int held = cp_hold(req, &row);
    return held ? held : row.handler(req, row.ctx);
}

int cp_dispatch_operand(struct cp_request *req, const char *prefix)
{
    struct cp_table_row row;
    const char *word = cp_operand(req);
    enum msg_id bad = *prefix == 'Q' ? MSG_CQV003E : MSG_CSE003E;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!cp_table_find(req->cp, prefix, word, req->classes, &row))
        return cp_fail(req, bad, word);
    upper_name(row.row.name, req->command, sizeof req->command);
    req->word = word;
    int rc = cp_at_route(req, prefix, row.row.name, req->command);
    if (rc != CP_AT_HERE)
        return rc;
    int held = cp_hold(req, &row);
    return held ? held : row.handler(req, row.ctx);
}

/* CP command */
int cp_cmd_cp(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return cp_dispatch(req);
}

static int on_cpu(struct cp_request *req, u8 addr, size_t at)
{
    req->on_cpu = true;
    req->cpu = addr;
    req->at = at;
    return cp_dispatch(req);
}

/* CPU {nn | ALL} command: DISPLAY, STORE, BEGIN and STOP are about that CPU */
int cp_cmd_cpu(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    const size_t at = req->at;
    struct vm_cpu_info info;
    u64 addr = 0;
    int rc = 0;
    bool found = false, all = word && !strcmp(word, "ALL");
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    if (!all && !scan_hex(word, VM_CPUS_MAX - 1, &addr))
        return cp_fail(req, MSG_CMD002E, word);
    unsigned depth = req->depth;
    for (unsigned i = 0; !rc && cp_request_user(req) == user; i++) {
        if (!req->cp->ports.vm->cpu_info(user->vm, i, &info))
            break;
        if (!all && info.addr != addr)
            continue;
        found = true;
        req->depth = depth;
        rc = on_cpu(req, info.addr, at);
    }
    return found ? rc : cp_fail(req, MSG_DIS163E, word);
}

/* SILENTLY command: shown only when it fails */
int cp_cmd_silently(struct cp_request *req, void *ctx)
{
    (void)ctx;
    if (!cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    req->silent = true;
    req->quiet = req->resp->line_count;
    return cp_dispatch(req);
}

/* SET operand ... */
int cp_cmd_set(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return cp_dispatch_operand(req, "SET");
}
