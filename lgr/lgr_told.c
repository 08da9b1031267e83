/* Which version of relocations each member speaks, told with the data of a join, so that nobody
 * waits for an answer of a member that cannot read the question. */
#define ENDICOTT_ALWAYS_ASSERT 1
#include "lgr/lgr_internal.h"

#include <stdio.h>

enum { TAG_VERSION = 1 }; /* u8; rows that are not known are passed over */

void lgr_told_export(void *ctx, struct codec_out *out)
{
    const struct lgr *lgr = ctx;
    if (lgr->version)
        codec_put_u8(out, TAG_VERSION, lgr->version);
}

/* The row of a member, or a free one. */
static struct lgr_told *row_of(struct lgr *lgr, const char *member)
{
    struct lgr_told *free = NULL;
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        if (!strcmp(lgr->told[i].member, member))
            return &lgr->told[i];
        if (!lgr->told[i].member[0])
            free = &lgr->told[i];
    }
    return free ? free : &lgr->told[0]; /* members have come and gone: it will tell again */
}

int lgr_told_check(void *ctx, const char *member, const void *data, size_t len,
                   struct cause *cause)
{
    struct codec_in in;
    struct codec_row row;
    struct lgr_told *told = row_of(ctx, member);
    (void)cause;
    snprintf(told->member, sizeof told->member, "%s", member);
    told->version = 0;
    codec_in_init(&in, data, len);
    while (codec_next(&in, &row))
        if (row.tag == TAG_VERSION && !codec_get_u8(&row, &told->version))
            told->version = 0;
    return ST_OK;
}

u8 lgr_told_version(const struct lgr *lgr, const char *member)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (!strcmp(lgr->told[i].member, member) && lgr->told[i].version)
            return lgr->told[i].version;
    return 1;
}
