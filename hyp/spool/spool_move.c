/* Reader files of a user whose machine moves. Which there are is in the state of its readers; here
 * are their descriptions. In a cluster a file stays in the folder where it is, and only its place
 * is told: the machine's new home finds it there, reads its pages, and takes hold of what is open
 * while the old one still has it ([L2] of spool_lock.c). Without a shared folder pages (in the
 * state of the readers) and descriptions go along, and the file is written anew where it comes.
 * What comes in is checked as if it were hostile. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/spool/spool_internal.h"
#include "mem/base/log.h"

#define TAG_FILE 1
#define FILE_VERSION 2
#define TAG_PLACE (CODEC_MANDATORY | 2)
#define PLACE_VERSION 1
#define ROW_NUMBER (CODEC_MANDATORY | 1)
#define ROW_SERIAL (CODEC_MANDATORY | 2)
#define ROW_MEMBER (CODEC_MANDATORY | 3) /* in whose folder */

static void place_put(const struct spool *spool, const struct spool_file *f,
                      struct codec_out *out)
{
    const char *member = spool->home[f->home].member;
    codec_begin(out, TAG_PLACE, PLACE_VERSION);
    codec_put_u32(out, ROW_NUMBER, f->number);
    codec_put_u64(out, ROW_SERIAL, f->serial);
    codec_put_bytes(out, ROW_MEMBER, member, strlen(member));
    codec_end(out);
}

void spool_save(const struct spool *spool, const char *userid, struct codec_out *out)
{
    for (const struct spool_file *f = spool->first; f; f = f->next) {
        if (!f->number || !spool_is_of(f, userid))
            continue;
        if (spool->shared) {
            place_put(spool, f, out);
            continue;
        }
        codec_begin(out, TAG_FILE, FILE_VERSION);
        spool_rows_put(out, f);
        codec_end(out);
    }
}

/* ---- a file that stays where it is ---- */

struct place {
    u32 number;
    u64 serial;
    char member[SPOOL_WORD_BYTES];
};

static bool place_get(struct codec_in *in, struct place *p)
{
    struct codec_row row;
    bool good = true;
    *p = (struct place){0};
    while (good && codec_next(in, &row)) {
        switch (row.tag) {
        case ROW_NUMBER: good = codec_get_u32(&row, &p->number); break;
        case ROW_SERIAL: good = codec_get_u64(&row, &p->serial); break;
        case ROW_MEMBER: good = spool_text_get(&row, p->member, sizeof p->member); break;
        default: good = !(row.tag & CODEC_MANDATORY); break;
        }
    }
    return good && !in->failed && p->number && *p->member;
}

static bool in_reader(struct reader *reader, u32 number, struct reader_file *info)
{
    for (unsigned k = 0; reader && reader_file_info(reader, k, info); k++)
        if (info->number == number)
            return true;
    return false;
}

/* Its pages, which are on the shared disk; an older level has sent them. */
static bool fill(const struct spool *spool, struct reader *reader, const struct spool_file *f,
                 u32 number)
{
    struct spool_data data;
    struct cause cause = {0};
    if (!reader_awaits(reader, number))
        return true;
    bool good =
        spool_disk_load(spool, f, &data, &cause) == ST_OK && reader_fill(reader, number, &data);
    if (cause.status)
        log_line("spool: %s", cause.text);
    spool_data_fini(&data);
    return good;
}

static bool take_place(struct spool *spool, const char *userid, struct codec_in *in)
{
    struct reader *reader = spool_reader(spool, userid, 0);
    struct reader_file info;
    struct place p;
    if (!place_get(in, &p) || !in_reader(reader, p.number, &info) ||
        spool_by_number(spool, userid, p.number))
        return false;
    unsigned home = spool_home_of(spool, p.member);
    if (home == SPOOL_HOMES_MAX)
        return false;
    spool_refresh(spool, home, p.serial);
    struct spool_file *f = spool_at(spool, home, p.serial);
    if (!f || f->hidden || f->desc.queue != SPOOL_RDR || !spool_is_of(f, userid))
        return reader_remove(reader, p.number); /* it has gone since */
    if (f->number || (info.reading && !spool_claim_beside(spool, f)))
        return false;
    if (!fill(spool, reader, f, p.number))
        return false;
    f->number = p.number;
    f->desc.open = info.reading;
    spool_file_shown(spool, f);
    return true;
}

/* ---- a file that comes along ---- */

/* One that waits here gives its id up. */
static void id_make_free(struct spool *spool, const char *userid, u16 id)
{
    struct cause cause;
    struct spool_file *f = spool_find(spool, userid, id);
    if (!f)
        return;
    f->desc.id = spool_free_id(spool, userid);
    if (spool_disk_describe(spool, f, &cause))
        log_line("spool: %s", cause.text);
}

/* The file is on disk here before the guest runs here. */
static bool keep_here(struct spool *spool, struct spool_file *f)
{
    struct reader *reader = spool_reader(spool, f->desc.owner, 0);
    struct spool_data data;
    struct cause cause;
    if (!reader || !reader_file_pages(reader, f->number, &data))
        return false;
    f->desc.records = data.records;
    spool_space_have(&spool->space, &f->space, data.pages);
    int rc = spool_disk_store(spool, f, &data, &cause);
    if (rc)
        log_line("spool: %s", cause.text);
    else if (!spool->folder)
        f->data = data;
    if (rc || spool->folder)
        spool_data_fini(&data);
    return rc == ST_OK;
}

static bool take_file(struct spool *spool, const char *userid, struct codec_in *in)
{
    struct spool_file *f = calloc(1, sizeof *f);
    bool good = f && spool_rows_get(in, f) && spool_is_of(f, userid) && f->number &&
                !spool_by_number(spool, userid, f->number) && f->desc.queue == SPOOL_RDR;
    struct spool_file *same = good ? spool_find(spool, userid, f->desc.id) : NULL;
    if (!good || (same && same->number)) {
        free(f);
        return false;
    }
    id_make_free(spool, userid, f->desc.id);
    f->serial = spool_new_serial(spool);
    f->order = spool_last_order(spool) + 1;
    if (!keep_here(spool, f)) {
        spool_file_free(spool, f);
        return false;
    }
    spool_insert(spool, f);
    return true;
}

static bool take_block(struct spool *spool, const char *userid, const struct codec_row *row)
{
    struct codec_in file;
    if (row->tag == TAG_PLACE)
        return codec_open(row, &file) && file.version == PLACE_VERSION &&
               take_place(spool, userid, &file);
    if (row->tag != TAG_FILE)
        return !(row->tag & CODEC_MANDATORY);
    return codec_open(row, &file) && file.version == FILE_VERSION &&
           spool_count(spool, userid, SPOOL_RDR) < SPOOL_FILES_PER_USER_MAX &&
           take_file(spool, userid, &file);
}

bool spool_restore(struct spool *spool, const char *userid, struct codec_in *in)
{
    struct codec_row row;
    if (spool->shared)
        spool_look(spool);
    while (codec_next(in, &row))
        if (!take_block(spool, userid, &row))
            return false;
    return !in->failed;
}
