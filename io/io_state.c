/* The row tables of everything in io/ that relocates, generated from io_state.def. */
#include "io/io_state.h"

#include "io/css_internal.h"

#define ROW_ENTRY(type, tag, width, member)                                                    \
    {(tag) | CODEC_MANDATORY, offsetof(struct type, member),                                   \
     sizeof(((struct type *)0)->member), width},
/* A forgotten member fails the build: the rows must cover every byte of the struct. */
#define ROW_SIZE(type, tag, width, member) +sizeof(((struct type *)0)->member)

#define CSS_ROWS
#define ROW ROW_ENTRY
static const struct io_row sub_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct sub_state),
               "sub_state: every member needs a row");
#undef CSS_ROWS

#define CSS_OWN_ROWS
#define ROW ROW_ENTRY
static const struct io_row css_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct css_state),
               "css_state: every member needs a row");
#undef CSS_OWN_ROWS

#define CON3215_ROWS
#define ROW ROW_ENTRY
static const struct io_row con3215_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct con3215_state),
               "con3215_state: every member needs a row");
#undef CON3215_ROWS

#define SCREEN_ROWS
#define ROW ROW_ENTRY
static const struct io_row screen_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct screen_state),
               "screen_state: every member needs a row");
#undef SCREEN_ROWS

#define READER_ROWS
#define ROW ROW_ENTRY
static const struct io_row reader_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct reader_state),
               "reader_state: every member needs a row");
#undef READER_ROWS

#define SCLP_ROWS
#define ROW ROW_ENTRY
static const struct io_row sclp_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct sclp_state),
               "sclp_state: every member needs a row");
#undef SCLP_ROWS

#define ECKD_ROWS
#define ROW ROW_ENTRY
static const struct io_row eckd_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct eckd_state),
               "eckd_state: every member needs a row");
#undef ECKD_ROWS

#define FBA_ROWS
#define ROW ROW_ENTRY
static const struct io_row fba_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct fba_state),
               "fba_state: every member needs a row");
#undef FBA_ROWS

#define TAPE_ROWS
#define ROW ROW_ENTRY
static const struct io_row tape_table[] = {
#include "io/io_state.def"
};
#define ROW ROW_SIZE
_Static_assert(0
#include "io/io_state.def"
                   == sizeof(struct tape_state),
               "tape_state: every member needs a row");
#undef TAPE_ROWS

#define ROWS(table, type)                                                                      \
    {                                                                                          \
        table, ARRAY_LEN(table), sizeof(struct type)                                           \
    }
const struct io_rows sub_rows = ROWS(sub_table, sub_state);
const struct io_rows css_rows = ROWS(css_table, css_state);
const struct io_rows con3215_rows = ROWS(con3215_table, con3215_state);
const struct io_rows screen_rows = ROWS(screen_table, screen_state);
const struct io_rows reader_rows = ROWS(reader_table, reader_state);
const struct io_rows sclp_rows = ROWS(sclp_table, sclp_state);
const struct io_rows eckd_rows = ROWS(eckd_table, eckd_state);
const struct io_rows fba_rows = ROWS(fba_table, fba_state);
const struct io_rows tape_rows = ROWS(tape_table, tape_state);

void io_rows_put(struct codec_out *out, const struct io_rows *rows, const void *state)
{
    for (unsigned i = 0; i < rows->count; i++) {
        const struct io_row *r = &rows->row[i];
        codec_put_array(out, r->tag, (const u8 *)state + r->offset, r->width,
                        r->bytes / r->width);
    }
}

bool io_rows_get(const struct codec_row *row, const struct io_rows *rows, void *state,
                 u64 *seen)
{
    for (unsigned i = 0; i < rows->count; i++) {
        const struct io_row *r = &rows->row[i];
        if (r->tag != row->tag)
            continue;
        if (*seen >> i & 1)
            return false;
        *seen |= 1ull << i;
        return codec_get_array(row, (u8 *)state + r->offset, r->width, r->bytes / r->width);
    }
    return !(row->tag & CODEC_MANDATORY);
}

bool io_rows_complete(const struct io_rows *rows, u64 seen)
{
    return seen == (rows->count == 64 ? ~0ull : (1ull << rows->count) - 1);
}
