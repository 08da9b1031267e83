/* The row tables of everything in io/ that relocates, generated from io_state.def. */
#include "io/io_state.h"

#include "io/css_internal.h"

#define ROW_ENTRY(type, tag, width, member)                                                    \
    {(tag) | CODEC_MANDATORY, offsetof(struct type, member),                                   \
     sizeof(((struct type *)0)->member), width},
#define ROW_SIZE(type, tag, width, member) +sizeof(((struct type *)0)->member)

#define CSS_ROWS
#define TABLE sub_table
#define STATE sub_state
#include "io/io_state_table.inc"
#undef CSS_ROWS

#define CSS_OWN_ROWS
#define TABLE css_table
#define STATE css_state
#include "io/io_state_table.inc"
#undef CSS_OWN_ROWS

#define CON3215_ROWS
#define TABLE con3215_table
#define STATE con3215_state
#include "io/io_state_table.inc"
#undef CON3215_ROWS

#define SCREEN_ROWS
#define TABLE screen_table
#define STATE screen_state
#include "io/io_state_table.inc"
#undef SCREEN_ROWS

#define READER_ROWS
#define TABLE reader_table
#define STATE reader_state
#include "io/io_state_table.inc"
#undef READER_ROWS

#define SCLP_ROWS
#define TABLE sclp_table
#define STATE sclp_state
#include "io/io_state_table.inc"
#undef SCLP_ROWS

#define ECKD_ROWS
#define TABLE eckd_table
#define STATE eckd_state
#include "io/io_state_table.inc"
#undef ECKD_ROWS

#define FBA_ROWS
#define TABLE fba_table
#define STATE fba_state
#include "io/io_state_table.inc"
#undef FBA_ROWS

#define TAPE_ROWS
#define TABLE tape_table
#define STATE tape_state
#include "io/io_state_table.inc"
#undef TAPE_ROWS

#define PRINTER_ROWS
#define TABLE printer_table
#define STATE printer_state
#include "io/io_state_table.inc"
#undef PRINTER_ROWS

#define OSA_ROWS
#define TABLE osa_table
#define STATE osa_state
#include "io/io_state_table.inc"
#undef OSA_ROWS

#define QDIO_ROWS
#define TABLE qdio_table
#define STATE qdio_state
#include "io/io_state_table.inc"
#undef QDIO_ROWS

#define CTC_ROWS
#define TABLE ctc_table
#define STATE ctc_state
#include "io/io_state_table.inc"
#undef CTC_ROWS

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
const struct io_rows printer_rows = ROWS(printer_table, printer_state);
const struct io_rows osa_rows = ROWS(osa_table, osa_state);
const struct io_rows qdio_rows = ROWS(qdio_table, qdio_state);
const struct io_rows ctc_rows = ROWS(ctc_table, ctc_state);

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
