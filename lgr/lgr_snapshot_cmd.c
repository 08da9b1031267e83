/* SNAPSHOT SAVE, RESTORE, INFO, VERIFY: operands and answers; what ties snapshots to CP. Ours: z/VM
 * has nothing like it. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "hyp/cp_move.h"
#include "lgr/lgr_snapshot_internal.h"

u64 snapshot_wall_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (u64)now.tv_sec * 1000000000u + (u64)now.tv_nsec;
}

void snapshot_anchor_drop(struct snapshot_anchor *anchor)
{
    if (atomic_fetch_sub(&anchor->holds, 1) == 1)
        free(anchor);
}

/* ---- answers ---- */

void snapshot_tell(struct lgr_snapshots *s, struct cp_request *req, const char *line)
{
    if (req)
        cp_line(req, "%s", line);
    cp_operator_tell(s->cp, "%s", line);
}

int snapshot_reasons(struct cp_request *req, int number, const struct lgr_reasons *reasons)
{
    for (unsigned i = 0; i < reasons->count; i++)
        cp_line(req, "%s", reasons->line[i]);
    return number;
}

/* ---- operands ---- */

static int too_long(struct cp_request *req, const char *word)
{
    char shown[64];
    snprintf(shown, sizeof shown, "%.60s", word);
    return cp_fail(req, MSG_CMD002E, shown);
}

static int bad_word(struct cp_request *req, const char *word)
{
    char shown[64];
    snprintf(shown, sizeof shown, "%.60s", word);
    return cp_fail(req, MSG_CMD003E, shown);
}

/* The rest of the line: a path of the host, or a name in the folder of snapshots. */
static int take_path(struct lgr_snapshots *s, struct cp_request *req,
                     struct snapshot_order *order)
{
    const char *rest = cp_operand_rest(req);
    if (!*rest)
        return cp_fail(req, MSG_CMD026E);
    bool name = !strchr(rest, '/');
    if (name && *rest == '.')
        return too_long(req, rest);
    if (name)
        mkdir(s->folder, 0700);
    int n = snprintf(order->path, sizeof order->path, "%s%s%s", name ? s->folder : "",
                     name ? "/" : "", rest);
    while (n > 0 && n < (int)sizeof order->path && order->path[n - 1] == ' ')
        order->path[--n] = 0;
    return n < (int)sizeof order->path - 8 ? 0 : too_long(req, rest);
}

static int take_user(struct cp_request *req, struct snapshot_order *order)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strlen(word) >= sizeof order->user)
        return too_long(req, word);
    strcpy(order->user, word);
    return 0;
}

static bool flag_word(const char *word, struct snapshot_order *order, bool save)
{
    if (save && cp_abbrev(word, "SUSPend"))
        return order->suspend = true;
    if (save && cp_abbrev(word, "COMPress"))
        return order->compress = true;
    if (save && cp_abbrev(word, "REPlace"))
        return order->replace = true;
    if (!save && cp_abbrev(word, "VERify"))
        return order->verify = true;
    return false;
}

static int take_force(struct cp_request *req, struct snapshot_order *order)
{
    static const struct {
        const char *name;
        unsigned bit;
    } what[] = {{"ARCHitecture", LGR_FORCE_ARCHITECTURE},
                {"STORage", LGR_FORCE_STORAGE},
                {"ENTRY", SNAPSHOT_FORCE_ENTRY},
                {"DISKs", SNAPSHOT_FORCE_DISKS},
                {"CLOCK", SNAPSHOT_FORCE_CLOCK}};
    unsigned given = 0;
    for (const char *word; (word = cp_operand_peek(req)) != NULL; cp_operand(req)) {
        unsigned i = 0;
        while (i < ARRAY_LEN(what) && !cp_abbrev(word, what[i].name))
            i++;
        if (i == ARRAY_LEN(what))
            break;
        given |= what[i].bit;
    }
    order->force |= given;
    return given ? 0 : cp_fail(req, MSG_CMD026E);
}

/* Options, then TO or FROM and the file. */
static int take_options(struct lgr_snapshots *s, struct cp_request *req,
                        struct snapshot_order *order, bool save)
{
    for (const char *word; (word = cp_operand(req)) != NULL;) {
        int rc = 0;
        if (!strcmp(word, save ? "TO" : "FROM"))
            return take_path(s, req, order);
        if (!save && !strcmp(word, "FORCE"))
            rc = take_force(req, order);
        else if (!flag_word(word, order, save))
            rc = bad_word(req, word);
        if (rc)
            return rc;
    }
    return cp_fail(req, MSG_CMD026E);
}

/* ---- the command ---- */

static int elsewhere(struct lgr_snapshots *s, struct cp_request *req, const char *user,
                     const char *all)
{
    char member[LGR_NAME_BYTES], text[CP_COMMAND_BYTES_MAX];
    if (!lgr_elsewhere(&s->cmd, user, member))
        return cp_fail(req, MSG_RLU045E, user);
    snprintf(text, sizeof text, "SNAPSHOT %.*s", CP_COMMAND_BYTES_MAX - 16, all);
    return cp_forward(req, member, text);
}

static int do_save(struct lgr_snapshots *s, struct cp_request *req,
                   struct snapshot_order *order, const char *all)
{
    int rc = take_user(req, order);
    rc = rc ? rc : take_options(s, req, order, true);
    if (rc)
        return rc;
    if (!cp_user_find(s->cp, order->user))
        return elsewhere(s, req, order->user, all);
    if (order->compress && !snapshot_can_compress())
        return cp_fail(req, MSG_SNP1961E, order->user, "this program was built without LZ4");
    return snapshot_save_begin(s, req, order);
}

static int cmd_snapshot(struct cp_request *req, void *ctx)
{
    struct lgr_snapshots *s = ctx;
    const char *word = cp_operand_peek(req), *all = cp_operand_rest(req);
    struct snapshot_order *order = calloc(1, sizeof *order);
    int rc;
    if (!order)
        return cp_fail(req, MSG_SNP1965E, "no memory");
    cp_operand(req);
    if (!word) {
        rc = cp_fail(req, MSG_CMD026E);
    } else if (!strcmp(word, "SAVE")) {
        rc = do_save(s, req, order, all);
    } else if (cp_abbrev(word, "RESTore")) {
        rc = take_user(req, order);
        rc = rc ? rc : take_options(s, req, order, false);
        rc = rc ? rc : snapshot_restore_begin(s, req, order);
    } else if (cp_abbrev(word, "INFo") || cp_abbrev(word, "VERify")) {
        order->info = true;
        order->verify = *word == 'V';
        rc = take_path(s, req, order);
        rc = rc ? rc : snapshot_restore_begin(s, req, order);
    } else {
        rc = bad_word(req, word);
    }
    free(order);
    return rc;
}

/* ---- life ---- */

static void observe(void *ctx, struct cp_user *user, enum cp_user_event event)
{
    struct snapshot_anchor *anchor = ctx;
    if (anchor->owner && event == CP_USER_LOGOFF)
        snapshot_saves_gone(anchor->owner, user);
}

int lgr_snapshots_create(struct cp *cp, struct lgr *lgr, const struct lgr_ports *ports,
                         const char *folder, struct lgr_snapshots **out, struct cause *cause)
{
    static const struct cp_cmd_row command = {
        "SNAPShot", CP_CLASS('A'),
        "SNAPSHOT {SAVE userid [option] TO | RESTORE userid [option] FROM | INFO | VERIFY} file"};
    struct lgr_snapshots *s = calloc(1, sizeof *s);
    struct snapshot_anchor *anchor = calloc(1, sizeof *anchor);
    if (!s || !anchor) {
        free(s);
        free(anchor);
        return cause_set(cause, ST_NOMEM, "no memory for snapshots");
    }
    s->cmd = (struct lgr_cmd){cp, lgr};
    s->cp = cp;
    s->ports = ports;
    s->anchor = anchor;
    snprintf(s->folder, sizeof s->folder, "%s", folder);
    anchor->owner = s;
    anchor->holds = 1;
    int rc = cp_register_command(cp, NULL, &command, cmd_snapshot, s);
    rc = rc ? rc : cp_register_held(cp, NULL, command.name, "RESTore");
    rc = rc ? rc : cp_observe_users(cp, observe, anchor);
    if (rc) {
        free(s);
        free(anchor);
        return cause_set(cause, rc, "SNAPSHOT: %s", status_name(rc));
    }
    *out = s;
    return ST_OK;
}

void lgr_snapshots_stop(struct lgr_snapshots *s)
{
    snapshot_saves_drop(s);
    snapshot_restores_drop(s);
    s->anchor->owner = NULL;
}

void lgr_snapshots_destroy(struct lgr_snapshots *s)
{
    if (!s)
        return;
    snapshot_anchor_drop(s->anchor);
    free(s);
}
