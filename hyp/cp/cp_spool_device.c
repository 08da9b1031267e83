/* Spooled devices: SPOOL, CLOSE, TAG and their lines of QUERY VIRTUAL. Console output is
 * spooled as a printer file by an observer of the console. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_spool.h"
#include "io/ebcdic.h"

#define CONSOLE_RECORD_BYTES 132
#define WRITE_SPACE_ONE 0x09

/** The devices of one command: one by number, or all of a kind. */
struct devices {
    bool by_number;
    u16 vdev;
    enum spool_kind kind;
};

static int which_devices(struct cp_request *req, struct devices *which)
{
    static const struct {
        const char *name;
        enum spool_kind kind;
    } names[] = {{"Reader", SPOOL_DEV_RDR}, {"RDR", SPOOL_DEV_RDR},
                 {"PUnch", SPOOL_DEV_PUN},  {"PCH", SPOOL_DEV_PUN},
                 {"PUN", SPOOL_DEV_PUN},    {"Printer", SPOOL_DEV_PRT},
                 {"PRT", SPOOL_DEV_PRT},    {"CONsole", SPOOL_DEV_CONS}};
    const char *word = cp_operand(req);
    char text[8];
    u64 vdev;
    *which = (struct devices){.by_number = false};
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (cp_abbrev(word, names[i].name)) {
            which->kind = names[i].kind;
            return 0;
        }
    if (strlen(word) > 4 || !scan_hex(word, 0xffff, &vdev))
        return cp_fail(req, MSG_CSP022E);
    which->by_number = true;
    which->vdev = (u16)vdev;
    snprintf(text, sizeof text, "%04llX", (unsigned long long)vdev);
    if (!spool_device_find(cp_spool(req->cp), req->userid, (u16)vdev))
        return cp_fail(req, MSG_CSP040E, text);
    return 0;
}

static struct spool_device *next_device(struct cp_request *req, const struct devices *which,
                                        struct spool_device *dev)
{
    while ((dev = spool_device_next(cp_spool(req->cp), req->userid, dev)))
        if (which->by_number ? spool_device_vdev(dev) == which->vdev
                             : spool_device_kind(dev) == which->kind)
            return dev;
    return NULL;
}

/* ---- options of SPOOL and CLOSE ---- */

/** What a command says beside options that stay. */
struct actions {
    bool close, purge, hold_given, keep_given;
    int console; /* 1 START, -1 STOP */
};

static int destination(struct cp_request *req, struct spool_options *o, enum spool_kind kind)
{
    enum spool_queue queue;
    const char *word = cp_operand_peek(req);
    o->to_queue = SPOOL_RDR;
    if (word && cp_spool_queue(word, &queue)) { /* TO RDR: one's own */
        cp_operand(req);
        o->to_queue = queue;
        strcpy(o->to, req->userid);
        return 0;
    }
    if (word && !strcmp(word, "SYSTEM")) {
        cp_operand(req);
        o->to[0] = 0;
        o->to_queue = kind == SPOOL_DEV_PUN ? SPOOL_PUN : SPOOL_PRT;
        return 0;
    }
    int rc = cp_spool_user(req, o->to);
    if (!rc && (word = cp_operand_peek(req)) && cp_spool_queue(word, &queue)) {
        cp_operand(req);
        o->to_queue = queue;
    }
    return rc;
}

static int or_off(struct cp_request *req, char out[SPOOL_WORD_BYTES], const char *off)
{
    int rc = cp_spool_word(req, out);
    if (!rc && !strcmp(out, "OFF"))
        strcpy(out, off);
    return rc;
}

static int switch_option(const char *word, struct spool_options *o, struct actions *a)
{
    const struct {
        const char *on, *off;
        bool *flag, *given;
    } rows[] = {{"HOld", "NOHold", &o->hold, &a->hold_given},
                {"KEep", "NOKeep", &o->keep, &a->keep_given},
                {"CONt", "NOContinuous", &o->cont, NULL},
                {"EOF", "NOEof", &o->eof, NULL},
                {"MSG", "NOMsg", &o->msg, NULL}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool on = cp_abbrev(word, rows[i].on);
        if (!on && !cp_abbrev(word, rows[i].off))
            continue;
        *rows[i].flag = on;
        if (rows[i].given)
            *rows[i].given = true;
        return true;
    }
    return false;
}

static int output_option(struct cp_request *req, const char *word, struct spool_options *o,
                         struct actions *a, enum spool_kind kind)
{
    if (cp_abbrev(word, "To") || cp_abbrev(word, "FOR"))
        return destination(req, o, kind);
    if (!strcmp(word, "*")) {
        enum spool_queue queue = SPOOL_RDR;
        const char *next = cp_operand_peek(req);
        if (next && cp_spool_queue(next, &queue))
            cp_operand(req);
        strcpy(o->to, req->userid);
        o->to_queue = queue;
        return 0;
    }
    if (cp_abbrev(word, "SYStem") || !strcmp(word, "OFF")) {
        o->to[0] = 0;
        o->to_queue = kind == SPOOL_DEV_PUN ? SPOOL_PUN : SPOOL_PRT;
        return 0;
    }
    if (!strcmp(word, "FORM"))
        return or_off(req, o->form, SPOOL_FORM);
    if (!strcmp(word, "DEST"))
        return or_off(req, o->dest, SPOOL_DEST);
    if (cp_abbrev(word, "DIst"))
        return or_off(req, o->dist, req->userid);
    if (cp_abbrev(word, "COpy"))
        return cp_spool_copies(req, &o->copies);
    if (cp_abbrev(word, "NAme"))
        return cp_spool_name(req, o->name, o->type);
    if (cp_abbrev(word, "NOName"))
        return o->name[0] = o->type[0] = 0, 0;
    if (cp_abbrev(word, "CLOse"))
        return a->close = true, 0;
    if (cp_abbrev(word, "STArt") && kind == SPOOL_DEV_CONS)
        return a->console = 1, 0;
    if (cp_abbrev(word, "STOp") && kind == SPOOL_DEV_CONS)
        return a->console = -1, 0;
    return cp_fail(req, MSG_CMD003E, word);
}

static int options(struct cp_request *req, struct spool_options *o, struct actions *a,
                   enum spool_kind kind)
{
    const char *word;
    int rc = 0;
    *a = (struct actions){.close = false};
    while (!rc && (word = cp_operand(req))) {
        if (switch_option(word, o, a))
            continue;
        if (cp_abbrev(word, "CLass"))
            rc = cp_spool_class(req, kind == SPOOL_DEV_RDR, &o->class_);
        else if (cp_abbrev(word, "PUrge"))
            a->purge = true;
        else if (kind == SPOOL_DEV_RDR)
            rc = cp_fail(req, MSG_CMD003E, word);
        else
            rc = output_option(req, word, o, a, kind);
    }
    return rc;
}

/* ---- closing ---- */

static int close_output(struct cp_request *req, struct spool_device *dev,
                        const struct spool_options *how)
{
    struct spool_file *file;
    struct cause cause;
    u16 was;
    if (spool_device_close(dev, how, &file, &was, &cause))
        return cp_spool_failed(req, &cause);
    struct cp_user *user = cp_user_find(req->cp, req->userid);
    if (file && (!user || user->settings & CP_SET_IMSG))
        cp_spool_sent(req, spool_desc(file),
                      spool_device_kind(dev) == SPOOL_DEV_PUN ? SPOOL_PUN : SPOOL_PRT, was);
    return 0;
}

static void close_input(struct cp_request *req, const struct spool_device *dev,
                        const struct spool_options *o, const struct actions *a)
{
    struct reader *reader =
        spool_reader(cp_spool(req->cp), req->userid, spool_device_vdev(dev));
    enum reader_close how = READER_CLOSE_OPTIONS;
    if (a->purge)
        how = READER_CLOSE_GONE;
    else if (a->keep_given && o->keep)
        how = READER_CLOSE_HOLD;
    else if (a->hold_given && o->hold)
        how = READER_CLOSE_AGAIN;
    else if (a->hold_given || a->keep_given)
        how = READER_CLOSE_GONE;
    if (reader)
        reader_close(reader, how);
    spool_sync(cp_spool(req->cp), req->userid);
}

/* CLOSE {RDR | PRT | PUN | CONS | vdev} [PURGE] [TO user] [HOLD ...] [NAME fn ft] */
int cp_cmd_close(struct cp_request *req, void *ctx)
{
    struct devices which;
    struct actions a;
    int rc = which_devices(req, &which);
    size_t at = req->at;
    (void)ctx;
    for (struct spool_device *dev = NULL; !rc && (dev = next_device(req, &which, dev));) {
        struct spool_options o = *spool_device_options(dev);
        bool cont = o.cont;
        req->at = at;
        rc = options(req, &o, &a, spool_device_kind(dev));
        if (rc)
            break;
        if (spool_device_kind(dev) == SPOOL_DEV_RDR)
            close_input(req, dev, &o, &a);
        else if (a.purge)
            spool_device_purge(dev);
        else if (!cont)
            rc = close_output(req, dev, &o);
    }
    return rc;
}

/* ---- console spooling ---- */

/* Lines as they come; longer ones are continued in the next record. */
struct console_spool {
    struct spool_device *dev;
    char line[CONSOLE_RECORD_BYTES];
    size_t len;
};

static void console_record(struct console_spool *s)
{
    u8 record[CONSOLE_RECORD_BYTES];
    size_t n = ebcdic_from_utf8(EBCDIC_037, s->line, s->len, record, sizeof record);
    spool_device_sink(s->dev, 0, WRITE_SPACE_ONE, record, n);
    s->len = 0;
}

static void console_wrote(void *ctx, const char *text, size_t len)
{
    struct console_spool *s = ctx;
    if (!len) { /* the console goes */
        if (s->len)
            console_record(s);
        free(s);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '\n')
            s->line[s->len++] = text[i];
        if (text[i] == '\n' || s->len == sizeof s->line)
            console_record(s);
    }
}

static void console_stop(struct cp_user *user)
{
    struct console_spool *s = user->console_spool;
    if (!s)
        return;
    console_poll(user->console); /* what has been written until now */
    console_unobserve(user->console, user->console_observer);
    user->console_spool = NULL;
    if (s->len)
        console_record(s);
    free(s);
}

/* False: no memory. */
static bool console_start(struct cp_user *user, struct spool_device *dev)
{
    if (user->console_spool)
        return true;
    struct console_spool *s = calloc(1, sizeof *s);
    if (s) {
        s->dev = dev;
        user->console_observer = console_observe(
            user->console, console_next_number(user->console), console_wrote, s);
    }
    if (!s || !user->console_observer) {
        free(s);
        return false;
    }
    user->console_spool = s;
    return true;
}

static int console_switch(struct cp_request *req, struct spool_device *dev, int on)
{
    struct cp_user *user = cp_user_find(req->cp, req->userid);
    if (!user || !on)
        return 0;
    spool_device_options(dev)->started = on > 0;
    if (on < 0)
        console_stop(user);
    else if (!console_start(user, dev))
        return cp_fail(req, MSG_CMD052E, "out of memory");
    return 0;
}

void cp_spool_console_resume(struct cp_user *user)
{
    struct spool_device *dev = NULL;
    while ((dev = spool_device_next(cp_spool(user->cp), user->userid, dev)))
        if (spool_device_kind(dev) == SPOOL_DEV_CONS && spool_device_options(dev)->started)
            console_start(user, dev);
}

void cp_spool_console_end(struct cp_user *user)
{
    console_stop(user);
}

/* ---- SPOOL, TAG ---- */

static int spool_device_set(struct cp_request *req, struct spool_device *dev)
{
    struct actions a;
    struct spool_options o = *spool_device_options(dev);
    int rc = options(req, &o, &a, spool_device_kind(dev));
    if (rc)
        return rc;
    if (a.purge && spool_device_kind(dev) != SPOOL_DEV_RDR)
        spool_device_purge(dev);
    if (a.close)
        rc = close_output(req, dev, &o);
    if (rc)
        return rc;
    *spool_device_options(dev) = o;
    spool_device_changed(dev);
    return console_switch(req, dev, a.console);
}

/* SPOOL {RDR | PRT | PUN | CONS | vdev} option ... */
int cp_cmd_spool(struct cp_request *req, void *ctx)
{
    struct devices which;
    int rc = which_devices(req, &which);
    (void)ctx;
    if (!rc && !cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    size_t at = req->at;
    for (struct spool_device *dev = NULL; !rc && (dev = next_device(req, &which, dev));) {
        req->at = at;
        rc = spool_device_set(req, dev);
    }
    return rc;
}

static int tag_text(struct cp_request *req, char out[SPOOL_TAG_BYTES])
{
    const char *text = cp_operand_rest(req);
    size_t n = strlen(text);
    for (size_t i = 0; i < n; i++)
        if (text[i] < 0x20 || text[i] > 0x7e)
            n = SPOOL_TAG_BYTES;
    if (n >= SPOOL_TAG_BYTES)
        return cp_fail(req, MSG_CSP002E, "TAG");
    strcpy(out, text);
    return 0;
}

static int tag_device(struct cp_request *req, bool query)
{
    struct devices which;
    char text[SPOOL_TAG_BYTES];
    int rc = which_devices(req, &which);
    if (!rc && !query)
        rc = tag_text(req, text);
    for (struct spool_device *dev = NULL; !rc && (dev = next_device(req, &which, dev));) {
        struct spool_options *o = spool_device_options(dev);
        if (query)
            cp_line(req, "%s", *o->tag ? o->tag : "TAG NOT SET");
        else
            strcpy(o->tag, text);
    }
    return rc;
}

static int tag_file(struct cp_request *req, bool query)
{
    const char *word = cp_operand(req);
    struct spool_file *f = NULL;
    struct cause cause;
    u64 id;
    if (!word || !scan_number(word, 1, SPOOL_ID_MAX, &id))
        return cp_fail(req, MSG_CSP027E);
    spool_look(cp_spool(req->cp));
    spool_sync(cp_spool(req->cp), req->userid);
    if (!(f = spool_find(cp_spool(req->cp), req->userid, (u16)id)))
        return cp_fail(req, MSG_CSU042E, word);
    struct spool_desc d = *spool_desc(f);
    if (query) {
        cp_line(req, "%s", *d.tag ? d.tag : "TAG NOT SET");
        return 0;
    }
    int rc = tag_text(req, d.tag);
    if (!rc && spool_change(cp_spool(req->cp), f, &d, &cause))
        rc = cp_spool_failed(req, &cause);
    return rc;
}

/* TAG [QUERY] {DEV vdev | FILE spoolid} [text] */
int cp_cmd_tag(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    bool query = word && cp_abbrev(word, "Query");
    (void)ctx;
    if (query)
        word = cp_operand(req);
    if (word && cp_abbrev(word, "DEvice"))
        return tag_device(req, query);
    if (word && cp_abbrev(word, "FIle"))
        return tag_file(req, query);
    return cp_fail(req, MSG_CMD002E, word ? word : "TAG");
}

/* ---- QUERY VIRTUAL ---- */

static void open_text(struct spool_device *dev, char out[16])
{
    u16 id;
    if (spool_device_open(dev, &id))
        snprintf(out, 16, "OPEN %04u", id);
    else
        strcpy(out, "CLOSED   ");
}

static const char *unit_type(enum vm_unit unit)
{
    switch (unit) {
    case VM_UNIT_PRINTER: return "1403";
    case VM_UNIT_PRINTER_3203: return "3203";
    case VM_UNIT_PRINTER_3211: return "3211";
    default: return "2540";
    }
}

static void output_rows(struct cp_request *req, struct spool_device *dev, enum vm_unit unit,
                        const char *tail)
{
    const struct spool_options *o = spool_device_options(dev);
    bool punch = spool_device_kind(dev) == SPOOL_DEV_PUN;
    u16 vdev = spool_device_vdev(dev);
    char open[16], name[48];
    open_text(dev, open);
    snprintf(name, sizeof name, *o->name ? "NAME %s %s" : "NONAME", o->name, o->type);
    cp_line(req, "%s  %04X CL %c %s %s COPY %03u    READY FORM %s", punch ? "PUN" : "PRT", vdev,
            o->class_, o->cont ? "  CONT" : "NOCONT", o->hold ? "  HOLD" : "NOHOLD", o->copies,
            o->form);
    cp_line(req, "     %04X TO %-8s %s DIST %-8s FLASHC 000 DEST %s", vdev,
            *o->to ? o->to : req->userid, spool_queue_name(o->to_queue), o->dist, o->dest);
    cp_line(req, "     %04X FLASH      CHAR      MDFY      0 FCB           LPP OFF", vdev);
    cp_line(req, "     %04X %s   %s %s %s %s %s", vdev, unit_type(unit),
            o->eof ? "  EOF" : "NOEOF", open, o->keep ? "  KEEP" : "NOKEEP",
            o->msg ? "  MSG" : "NOMSG", name);
    cp_line(req, "     %04X %s", vdev, tail);
}

void cp_spool_device_rows(struct cp_request *req, struct spool_device *dev, enum vm_unit unit,
                          const char *tail)
{
    const struct spool_options *o = spool_device_options(dev);
    u16 vdev = spool_device_vdev(dev);
    if (spool_device_kind(dev) != SPOOL_DEV_RDR) {
        output_rows(req, dev, unit, tail);
        return;
    }
    cp_line(req, "RDR  %04X CL %c %s %s %s       READY", vdev, o->class_,
            o->cont ? "  CONT" : "NOCONT", o->hold ? "  HOLD" : "NOHOLD",
            o->eof ? "  EOF" : "NOEOF");
    cp_line(req, "     %04X 2540   %s NORESCAN  %s", vdev, o->keep ? "  KEEP" : "NOKEEP", tail);
}
