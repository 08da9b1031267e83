/* ASSOCIATE and DISASSOCIATE EXIT, ENABLE and DISABLE EXITS, QUERY EXITS: which programs CP asks
 * at its exits (hyp/exit/exit.h). Source: z/VM "CP Commands and Utilities Reference", ASSOCIATE
 * EXIT and DISASSOCIATE; the operands of the other three and the answers are from memory. */
#include <ctype.h>
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"
#include "hyp/exit/exit.h"

void cp_exits_open(struct cp *cp)
{
    char folder[CONFIG_PATH_BYTES + 8];
    const struct exit_ports ports = {cp->ports.ctx, cp->ports.post};
    snprintf(folder, sizeof folder, "%s/exits", cp->config->dir);
    cp->exits = exits_create(folder, &ports);
}

struct exits *cp_exits(struct cp *cp)
{
    return cp->exits;
}

static int bad_number(struct cp_request *req, const char *word)
{
    char shown[24];
    snprintf(shown, sizeof shown, "%.20s", word);
    return cp_fail(req, MSG_EXI1976E, shown);
}

/* The number of one exit. 0, or the number of a message. */
static int take_point(struct cp_request *req, enum exit_point *out)
{
    const char *word = cp_operand(req);
    u64 number;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    *out = scan_hex(word, 0xffff, &number) ? exit_find(number) : EXIT_POINTS;
    return *out == EXIT_POINTS ? bad_number(req, word) : 0;
}

/* {ALL | exit[-exit] ...}, as bits of points. 0, or the number of a message. */
static int take_points(struct cp_request *req, u32 *bits)
{
    const char *word = cp_operand_peek(req);
    *bits = 0;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    while ((word = cp_operand(req)) != NULL) {
        char text[24], *hyphen;
        u64 first = 0, last = 0;
        u32 before = *bits;
        snprintf(text, sizeof text, "%.20s", word);
        if ((hyphen = strchr(text, '-')))
            *hyphen = 0;
        bool all = !strcmp(word, "ALL");
        bool good = all || (scan_hex(text, 0xffff, &first) &&
                            scan_hex(hyphen ? hyphen + 1 : text, 0xffff, &last));
        for (unsigned i = 0; good && i < EXIT_POINTS; i++) {
            u16 number = exit_number((enum exit_point)i);
            if (all || (first <= number && number <= last))
                *bits |= 1u << i;
        }
        if (!good || (*bits == before && !hyphen && !all && exit_find(first) == EXIT_POINTS))
            return bad_number(req, word);
    }
    return *bits ? 0 : bad_number(req, "that range");
}

/* ---- ASSOCIATE, DISASSOCIATE ---- */

struct association {
    enum exit_where where;
    bool placed, switched, enable;
    unsigned count;
    char name[EXIT_ENTRIES_MAX][EXIT_NAME_BYTES];
};

/* A letter or $ # _ @ first, then digits too: it is the name of a file in a folder, and no path. */
static bool good_name(const char *word)
{
    size_t n = strlen(word);
    if (!n || n >= EXIT_NAME_BYTES || isdigit((u8)*word))
        return false;
    for (; *word; word++)
        if (!isalnum((u8)*word) && !strchr("$#_@", *word))
            return false;
    return true;
}

static int take_names(struct cp_request *req, enum exit_point point, struct association *a)
{
    char shown[64];
    const char *word;
    while ((word = cp_operand(req)) != NULL) {
        snprintf(shown, sizeof shown, "%.60s", word);
        if (!good_name(word))
            return cp_fail(req, MSG_CMD002E, shown);
        if (a->count == EXIT_ENTRIES_MAX)
            return cp_fail(req, MSG_EXI1979E, exit_number(point), EXIT_ENTRIES_MAX);
        strcpy(a->name[a->count++], word);
    }
    return a->count ? 0 : cp_fail(req, MSG_CMD026E);
}

/* Everything behind the number: options in any order, then EPNAME and the names. */
static int take_association(struct cp_request *req, enum exit_point point,
                            struct association *a)
{
    static const char *const places[] = {"REPlace", "Following", "Preceding"};
    char shown[64];
    const char *word;
    while ((word = cp_operand(req)) != NULL && !cp_abbrev(word, "EPName")) {
        unsigned i = 0;
        while (i < 3 && !cp_abbrev(word, places[i]))
            i++;
        bool on = cp_abbrev(word, "ENable"), off = cp_abbrev(word, "DISAble");
        snprintf(shown, sizeof shown, "%.60s", word);
        if (i == 3 && !on && !off)
            return cp_fail(req, MSG_CMD003E, shown);
        if (i < 3 ? a->placed : a->switched)
            return cp_fail(req, MSG_CMD013E, shown);
        if (i < 3)
            a->where = (enum exit_where)(EXIT_REPLACE + i);
        a->placed |= i < 3;
        a->switched |= i == 3;
        a->enable |= on;
    }
    return word ? take_names(req, point, a) : cp_fail(req, MSG_CMD026E);
}

/* Programs that are not there now may be there later: until then the exit fails. */
static void warn(struct cp_request *req, enum exit_point point, const struct association *a)
{
    struct cause cause = {0};
    for (unsigned i = 0; i < a->count; i++)
        if (exits_program(req->cp->exits, a->name[i], &cause))
            cp_fail(req, MSG_EXI1977W, exit_number(point), a->name[i], cause.text);
}

/* EXIT exit */
static int named_point(struct cp_request *req, enum exit_point *point)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    return cp_abbrev(word, "EXit") ? take_point(req, point) : cp_fail(req, MSG_CMD003E, word);
}

/* ASSOCIATE EXIT exit [REPLACE | FOLLOWING | PRECEDING] [DISABLE | ENABLE] EPNAME name ... */
int cp_cmd_associate(struct cp_request *req, void *ctx)
{
    struct association a = {.where = EXIT_ONLY_ENTRIES};
    enum exit_point point;
    (void)ctx;
    int rc = named_point(req, &point);
    if (!rc)
        rc = take_association(req, point, &a);
    if (rc)
        return rc;
    if (!req->cp->exits)
        return cp_fail(req, MSG_CMD052E, "no memory");
    rc = exits_associate(req->cp->exits, point, a.where, a.name, a.count);
    if (rc == ST_EXIST)
        return cp_fail(req, MSG_EXI1978E, exit_number(point));
    if (rc)
        return cp_fail(req, MSG_EXI1979E, exit_number(point), EXIT_ENTRIES_MAX);
    exits_enable(req->cp->exits, point, a.enable);
    cp_line(req, "COMMAND COMPLETE");
    warn(req, point, &a);
    return 0;
}

/* DISASSOCIATE EXIT exit */
int cp_cmd_disassociate(struct cp_request *req, void *ctx)
{
    enum exit_point point;
    (void)ctx;
    int rc = named_point(req, &point);
    if (!rc)
        rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!req->cp->exits)
        return cp_fail(req, MSG_CMD052E, "no memory");
    exits_disassociate(req->cp->exits, point);
    cp_line(req, "COMMAND COMPLETE");
    return 0;
}

/* ---- ENABLE, DISABLE, QUERY ---- */

int cp_exits_switch(struct cp_request *req, bool on)
{
    u32 bits;
    int rc = take_points(req, &bits);
    if (rc)
        return rc;
    if (!req->cp->exits)
        return cp_fail(req, MSG_CMD052E, "no memory");
    for (unsigned i = 0; i < EXIT_POINTS; i++)
        if (bits >> i & 1)
            exits_enable(req->cp->exits, (enum exit_point)i, on);
    cp_line(req, "COMMAND COMPLETE");
    return 0;
}

static void lines(struct cp_request *req, enum exit_point point, const struct exit_info *info)
{
    struct cause cause;
    cp_line(req, "EXIT %04X %s CALLS %llu REJECTED %llu FAILED %llu  %s", exit_number(point),
            info->enabled ? "ENABLED " : "DISABLED", (unsigned long long)info->calls,
            (unsigned long long)info->rejected, (unsigned long long)info->failed,
            exit_what(point));
    for (unsigned i = 0; i < info->count; i++) {
        bool good = exits_program(req->cp->exits, info->name[i], &cause) == ST_OK;
        if (good)
            cp_line(req, "  EPNAME %s", info->name[i]);
        else
            cp_line(req, "  EPNAME %s  exits/%s: %s", info->name[i], info->name[i], cause.text);
    }
    if (info->running)
        cp_line(req, "  %u running", info->running);
}

/* QUERY EXITS {ALL | exit[-exit] ...}; of one that has no entry points there is nothing to tell */
int cp_query_exits(struct cp_request *req, void *ctx)
{
    bool all = cp_operand_peek(req) && !strcmp(cp_operand_peek(req), "ALL");
    struct exit_info info;
    u32 bits;
    (void)ctx;
    int rc = take_points(req, &bits);
    if (!rc && !req->cp->exits)
        rc = cp_fail(req, MSG_CMD052E, "no memory");
    for (unsigned i = 0; !rc && i < EXIT_POINTS; i++) {
        enum exit_point point = (enum exit_point)i;
        exits_info(req->cp->exits, point, &info);
        if (!(bits >> i & 1))
            continue;
        if (all || info.count)
            lines(req, point, &info);
        else
            rc = cp_fail(req, MSG_EXI2752E, exit_number(point));
    }
    return rc;
}
