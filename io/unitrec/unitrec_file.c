/* Host files behind punch, printer and reader. The printer's form has 66 lines and the usual
 * carriage tape, until a forms control buffer says otherwise; machine commands move it after the
 * line, ASA characters before: so ASA holds a motion back until the next record. Sources: IBM 1403
 * Component Description; ISO/R1539 for ASA. */
#include "io/unitrec/unitrec_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/ebcdic.h"
#include "io/unitrec/unitrec.h"
#include "mem/base/log.h"

#define LINE_BYTES 132
#define LINES 66
#define LINES_MAX 180 /* of a forms control buffer */
#define CHANNELS 12
#define OUTPUT_BYTES 1024
#define BLANK 0x40

/** A motion of the form: `channel` to skip to, else `lines` to space. */
struct motion {
    u8 channel, lines;
};

/** Lines count from 1; channel[line] is 0 where there is none. */
struct form {
    unsigned lines;
    u8 channel[LINES_MAX + 1];
};

/** What the next record needs to know of those before. */
struct carriage {
    unsigned line;       /* of the form, from 1 */
    bool printed;        /* on this line, so that the next one overprints */
    struct motion after; /* ASA: to be done before the next line */
};

/** Located by its device's configuration; one thread at a time. */
struct unitrec_file {
    char *path;
    int fd;
    bool regular, told;
    off_t end;
    struct unitrec_format format;
    struct form form;
    struct carriage at;
};

struct output {
    u8 bytes[OUTPUT_BYTES];
    size_t n;
};

static const u8 channel_line[CHANNELS + 1] = {0, 1, 7, 13, 19, 25, 31, 37, 43, 63, 49, 55, 61};

/* ---- carriage control ---- */

static struct motion motion_of(u8 command)
{
    u8 n = command >> 3 & 0xf;
    if (command & 0x80)
        return (struct motion){.channel = n <= CHANNELS ? n : 0};
    return (struct motion){.lines = n <= 3 ? n : 0};
}

static void put(struct output *o, u8 byte, size_t count)
{
    while (count-- && o->n < sizeof o->bytes)
        o->bytes[o->n++] = byte;
}

/** The line in ASCII without trailing blanks. */
static void put_text(struct output *o, const u8 *bytes, size_t len)
{
    char text[2 * LINE_BYTES];
    while (len && bytes[len - 1] == BLANK)
        len--;
    size_t n = ebcdic_to_utf8(EBCDIC_037, bytes, len < LINE_BYTES ? len : LINE_BYTES, text);
    for (size_t i = 0; i < n; i++)
        put(o, (u8)text[i], 1);
}

/** The line in EBCDIC, `width` bytes. */
static void put_record(struct output *o, const u8 *bytes, size_t len, size_t width)
{
    for (size_t i = 0; i < width; i++)
        put(o, i < len ? bytes[i] : BLANK, 1);
}

/** The next line with a channel, from `line` on and then from the top; 0: none has it. */
static unsigned form_line(const struct form *form, unsigned line, u8 channel)
{
    for (unsigned i = 0; i < form->lines; i++) {
        unsigned at = (line - 1 + i) % form->lines + 1;
        if (form->channel[at] == channel)
            return at;
    }
    return 0;
}

static void text_move(struct output *o, const struct form *form, struct carriage *at,
                      struct motion motion)
{
    unsigned lines = motion.lines;
    if (motion.channel) {
        unsigned target = form_line(form, at->line, motion.channel);
        if (!target || target == at->line)
            return; /* the form is there already */
        if (target < at->line) {
            put(o, '\f', 1);
            at->line = 1;
            at->printed = false;
        }
        lines = target - at->line;
    }
    put(o, '\n', lines);
    if (lines)
        at->printed = false;
    at->line = (at->line - 1 + lines) % form->lines + 1;
}

static void text_record(struct output *o, const struct form *form, struct carriage *at,
                        bool immediate, struct motion motion, const u8 *bytes, size_t len)
{
    if (!immediate) {
        if (at->printed)
            put(o, '\r', 1);
        put_text(o, bytes, len);
        at->printed = true;
    }
    text_move(o, form, at, motion);
}

static u8 asa_of(struct motion motion)
{
    if (motion.channel)
        return (u8) "123456789ABC"[motion.channel - 1];
    return (u8) "+ 0-"[motion.lines];
}

static void asa_line(struct output *o, bool ebcdic, struct motion before, const u8 *bytes,
                     size_t len)
{
    char asa[2] = {(char)asa_of(before), 0};
    if (!ebcdic) {
        put(o, (u8)asa[0], 1);
        put_text(o, bytes, len);
        put(o, '\n', 1);
        return;
    }
    u8 code;
    ebcdic_pad(asa, 1, &code);
    put(o, code, 1);
    put_record(o, bytes, len, LINE_BYTES);
}

static void asa_record(struct output *o, bool ebcdic, struct carriage *at, bool immediate,
                       struct motion motion, const u8 *bytes, size_t len)
{
    bool held = at->after.channel || at->after.lines;
    if (!immediate) {
        asa_line(o, ebcdic, at->after, bytes, len);
        at->after = motion;
    } else if (!at->after.channel && !motion.channel && at->after.lines + motion.lines <= 3) {
        at->after.lines += motion.lines;
    } else {
        if (held)
            asa_line(o, ebcdic, at->after, NULL, 0);
        at->after = motion;
    }
}

static void make_record(const struct unitrec_file *f, struct output *o, struct carriage *at,
                        u8 command, const u8 *bytes, size_t len)
{
    bool immediate = (command & 3) == 3;
    switch (f->format.carriage) {
    case UNITREC_CARDS:
        if (f->format.ebcdic) {
            put_record(o, bytes, len, CARD_BYTES);
        } else {
            put_text(o, bytes, len);
            put(o, '\n', 1);
        }
        break;
    case UNITREC_TEXT:
        text_record(o, &f->form, at, immediate, motion_of(command), bytes, len);
        break;
    case UNITREC_ASA:
        asa_record(o, f->format.ebcdic, at, immediate, motion_of(command), bytes, len);
        break;
    case UNITREC_MACHINE:
        put(o, command, 1);
        put_record(o, bytes, len, LINE_BYTES);
        break;
    }
}

static void form_usual(struct form *form)
{
    *form = (struct form){.lines = LINES};
    for (u8 channel = 1; channel <= CHANNELS; channel++)
        form->channel[channel_line[channel]] = channel;
}

/** By a forms control buffer; the paper stays where it is, if the form still has the line. */
static void form_load(struct unitrec_file *f, const u8 *fcb, size_t lines)
{
    f->form = (struct form){.lines = lines < LINES_MAX ? (unsigned)lines : LINES_MAX};
    for (unsigned i = 0; i < f->form.lines; i++)
        f->form.channel[i + 1] = fcb[i] & 0x0f;
    if (f->at.line > f->form.lines)
        f->at.line = 1;
}

/* ---- the file ---- */

/** All of it, or nothing where the file can be cut; an errno. */
static int put_out(struct unitrec_file *f, const struct output *o)
{
    for (size_t done = 0; done < o->n;) {
        ssize_t n = f->regular
                        ? pwrite(f->fd, o->bytes + done, o->n - done, f->end + (off_t)done)
                        : write(f->fd, o->bytes + done, o->n - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int failed = n ? errno : ENOSPC;
            if (f->regular && ftruncate(f->fd, f->end))
                log_line("%s: %s", f->path, strerror(errno));
            return failed;
        }
        done += (size_t)n;
    }
    f->end += (off_t)o->n;
    return 0;
}

int unitrec_file_sink(void *arg, u16 devno, u8 command, const u8 *bytes, size_t len)
{
    struct unitrec_file *f = arg;
    const char *what = f->format.carriage == UNITREC_CARDS ? "punch" : "printer";
    struct output o = {.n = 0};
    if (command == UNITREC_LOAD_FORM) {
        form_load(f, bytes, len);
        return ST_OK;
    }
    struct carriage at = f->at;
    make_record(f, &o, &at, command, bytes, len);
    int failed = put_out(f, &o);
    if (failed) {
        if (!f->told)
            log_operator('E', "%s %04X: %s: %s", what, devno, f->path, strerror(failed));
        f->told = true;
        return failed == ENOSPC || failed == EFBIG || failed == EDQUOT ? ST_LIMIT : ST_IO;
    }
    if (f->told)
        log_operator('I', "%s %04X: %s: goes on", what, devno, f->path);
    f->told = false;
    f->at = at;
    return ST_OK;
}

int unitrec_file_open(const char *path, const struct unitrec_format *format,
                      struct unitrec_file **out, struct cause *cause)
{
    struct stat st;
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (format->append ? 0 : O_TRUNC);
    struct unitrec_file *f = calloc(1, sizeof *f);
    if (!f || !(f->path = strdup(path))) {
        free(f);
        return cause_set(cause, ST_NOMEM, "%s: out of memory", path);
    }
    f->fd = open(path, flags, 0666);
    if (f->fd < 0 || fstat(f->fd, &st)) {
        int rc = cause_set(cause, errno == ENOENT ? ST_NOENT : ST_PERM, "%s: %s", path,
                           strerror(errno));
        unitrec_file_close(f);
        return rc;
    }
    f->regular = S_ISREG(st.st_mode);
    f->end = f->regular ? st.st_size : 0;
    f->format = *format;
    f->at.line = 1;
    form_usual(&f->form);
    *out = f;
    return ST_OK;
}

/** A skip that ASA held back is done; a line that no line feed ended gets one. */
static void finish(struct unitrec_file *f)
{
    struct output o = {.n = 0};
    if (f->format.carriage == UNITREC_ASA && f->at.after.channel)
        asa_line(&o, f->format.ebcdic, f->at.after, NULL, 0);
    if (f->format.carriage == UNITREC_TEXT && f->at.printed)
        put(&o, '\n', 1);
    int failed = put_out(f, &o);
    if (failed)
        log_line("%s: %s", f->path, strerror(failed));
}

void unitrec_file_close(struct unitrec_file *f)
{
    if (!f)
        return;
    if (f->fd >= 0) {
        finish(f);
        close(f->fd);
    }
    free(f->path);
    free(f);
}

/* ---- decks ---- */

static int deck_lines(FILE *file, const char *path, struct spool_data *out, struct cause *cause)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    int rc = ST_OK;
    for (unsigned long number = 1; rc == ST_OK && (n = getline(&line, &room, file)) >= 0;
         number++) {
        u8 card[CARD_BYTES + 1];
        while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            n--;
        size_t len = ebcdic_from_utf8(EBCDIC_037, line, (size_t)n, card, sizeof card);
        if (len > CARD_BYTES)
            rc = cause_set(cause, ST_INVAL, "%s: line %lu has more than %u characters", path,
                           number, CARD_BYTES);
        else if (!spool_data_add(out, 0x41, card, len))
            rc = cause_set(cause, ST_LIMIT, "%s: too large for a deck", path);
    }
    free(line);
    return rc;
}

static int deck_images(FILE *file, const char *path, struct spool_data *out,
                       struct cause *cause)
{
    u8 cards[51 * CARD_BYTES];
    size_t n;
    while ((n = fread(cards, 1, sizeof cards, file)) > 0)
        if (!spool_data_add_cards(out, cards, n))
            return cause_set(cause, ST_LIMIT, "%s: too large for a deck", path);
    return ST_OK;
}

int unitrec_deck_load(const char *path, bool ascii, struct spool_data *out, struct cause *cause)
{
    FILE *file = fopen(path, "re");
    spool_data_init(out);
    if (!file)
        return cause_set(cause, ST_NOENT, "%s: %s", path, strerror(errno));
    int rc = (ascii ? deck_lines : deck_images)(file, path, out, cause);
    if (rc == ST_OK && ferror(file))
        rc = cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));
    if (rc == ST_OK && !out->records)
        rc = cause_set(cause, ST_INVAL, "%s: a deck without cards", path);
    fclose(file);
    if (rc)
        spool_data_fini(out);
    return rc;
}
