/* The description of a spool file as rows: of its meta file and of a relocation stream. Each
 * member has its row; what comes back is checked as if it were hostile. */
#include "hyp/spool/spool_internal.h"

#define NUMBER_ROWS(R) WORD_ROWS(R) FLAG_ROWS(R) SIZE_ROWS(R)
#define WORD_ROWS(R) R(1, number) R(2, desc.id) R(7, desc.created_ns) R(11, order)
#define FLAG_ROWS(R)                                                                           \
    R(3, desc.class_)                                                                          \
    R(6, desc.hold) R(8, desc.keep) R(9, desc.queue) R(12, desc.system_hold)
#define SIZE_ROWS(R) R(4, desc.records) R(5, desc.copies) R(10, desc.record_bytes)
#define TEXT_ROWS(R)                                                                           \
    R(16, origin)                                                                              \
    R(17, name)                                                                                \
    R(18, type) R(19, dist) R(20, device) R(21, owner) R(22, form) R(23, dest) R(24, tag)

void spool_rows_put(struct codec_out *out, const struct spool_file *file)
{
#define R(tag, member) codec_put_u64(out, tag, (u64)file->member);
    NUMBER_ROWS(R)
#undef R
#define R(tag_, member)                                                                        \
    codec_put_bytes(out, tag_, file->desc.member, strlen(file->desc.member));
    TEXT_ROWS(R)
#undef R
}

/* Words that come out on consoles: printing characters only. */
bool spool_text_get(const struct codec_row *row, char *out, size_t room)
{
    if (row->len >= room)
        return false;
    for (size_t i = 0; i < row->len; i++)
        if (row->p[i] < 0x20 || row->p[i] > 0x7e)
            return false;
    memcpy(out, row->p, row->len);
    out[row->len] = 0;
    return true;
}

static bool take_row(const struct codec_row *row, struct spool_file *file)
{
    u64 v = 0;
    switch (row->tag) {
#define R(tag, member)                                                                         \
    case tag:                                                                                  \
        if (!codec_get_u64(row, &v))                                                           \
            return false;                                                                      \
        file->member = (__typeof__(file->member))v;                                            \
        return (u64)file->member == v;
        NUMBER_ROWS(R)
#undef R
#define R(tag_, member)                                                                        \
    case tag_: return spool_text_get(row, file->desc.member, sizeof file->desc.member);
        TEXT_ROWS(R)
#undef R
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool valid(const struct spool_desc *d)
{
    bool class_ok =
        (d->class_ >= 'A' && d->class_ <= 'Z') || (d->class_ >= '0' && d->class_ <= '9');
    return d->id && d->id <= SPOOL_ID_MAX && class_ok && d->queue < SPOOL_QUEUES && *d->owner &&
           *d->device && d->record_bytes <= SPOOL_PAGE_BYTES;
}

bool spool_rows_get(struct codec_in *in, struct spool_file *file)
{
    struct codec_row row;
    bool good = true;
    while (good && codec_next(in, &row))
        good = take_row(&row, file);
    return good && !in->failed && valid(&file->desc);
}
