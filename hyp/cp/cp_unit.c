/* Real printers and punches: START, DRAIN, FLUSH, BACKSPACE, QUERY UR. Each has its timer while it
 * has something to do; the spool says when a file comes. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_spool.h"
#include "hyp/spool/real_output.h"

#define WAIT_MS 200u /* for a program, or for room on the host's disk */
#define PAGES_BACK_MAX 9999u

/* Located by: cp->units. Created with the CP, destroyed with it. */
struct cp_unit {
    struct cp_unit *next;
    struct cp *cp;
    struct real_output *out;
    u64 timer; /* 0: it rests */
};

static void fire(void *arg)
{
    struct cp_unit *unit = arg;
    unit->timer = 0;
    enum real_output_next next = real_output_step(unit->out);
    if (next != REAL_OUTPUT_IDLE && !unit->timer)
        unit->timer = unit->cp->ports.timer_start(
            unit->cp->ports.ctx, next == REAL_OUTPUT_WAIT ? WAIT_MS : 0, fire, unit);
}

static void wake(struct cp_unit *unit)
{
    if (!unit->timer)
        unit->timer = unit->cp->ports.timer_start(unit->cp->ports.ctx, 0, fire, unit);
}

static void spool_news(void *ctx)
{
    struct cp *cp = ctx;
    for (struct cp_unit *unit = cp->units; unit; unit = unit->next)
        wake(unit);
}

void cp_units_open(struct cp *cp)
{
    const struct config_hardware *hw = &cp->config->hardware;
    struct cp_unit **at = &cp->units;
    for (unsigned i = 0; i < hw->device_count; i++) {
        struct cp_unit *unit;
        if (!config_is_output(&hw->devices[i]) || !(unit = calloc(1, sizeof *unit)))
            continue;
        unit->cp = cp;
        unit->out = real_output_create(cp_spool(cp), cp->config->dir, &hw->devices[i]);
        if (!unit->out) {
            free(unit);
            continue;
        }
        real_output_start(unit->out, NULL, NULL);
        *at = unit;
        at = &unit->next;
        wake(unit);
    }
    if (cp->units)
        spool_set_news(cp_spool(cp), spool_news, cp);
}

void cp_units_close(struct cp *cp)
{
    struct cp_unit *unit;
    if (cp->units)
        spool_set_news(cp_spool(cp), NULL, NULL);
    while ((unit = cp->units)) {
        cp->units = unit->next;
        if (unit->timer)
            cp->ports.timer_cancel(cp->ports.ctx, unit->timer);
        real_output_destroy(unit->out);
        free(unit);
    }
}

/* ---- commands ---- */

/* rdev, or with `all` UR: all of them (*out is NULL then). */
static int which_unit(struct cp_request *req, bool all, struct cp_unit **out)
{
    const char *word = cp_operand(req);
    struct real_output_info info;
    u64 devno;
    *out = NULL;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (all && (!strcmp(word, "UR") || !strcmp(word, "ALL")))
        return 0;
    if (strlen(word) > 4 || !scan_hex(word, 0xffff, &devno))
        return cp_fail(req, MSG_UNR022E);
    for (struct cp_unit *unit = req->cp->units; unit; unit = unit->next) {
        real_output_info(unit->out, &info);
        if (info.devno == devno)
            return *out = unit, 0;
    }
    if (cp_rdevs(req->cp) && rdev_find(cp_rdevs(req->cp), (u16)devno))
        return cp_fail(req, MSG_UNR006E, word);
    return cp_fail(req, MSG_QRD040E, word);
}

static void unit_row(struct cp_request *req, const struct cp_unit *unit)
{
    struct real_output_info info;
    char doing[64] = "IDLE";
    real_output_info(unit->out, &info);
    if (info.file)
        snprintf(doing, sizeof doing, "FILE %04u %-8s RECS %04llu OF %04llu%s", info.file->id,
                 info.file->owner, (unsigned long long)info.records,
                 (unsigned long long)info.file->records, info.trouble ? " NOT READY" : "");
    else if (info.program)
        strcpy(doing, "PROGRAM");
    cp_line(req, "%s  %04X %s CLASS %-8s FORM %-8s %s", info.punch ? "PUN" : "PRT", info.devno,
            info.started ? "STARTED"
            : info.file  ? "DRAIN  "
                         : "DRAINED",
            info.classes, info.form, doing);
}

static void rows(struct cp_request *req, const struct cp_unit *only)
{
    for (const struct cp_unit *unit = req->cp->units; unit; unit = unit->next)
        if (!only || unit == only)
            unit_row(req, unit);
    if (!req->cp->units)
        cp_line(req, "An active UR was not found.");
}

bool cp_unit_row(struct cp_request *req, u16 devno)
{
    struct real_output_info info;
    for (const struct cp_unit *unit = req->cp->units; unit; unit = unit->next) {
        real_output_info(unit->out, &info);
        if (info.devno == devno)
            return unit_row(req, unit), true;
    }
    return false;
}

static bool classes_ok(const char *word)
{
    if (!strcmp(word, "*"))
        return true;
    for (const char *p = word; *p; p++)
        if (!((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9')) || strchr(p + 1, *p))
            return false;
    return *word && strlen(word) < CONFIG_CLASSES_BYTES;
}

static bool is_volume(const char *word)
{
    return word && (!strcmp(word, "DASD") || !strcmp(word, "VOLID"));
}

/* START {rdev | UR} [CLASS classes] [FORM form] */
int cp_cmd_start(struct cp_request *req, void *ctx)
{
    struct cp_unit *only;
    char form[SPOOL_WORD_BYTES] = "";
    const char *word = cp_operand_peek(req), *classes = NULL;
    (void)ctx;
    if (is_volume(word))
        return cp_drain_volume(req, false);
    int rc = which_unit(req, true, &only);
    while (!rc && (word = cp_operand(req))) {
        if (cp_abbrev(word, "CLass")) {
            classes = cp_operand(req);
            rc = classes && classes_ok(classes) ? 0 : cp_fail(req, MSG_CSP028E);
        } else if (!strcmp(word, "FORM")) {
            rc = cp_spool_word(req, form);
        } else {
            rc = cp_fail(req, MSG_CMD003E, word);
        }
    }
    if (rc)
        return rc;
    for (struct cp_unit *unit = req->cp->units; unit; unit = unit->next)
        if (!only || unit == only) {
            real_output_start(unit->out, classes, *form ? form : NULL);
            wake(unit);
        }
    rows(req, only);
    return 0;
}

/* DRAIN {rdev | UR} */
int cp_cmd_drain(struct cp_request *req, void *ctx)
{
    struct cp_unit *only;
    (void)ctx;
    if (is_volume(cp_operand_peek(req)))
        return cp_drain_volume(req, true);
    int rc = which_unit(req, true, &only);
    if (!rc)
        rc = cp_no_more(req);
    if (rc)
        return rc;
    for (struct cp_unit *unit = req->cp->units; unit; unit = unit->next)
        if (!only || unit == only)
            real_output_drain(unit->out);
    rows(req, only);
    return 0;
}

static int no_file(struct cp_request *req, const struct cp_unit *unit)
{
    struct real_output_info info;
    char text[8];
    real_output_info(unit->out, &info);
    snprintf(text, sizeof text, "%04X", info.devno);
    return cp_fail(req, MSG_UNR046E, text);
}

/* FLUSH rdev [HOLD] */
int cp_cmd_flush(struct cp_request *req, void *ctx)
{
    struct cp_unit *unit;
    int rc = which_unit(req, false, &unit);
    const char *word = rc ? NULL : cp_operand(req);
    (void)ctx;
    bool hold = word && cp_abbrev(word, "HOld");
    if (!rc && word && !hold)
        rc = cp_fail(req, MSG_CMD003E, word);
    if (!rc)
        rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!real_output_flush(unit->out, hold))
        return no_file(req, unit);
    wake(unit);
    rows(req, unit);
    return 0;
}

/* BACKSPACE rdev [pages | FILE] */
int cp_cmd_backspace(struct cp_request *req, void *ctx)
{
    struct cp_unit *unit;
    int rc = which_unit(req, false, &unit);
    const char *word = rc ? NULL : cp_operand(req);
    u64 pages = 1;
    (void)ctx;
    if (word && !strcmp(word, "FILE"))
        pages = UINT32_MAX;
    else if (word && !scan_number(word, 1, PAGES_BACK_MAX, &pages))
        rc = cp_fail(req, MSG_CMD003E, word);
    if (!rc)
        rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!real_output_backspace(unit->out, (u32)pages))
        return no_file(req, unit);
    rows(req, unit);
    return 0;
}

/* QUERY UR [ALL | rdev] */
int cp_query_ur(struct cp_request *req, void *ctx)
{
    struct cp_unit *only = NULL;
    int rc = cp_operand_peek(req) ? which_unit(req, true, &only) : 0;
    (void)ctx;
    if (!rc)
        rc = cp_no_more(req);
    if (!rc)
        rows(req, only);
    return rc;
}
