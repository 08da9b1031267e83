/* Entries as files in a virtual reader: GET puts one there, ADD and REPLACE take them. A file is
 * cards of EBCDIC, a line each, as a guest punches it, or text as `endicott punch` sends it. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_dirmaint.h"
#include "hyp/cp/cp_spool.h"
#include "io/ebcdic.h"

#define COMMAND_CARD 0x41
#define EBCDIC_BLANK 0x40

struct lines {
    char *text;
    size_t len, room;
};

static bool put(struct lines *l, const char *bytes, size_t n)
{
    if (l->len + n + 1 > l->room) {
        size_t room = 2 * (l->len + n + 1024);
        char *more = room < SCAN_FILE_BYTES_MAX ? realloc(l->text, room) : NULL;
        if (!more)
            return false;
        l->text = more;
        l->room = room;
    }
    memcpy(l->text + l->len, bytes, n);
    l->len += n;
    l->text[l->len] = 0;
    return true;
}

/* A card of `endicott punch`: blanks that the spool has left out are characters again. */
static bool put_card(struct lines *l, const struct spool_record *r)
{
    char card[CARD_BYTES];
    size_t n = r->len < CARD_BYTES ? r->len : CARD_BYTES;
    memset(card, EBCDIC_BLANK, sizeof card);
    memcpy(card, r->bytes, n);
    return put(l, card, strnlen(card, sizeof card));
}

static bool put_line(struct lines *l, const struct spool_record *r)
{
    char line[2 * SPOOL_RECORD_BYTES_MAX];
    size_t n = ebcdic_to_utf8(EBCDIC_037, r->bytes, r->len, line);
    while (n && (line[n - 1] == ' ' || !line[n - 1]))
        n--;
    return put(l, line, n) && put(l, "\n", 1);
}

/* All records, one behind the other; NULL: too long, or no text. */
static char *joined(const struct spool_data *data,
                    bool (*put_record)(struct lines *l, const struct spool_record *r))
{
    struct lines l = {0};
    struct spool_place place = {0};
    struct spool_record r;
    bool good = put(&l, "", 0);
    while (good && spool_data_next(data, &place, &r))
        good = r.immediate || put_record(&l, &r);
    if (good && l.len && l.text[l.len - 1] != '\n')
        good = put(&l, "\n", 1);
    if (good && strlen(l.text) == l.len && ebcdic_is_utf8(l.text, l.len))
        return l.text;
    free(l.text);
    return NULL;
}

static char *text_of(const struct spool_data *data)
{
    char *text = joined(data, put_card);
    return text ? text : joined(data, put_line);
}

static bool is_entry_file(const struct spool_desc *desc, const char *user)
{
    return desc->queue == SPOOL_RDR && !strcasecmp(desc->name, user) &&
           !strcasecmp(desc->type, "DIRECT");
}

/* By number, or the newest with the name of the entry. */
static struct spool_file *find(struct dirm *d, const char *spoolid)
{
    struct spool *spool = cp_spool(d->req->cp);
    struct spool_file *found = NULL, *f = NULL;
    u64 id;
    if (spoolid)
        return scan_number(spoolid, 1, SPOOL_ID_MAX, &id)
                   ? spool_find(spool, d->req->userid, (u16)id)
                   : NULL;
    while ((f = spool_next(spool, f)))
        if (!strcmp(spool_desc(f)->owner, d->req->userid) &&
            is_entry_file(spool_desc(f), d->user))
            found = f;
    return found;
}

char *dirm_reader_text(struct dirm *d, const char *spoolid, int *rc)
{
    struct spool *spool = cp_spool(d->req->cp);
    struct spool_data data;
    struct cause cause = {0};
    char *text = NULL;
    spool_sync(spool, d->req->userid);
    struct spool_file *f = find(d, spoolid);
    if (!f || spool_desc(f)->queue != SPOOL_RDR) {
        *rc = cp_fail(d->req, MSG_DRM042E, spoolid ? spoolid : d->user);
        return NULL;
    }
    spool_data_init(&data);
    if (spool_load(spool, f, &data, &cause) == ST_OK)
        text = text_of(&data);
    spool_data_fini(&data);
    if (!text)
        *rc = dirm_refused(d, cause.text[0] ? cause.text : "the file is no text");
    else
        d->reader_file = spool_desc(f)->id;
    return text;
}

static bool add_lines(struct spool_data *data, const char *text, size_t len)
{
    u8 record[SPOOL_RECORD_BYTES_MAX];
    while (len) {
        const char *end = memchr(text, '\n', len);
        size_t n = end ? (size_t)(end - text) : len;
        if (n > sizeof record)
            return false;
        size_t bytes = ebcdic_from_utf8(EBCDIC_037, text, n, record, sizeof record);
        while (bytes < CARD_BYTES)
            record[bytes++] = EBCDIC_BLANK;
        if (!spool_data_add(data, COMMAND_CARD, record, bytes))
            return false;
        n += end != NULL;
        text += n;
        len -= n;
    }
    return true;
}

int dirm_reader_put(struct dirm *d, const char *text, size_t len)
{
    struct spool_desc desc;
    struct spool_data data;
    struct spool_file *file;
    struct cause cause = {0};
    spool_desc_init(&desc, d->req->userid, SPOOL_RDR);
    strcpy(desc.origin, "DIRMAINT");
    snprintf(desc.name, sizeof desc.name, "%s", d->user);
    strcpy(desc.type, "DIRECT");
    spool_data_init(&data);
    bool good = add_lines(&data, text, len);
    int status = good ? spool_add(cp_spool(d->req->cp), &desc, &data, &file, &cause) : ST_LIMIT;
    spool_data_fini(&data);
    if (status)
        return dirm_refused(d, good ? cause.text : "a line is too long for a card");
    cp_line(d->req, "RDR FILE %04u SENT FROM DIRMAINT PUN", spool_desc(file)->id);
    return 0;
}
