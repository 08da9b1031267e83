/* Rows of a terminal: see tn3270_away_state.h. */
#include "cli/tn3270/tn3270_away_state.h"

#include <stdlib.h>

#include "cli/tn3270/tn3270_internal.h"
#include "hyp/vm.h"

#define STATE_VERSION 1

enum {
    ROW_HOME = CODEC_MANDATORY | 1,
    ROW_ID = CODEC_MANDATORY | 2,
    ROW_DONE = CODEC_MANDATORY | 3,
    ROW_OUT = CODEC_MANDATORY | 4,
    ROW_SIZE = CODEC_MANDATORY | 5, /* rows, columns; 16 bits each, as of ROW_SHOWN */
    ROW_FLAGS = CODEC_MANDATORY | 6,
    ROW_TOP = CODEC_MANDATORY | 7, /* line, row; as of ROW_END */
    ROW_END = CODEC_MANDATORY | 8,
    ROW_CELLS = CODEC_MANDATORY | 9,
    ROW_STATUS = CODEC_MANDATORY | 10,
    ROW_TYPED = 11, /* the oldest first */
    ROW_BACK = 12,
    ROW_DIALED = CODEC_MANDATORY | 13,
    ROW_SHOWN = 14,
    ROW_LU = 15,
};

enum {
    FLAG_MORE = 1 << 0,
    FLAG_DRAWN = 1 << 1,
    FLAG_HOLDING = 1 << 2,
    FLAG_WARNED = 1 << 3,
    FLAG_NOT_ACCEPTED = 1 << 4,
    FLAG_FULL = 1 << 5,
    FLAG_BREAKIN = 1 << 6,
    FLAG_EXTENDED = 1 << 7,
    FLAG_IN_STEP = 1 << 8, /* it shows all that the guest has written to its display */
    FLAGS = (1 << 9) - 1,
};

/* ---- to rows ---- */

static u32 packed(struct tn_size size)
{
    return size.rows << 16 | size.cols;
}

static struct tn_size unpacked(u32 size)
{
    return (struct tn_size){size >> 16, size & 0xffff};
}

static u32 flags_of(struct tn_conn *c)
{
    struct con3270 *con = tn_display_of(c);
    bool display = c->full || c->mode == TN_DISPLAY;
    const struct {
        bool set;
        u32 flag;
    } rows[] = {{c->screen.more, FLAG_MORE},
                {c->screen.drawn, FLAG_DRAWN},
                {c->holding, FLAG_HOLDING},
                {c->warned, FLAG_WARNED},
                {c->not_accepted, FLAG_NOT_ACCEPTED},
                {c->full, FLAG_FULL},
                {c->breakin, FLAG_BREAKIN},
                {c->telnet.extended, FLAG_EXTENDED},
                {display && con && c->cursor == con3270_position(con), FLAG_IN_STEP}};
    u32 flags = 0;
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++)
        flags |= rows[i].set ? rows[i].flag : 0;
    return flags;
}

static void put_text(struct codec_out *out, u16 tag, const char *text)
{
    codec_put_bytes(out, tag, text, strlen(text));
}

static void typed_put(const struct tn_typed *t, struct codec_out *out)
{
    unsigned held = t->count < CP_RETRIEVE_LINES_MAX ? t->count : CP_RETRIEVE_LINES_MAX;
    for (unsigned i = held; i; i--)
        put_text(out, ROW_TYPED, t->line[(t->count - i) % CP_RETRIEVE_LINES_MAX]);
    codec_put_u32(out, ROW_BACK, t->back);
}

static void place_put(struct codec_out *out, u16 tag, struct tn_place place)
{
    const u64 v[2] = {place.line, place.row};
    codec_put_array(out, tag, v, 8, 2);
}

static unsigned cells_of(struct tn_size size)
{
    return size.rows * size.cols;
}

void tn_away_save(struct tn_conn *c, u16 tag, struct codec_out *out)
{
    const struct tn_screen *s = &c->screen;
    codec_begin(out, tag, STATE_VERSION);
    put_text(out, ROW_HOME, c->away.standin ? c->away.peer : c->server->config.system);
    codec_put_u64(out, ROW_ID, c->away.id);
    codec_put_u64(out, ROW_DONE,
                  c->away.standin ? c->away.done : c->away.typed - c->away.key_count);
    codec_put_u64(out, ROW_OUT, c->away.out);
    codec_put_u32(out, ROW_SIZE, packed(c->size));
    codec_put_u32(out, ROW_FLAGS, flags_of(c));
    place_put(out, ROW_TOP, s->top);
    place_put(out, ROW_END, s->end);
    unsigned cells = cells_of(c->size) < TN_CELLS_MAX ? cells_of(c->size) : TN_CELLS_MAX;
    codec_put_bytes(out, ROW_CELLS, s->cells, cells);
    put_text(out, ROW_STATUS, s->status);
    typed_put(&c->typed, out);
    codec_put_u16(out, ROW_DIALED, c->dialed);
    codec_put_u32(out, ROW_SHOWN, packed(c->shown));
    put_text(out, ROW_LU, c->telnet.lu);
    codec_end(out);
}

/* ---- from rows ---- */

static bool take_size(const struct codec_row *row, struct tn_size *out)
{
    u32 v;
    if (!codec_get_u32(row, &v))
        return false;
    *out = unpacked(v);
    return out->rows <= 255 && out->cols <= 255 && cells_of(*out) <= SCREEN_CELLS_MAX;
}

static bool take_place(const struct codec_row *row, struct tn_place *out)
{
    u64 v[2];
    if (!codec_get_array(row, v, 8, 2) || v[1] > TN_CELLS_MAX)
        return false;
    *out = (struct tn_place){v[0], (unsigned)v[1]};
    return true;
}

static bool take_flags(const struct codec_row *row, struct tn_away_state *s)
{
    u32 v;
    if (!codec_get_u32(row, &v) || v & ~(u32)FLAGS)
        return false;
    s->screen->more = v & FLAG_MORE;
    s->screen->drawn = v & FLAG_DRAWN;
    s->holding = v & FLAG_HOLDING;
    s->warned = v & FLAG_WARNED;
    s->not_accepted = v & FLAG_NOT_ACCEPTED;
    s->full = v & FLAG_FULL;
    s->breakin = v & FLAG_BREAKIN;
    s->extended = v & FLAG_EXTENDED;
    s->in_step = v & FLAG_IN_STEP;
    return true;
}

static bool take_cells(const struct codec_row *row, struct tn_screen *screen)
{
    if (row->len > TN_CELLS_MAX)
        return false;
    memcpy(screen->cells, row->p, row->len);
    return true;
}

static bool take_typed(const struct codec_row *row, struct tn_typed *t)
{
    return t->count < CP_RETRIEVE_LINES_MAX &&
           codec_get_text(row, t->line[t->count++], TN_INPUT_BYTES);
}

static bool take_row(const struct codec_row *row, struct tn_away_state *s)
{
    switch (row->tag) {
    case ROW_HOME: return codec_get_text(row, s->home, sizeof s->home);
    case ROW_ID: return codec_get_u64(row, &s->id);
    case ROW_DONE: return codec_get_u64(row, &s->done);
    case ROW_OUT: return codec_get_u64(row, &s->out);
    case ROW_SIZE: return take_size(row, &s->screen->size);
    case ROW_FLAGS: return take_flags(row, s);
    case ROW_TOP: return take_place(row, &s->screen->top);
    case ROW_END: return take_place(row, &s->screen->end);
    case ROW_CELLS: return take_cells(row, s->screen);
    case ROW_STATUS: return codec_get_text(row, s->screen->status, sizeof s->screen->status);
    case ROW_TYPED: return take_typed(row, s->typed);
    case ROW_BACK:
        return codec_get_u32(row, &s->typed->back) && s->typed->back <= CP_RETRIEVE_LINES_MAX;
    case ROW_DIALED: return codec_get_u16(row, &s->dialed);
    case ROW_SHOWN: return take_size(row, &s->shown);
    case ROW_LU: return codec_get_text(row, s->lu, sizeof s->lu);
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

/* CP's screen has a place for its input and its status. */
static bool valid(const struct tn_away_state *s)
{
    struct tn_size size = s->screen->size;
    bool cp = cells_of(size) <= TN_CELLS_MAX && size.rows >= 24 && size.cols >= 80;
    return *s->home && s->id && (s->dialed ? size.rows && size.cols : cp) &&
           s->typed->back <= s->typed->count;
}

void tn_away_fini(struct tn_away_state *s)
{
    if (s->typed)
        explicit_bzero(s->typed, sizeof *s->typed);
    free(s->typed);
    free(s->screen);
    *s = (struct tn_away_state){.id = 0};
}

bool tn_away_decode(const u8 *bytes, size_t len, struct tn_away_state *s)
{
    const struct codec_row whole = {.p = bytes, .len = (u32)len};
    struct codec_in in;
    struct codec_row row;
    *s = (struct tn_away_state){.screen = calloc(1, sizeof *s->screen),
                                .typed = calloc(1, sizeof *s->typed)};
    bool good = s->screen && s->typed && codec_open(&whole, &in) && in.version == STATE_VERSION;
    while (good && codec_next(&in, &row))
        good = take_row(&row, s);
    if (good && !in.failed && valid(s))
        return true;
    tn_away_fini(s);
    return false;
}

/* ---- into a connection ---- */

void tn_away_redraw(struct tn_conn *c)
{
    c->screen.drawn = false;
    c->cursor = 0;
    c->dirty = true;
}

void tn_away_restore(struct tn_conn *c, struct cp_user *user, const struct tn_away_state *s,
                     bool all)
{
    c->size = s->screen->size;
    c->telnet.extended = s->extended;
    memcpy(c->telnet.lu, s->lu, sizeof s->lu);
    c->screen = *s->screen;
    c->typed = *s->typed;
    c->shown = s->shown;
    c->holding = s->holding;
    c->warned = s->warned;
    c->not_accepted = s->not_accepted;
    c->breakin = s->breakin;
    c->full = s->full;
    c->dialed = s->dialed;
    strcpy(c->user, cp_user_id(user));
    c->mode = s->dialed ? TN_DISPLAY : TN_CONSOLE;
    if (!s->dialed)
        tn_console_resume(c, user);
    struct con3270 *con = c->full || s->dialed ? tn_display_of(c) : NULL;
    if (con)
        con3270_connect(con, c->size.rows, c->size.cols);
    c->cursor = con && s->in_step ? con3270_position(con) : 0;
    c->dirty = true;
    if (all)
        tn_away_redraw(c);
}
