/* Spooled devices: SPOOL, CLOSE, TAG and their lines of QUERY VIRTUAL. Console output is
 * spooled as a printer file by an observer of the console. */
#include <stddef.h>
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
    u32 said[2]; /* rows of option_rows whose name stood there; whose opposite did */
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

enum spool_option {
    OPT_FLAG,
    OPT_CLASS,
    OPT_PURGE,
    OPT_TO,
    OPT_OWN,
    OPT_SYSTEM,
    OPT_WORD,
    OPT_DIST,
    OPT_COPY,
    OPT_NAME,
    OPT_CLOSE,
    OPT_START
};

#define FLAG(member) OPT_FLAG, offsetof(struct spool_options, member)
#define WORD(member) OPT_WORD, offsetof(struct spool_options, member)
enum whose { ANY_DEVICE, NO_READER, CONSOLE_ONLY };

#define STAYS 2 /* the first rows: what keeps a file that is closed */

/* The first that fits wins. */
static const struct option_row {
    const char *on, *off; /* off "": there is none */
    enum spool_option what;
    size_t at;
    enum whose whose;
    const char *none; /* what OFF stands for */
} option_rows[] = {
    {"HOld", "NOHold", FLAG(hold), ANY_DEVICE, NULL},
    {"KEep", "NOKeep", FLAG(keep), ANY_DEVICE, NULL},
    {"CONt", "NOContinuous", FLAG(cont), ANY_DEVICE, NULL},
    {"EOF", "NOEof", FLAG(eof), ANY_DEVICE, NULL},
    {"MSG", "NOMsg", FLAG(msg), ANY_DEVICE, NULL},
    {"CLass", "", OPT_CLASS, 0, ANY_DEVICE, NULL},
    {"PUrge", "", OPT_PURGE, 0, ANY_DEVICE, NULL},
    {"To", "", OPT_TO, 0, NO_READER, NULL},
    {"FOR", "", OPT_TO, 0, NO_READER, NULL},
    {"*", "", OPT_OWN, 0, NO_READER, NULL},
    {"SYStem", "", OPT_SYSTEM, 0, NO_READER, NULL},
    {"OFF", "", OPT_SYSTEM, 0, NO_READER, NULL},
    {"FORM", "", WORD(form), NO_READER, SPOOL_FORM},
    {"DEST", "", WORD(dest), NO_READER, SPOOL_DEST},
    {"DIst", "", OPT_DIST, 0, NO_READER, NULL},
    {"COpy", "", OPT_COPY, 0, NO_READER, NULL},
    {"NAme", "NOName", OPT_NAME, 0, NO_READER, NULL},
    {"CLOse", "", OPT_CLOSE, 0, NO_READER, NULL},
    {"STArt", "STOp", OPT_START, 0, CONSOLE_ONLY, NULL},
};

const char *cp_spool_option_name(unsigned i, const char **off)
{
    for (size_t k = 0; k < ARRAY_LEN(option_rows); k++)
        if (option_rows[k].what != OPT_PURGE && option_rows[k].what != OPT_CLOSE && !i--) {
            *off = option_rows[k].off;
            return option_rows[k].on;
        }
    return NULL;
}

static int own_queue(struct cp_request *req, struct spool_options *o)
{
    enum spool_queue queue = SPOOL_RDR;
    const char *next = cp_operand_peek(req);
    if (next && cp_spool_queue(next, &queue))
        cp_operand(req);
    strcpy(o->to, req->userid);
    o->to_queue = queue;
    return 0;
}

static void take_flag(const struct option_row *row, bool on, struct spool_options *o,
                      struct actions *a)
{
    *(bool *)((char *)o + row->at) = on;
    a->hold_given |= row->at == offsetof(struct spool_options, hold);
    a->keep_given |= row->at == offsetof(struct spool_options, keep);
}

static int take_option(struct cp_request *req, const struct option_row *row, bool on,
                       struct spool_options *o, struct actions *a, enum spool_kind kind)
{
    switch (row->what) {
    case OPT_FLAG: take_flag(row, on, o, a); break;
    case OPT_CLASS: return cp_spool_class(req, kind == SPOOL_DEV_RDR, &o->class_);
    case OPT_PURGE: a->purge = true; break;
    case OPT_TO: return destination(req, o, kind);
    case OPT_OWN: return own_queue(req, o);
    case OPT_SYSTEM:
        o->to[0] = 0;
        o->to_queue = kind == SPOOL_DEV_PUN ? SPOOL_PUN : SPOOL_PRT;
        break;
    case OPT_WORD: return or_off(req, (char *)o + row->at, row->none);
    case OPT_DIST: return or_off(req, o->dist, req->userid);
    case OPT_COPY: return cp_spool_copies(req, &o->copies);
    case OPT_NAME:
        if (on)
            return cp_spool_name(req, o->name, o->type);
        o->name[0] = o->type[0] = 0;
        break;
    case OPT_CLOSE: a->close = true; break;
    case OPT_START: a->console = on ? 1 : -1; break;
    }
    return 0;
}

_Static_assert(ARRAY_LEN(option_rows) <= 32, "actions.said has a bit for each");

/* An option and its opposite, two places to go to; a file that is closed to be gone and to stay. */
static bool conflict(const struct cp_request *req, const struct actions *a)
{
    u32 places = 0, purge = 0, stay = 0;
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
        const struct option_row *row = &option_rows[i];
        bool goes = row->what == OPT_TO || row->what == OPT_OWN || row->what == OPT_SYSTEM;
        places |= goes && *row->on != 'F' ? a->said[0] & 1u << i : 0; /* FOR goes with TO */
        purge |= row->what == OPT_PURGE ? a->said[0] & 1u << i : 0;
        stay |= i < STAYS ? a->said[0] & 1u << i : 0;
    }
    return a->said[0] & a->said[1] || places & (places - 1) ||
           (purge && stay && !strcmp(req->command, "CLOSE"));
}

static int one_option(struct cp_request *req, const char *word, struct spool_options *o,
                      struct actions *a, enum spool_kind kind)
{
    for (size_t i = 0; i < ARRAY_LEN(option_rows); i++) {
        const struct option_row *row = &option_rows[i];
        bool on = cp_abbrev(word, row->on);
        if ((row->whose == NO_READER && kind == SPOOL_DEV_RDR) ||
            (row->whose == CONSOLE_ONLY && kind != SPOOL_DEV_CONS) ||
            (!on && !(*row->off && cp_abbrev(word, row->off))))
            continue;
        a->said[!on] |= 1u << i;
        if (conflict(req, a))
            return cp_fail(req, MSG_CMD013E, word);
        return take_option(req, row, on, o, a, kind);
    }
    return cp_fail(req, MSG_CMD003E, word);
}

static int options(struct cp_request *req, struct spool_options *o, struct actions *a,
                   enum spool_kind kind)
{
    const char *word;
    int rc = 0;
    *a = (struct actions){.close = false};
    while (!rc && (word = cp_operand(req)))
        rc = one_option(req, word, o, a, kind);
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
    bool frozen; /* from the taking of its user's state on; it goes on behind: */
    u64 number;  /* this line of the console, */
    u32 at;      /* and this byte of it */
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
    if (s->frozen) { /* its file is another member's, or was never ours */
        user->console_spool = NULL;
        free(s);
        return;
    }
    console_poll(user->console); /* what has been written until now */
    console_unobserve(user->console, user->console_observer);
    user->console_spool = NULL;
    if (s->len)
        console_record(s);
    free(s);
}

void cp_spool_console_freeze(struct cp_user *user)
{
    struct console_spool *s = user->console_spool;
    struct console_line partial;
    if (!s || s->frozen)
        return;
    console_unobserve(user->console, user->console_observer);
    s->number = console_next_number(user->console);
    s->at = console_partial(user->console, &partial) ? (u32)partial.len : 0;
    s->frozen = true;
}

void cp_spool_console_thaw(struct cp_user *user)
{
    struct console_spool *s = user->console_spool;
    if (!s || !s->frozen)
        return;
    user->console_observer =
        console_observe_at(user->console, s->number, s->at, console_wrote, s);
    s->frozen = user->console_observer == 0;
}

void cp_spool_console_save(struct cp_user *user, u16 tag, struct codec_out *out)
{
    const struct console_spool *s = user->console_spool;
    u8 row[12 + CONSOLE_RECORD_BYTES];
    if (!s || !s->frozen)
        return;
    be64_store(row, s->number);
    be32_store(row + 8, s->at);
    memcpy(row + 12, s->line, s->len);
    codec_put_bytes(out, tag, row, 12 + s->len);
}

static struct spool_device *console_device(const struct cp_user *user)
{
    struct spool_device *dev = NULL;
    while ((dev = spool_device_next(cp_spool(user->cp), user->userid, dev)) &&
           spool_device_kind(dev) != SPOOL_DEV_CONS)
        ;
    return dev;
}

bool cp_spool_console_take(struct cp_user *user, const struct codec_row *row)
{
    struct console_spool *s = calloc(1, sizeof *s);
    struct spool_device *dev = console_device(user);
    bool good = s && dev && !user->console_spool && row->len >= 12 &&
                row->len <= 12 + CONSOLE_RECORD_BYTES && be64_load(row->p) &&
                be32_load(row->p + 8) <= CONSOLE_LINE_BYTES_MAX;
    if (!good) {
        free(s);
        return false;
    }
    *s = (struct console_spool){.dev = dev,
                                .len = row->len - 12,
                                .frozen = true,
                                .number = be64_load(row->p),
                                .at = be32_load(row->p + 8)};
    memcpy(s->line, row->p + 12, s->len);
    user->console_spool = s;
    return true;
}

/* False: no memory. */
static bool console_start(struct cp_user *user, struct spool_device *dev)
{
    cp_spool_console_thaw(user);
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
        return cp_missing_file(req, (unsigned)id);
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
    return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
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

/* The first row of a console says where it is. */
static void output_rows(struct cp_request *req, struct spool_device *dev, const char *type,
                        const char *tail)
{
    static const char *const classes[] = {
        [SPOOL_DEV_PRT] = "PRT ", [SPOOL_DEV_PUN] = "PUN ", [SPOOL_DEV_CONS] = "    "};
    const struct spool_options *o = spool_device_options(dev);
    u16 vdev = spool_device_vdev(dev);
    char open[16], name[48];
    open_text(dev, open);
    snprintf(name, sizeof name, *o->name ? "NAME %s %s" : "NONAME", o->name, o->type);
    cp_line(req, "%s %04X CL %c %s %s COPY %03u    READY FORM %s",
            classes[spool_device_kind(dev)], vdev, o->class_, o->cont ? "  CONT" : "NOCONT",
            o->hold ? "  HOLD" : "NOHOLD", o->copies, o->form);
    cp_line(req, "     %04X TO %-8s %s DIST %-8s FLASHC 000 DEST %s", vdev,
            *o->to ? o->to : req->userid, spool_queue_name(o->to_queue), o->dist, o->dest);
    cp_line(req, "     %04X FLASH      CHAR      MDFY      0 FCB           LPP OFF", vdev);
    cp_line(req, "     %04X %s   %s %s %s %s %s", vdev, type, o->eof ? "  EOF" : "NOEOF", open,
            o->keep ? "  KEEP" : "NOKEEP", o->msg ? "  MSG" : "NOMSG", name);
    cp_line(req, "     %04X %s", vdev, tail);
}

void cp_spool_device_rows(struct cp_request *req, struct spool_device *dev, enum vm_unit unit,
                          const char *tail)
{
    const struct spool_options *o = spool_device_options(dev);
    u16 vdev = spool_device_vdev(dev);
    if (spool_device_kind(dev) != SPOOL_DEV_RDR) {
        output_rows(req, dev, unit_type(unit), tail);
        return;
    }
    cp_line(req, "RDR  %04X CL %c %s %s %s       READY", vdev, o->class_,
            o->cont ? "  CONT" : "NOCONT", o->hold ? "  HOLD" : "NOHOLD",
            o->eof ? "  EOF" : "NOEOF");
    cp_line(req, "     %04X 2540   %s NORESCAN  %s", vdev, o->keep ? "  KEEP" : "NOKEEP", tail);
}

void cp_console_rows(struct cp_request *req, struct cp_user *user, u16 vdev)
{
    struct spool_device *dev = spool_device_find(cp_spool(req->cp), user->userid, vdev);
    const struct spool_options *o = dev ? spool_device_options(dev) : NULL;
    char where[DIR_NAME_BYTES + 8], tail[32];
    snprintf(tail, sizeof tail, "SUBCHANNEL = %04X",
             (unsigned)req->cp->ports.vm->subchannel(user->vm, vdev));
    cp_line(
        req, "CONS %04X %s%s  TERM %s", vdev, user->disconnected ? "DISCONNECTED" : "ON LDEV ",
        user->disconnected ? "" : cp_where(user, where), o && o->started ? "START" : "STOP");
    if (o)
        output_rows(req, dev, user->entry->console_devtype == 0x3270 ? "3270" : "3215", tail);
    else
        cp_line(req, "     %04X %s", vdev, tail);
}
