/* Screens of a 3270 console: rows out of a console's lines, and the difference between what a
 * terminal shows and what it should show. Each picture is made anew from the console; that is at
 * most 41 rows, and only when there is news. */
#include "cli/tn3270/tn3270_screen.h"

#include <stdio.h>

#define LINE_CELLS_MAX 2048 /* of a line with its tabs widened */
#define INPUT_ROWS 2

static unsigned output_rows(struct tn_size size)
{
    return size.rows - INPUT_ROWS;
}

unsigned tn_screen_input(struct tn_size size)
{
    return output_rows(size) * size.cols + 1; /* behind its attribute */
}

/* Where the attribute of the status area is; the output area belongs to that field, too. */
static unsigned status_cell(struct tn_size size)
{
    return size.rows * size.cols - TN_STATUS_CELLS - 1;
}

/* ---- lines to rows ---- */

static unsigned rows_of(size_t cells, unsigned cols)
{
    return cells ? (unsigned)((cells + cols - 1) / cols) : 1;
}

/* The line at `place`, complete or as far as it is there. Moves `place` over lost lines. */
static bool line_at(struct console *console, struct tn_place *place, struct console_line *line)
{
    u64 cursor = place->line;
    if (!console_read(console, &cursor, line) && !console_partial(console, line))
        return false;
    if (line->number < place->line)
        return false;
    if (line->number > place->line)
        *place = (struct tn_place){line->number, 0};
    return true;
}

static bool fill(struct tn_screen *s, struct console *console, u8 *cells)
{
    struct console_line line;
    u8 text[LINE_CELLS_MAX];
    unsigned cols = s->size.cols, room = output_rows(s->size), row = 0;
    memset(cells, 0, room * cols);
    s->end = s->top;
    while (line_at(console, &s->end, &line)) {
        size_t n = tn_cells(line.text, line.len, text, sizeof text);
        unsigned rows = rows_of(n, cols);
        for (; s->end.row < rows && row < room; s->end.row++, row++) {
            size_t at = (size_t)s->end.row * cols;
            memcpy(cells + row * cols, text + at, n - at < cols ? n - at : cols);
        }
        if (s->end.row < rows)
            return true;
        if (line.partial) {
            s->end.row = rows - 1; /* its last row stays when the screen is cleared */
            return false;
        }
        s->end = (struct tn_place){line.number + 1, 0};
    }
    return false;
}

void tn_screen_begin(struct tn_screen *s, struct tn_size size, struct console *console,
                     unsigned rows)
{
    struct console_line line;
    u8 text[LINE_CELLS_MAX];
    u64 next = console_next_number(console), first = console_first_number(console);
    *s = (struct tn_screen){.size = size, .top = {next, 0}};
    while (s->top.line > first) {
        u64 cursor = s->top.line - 1;
        if (!console_read(console, &cursor, &line))
            return;
        unsigned n = rows_of(tn_cells(line.text, line.len, text, sizeof text), size.cols);
        if (n > rows)
            return;
        rows -= n;
        s->top.line--;
    }
}

void tn_screen_next(struct tn_screen *s)
{
    s->top = s->end;
    s->more = false;
}

/* ---- drawing ---- */

static unsigned wcc(bool restore, bool alarm)
{
    return (restore ? TN_RESTORE : 0u) | (alarm ? TN_ALARM : 0u);
}

static void status_text(const char *status, const char *system, char out[TN_STATUS_CELLS + 1])
{
    if (strlen(status) < 10)
        snprintf(out, TN_STATUS_CELLS + 1, "%-10s%-10.8s", status, system);
    else
        snprintf(out, TN_STATUS_CELLS + 1, "%.12s %-7.7s", status, system);
}

static void draw_status(struct tn_size size, const char *status, struct tn_out *out)
{
    tn_out_at(out, status_cell(size));
    tn_out_field(out, TN_TEXT);
    tn_out_text(out, status);
}

static void draw_input(struct tn_size size, const char *input, struct tn_out *out)
{
    tn_out_at(out, tn_screen_input(size) - 1);
    tn_out_field(out, *input ? TN_INPUT_MODIFIED : TN_INPUT);
    tn_out_text(out, input);
    tn_out_cursor(out);
    tn_out_clear_to(out, status_cell(size));
}

static void draw_row(const struct tn_screen *s, unsigned row, const u8 *cells,
                     struct tn_out *out)
{
    unsigned cols = s->size.cols, n = cols;
    while (n && !cells[n - 1])
        n--;
    tn_out_at(out, row * cols);
    tn_out_cells(out, cells, n);
    if (n < cols)
        tn_out_clear_to(out, (row + 1) * cols);
}

bool tn_screen_draw(struct tn_screen *s, struct console *console, enum tn_draw how,
                    const char *(*choose)(void *ctx, bool more), void *ctx, const char *system,
                    const char *input, struct tn_out *out)
{
    u8 cells[TN_CELLS_MAX];
    char status[TN_STATUS_CELLS + 1];
    unsigned cols = s->size.cols, area = output_rows(s->size) * cols;
    bool all = how == TN_DRAW_ALL || !s->drawn;
    s->more = fill(s, console, cells);
    status_text(choose(ctx, s->more), system, status);
    bool same_status = !strcmp(status, s->status);
    if (!all && how == TN_DRAW_CHANGES && same_status && !memcmp(cells, s->cells, area))
        return false;
    if (all)
        memset(s->cells, 0, sizeof s->cells);
    bool input_too = all || how == TN_DRAW_INPUT;
    tn_out_begin(out, s->size, all ? TN_ERASE_WRITE : TN_WRITE,
                 wcc(input_too && !s->key_waits, s->alarm));
    s->alarm = false;
    for (unsigned row = 0; row < output_rows(s->size); row++)
        if (memcmp(cells + row * cols, s->cells + row * cols, cols))
            draw_row(s, row, cells + row * cols, out);
    if (input_too)
        draw_input(s->size, input, out);
    if (all || !same_status)
        draw_status(s->size, status, out);
    memcpy(s->cells, cells, area);
    strcpy(s->status, status);
    s->drawn = true;
    return true;
}

/* ---- the logon screen ---- */

enum { LOGO_MESSAGE = 8, LOGO_ASK = 7, LOGO_USERID = 5, LOGO_PASSWORD = 4, LOGO_COMMAND = 2 };

#define LABEL_CELLS 14
#define SHORT_FIELD_CELLS 8

static unsigned logo_field(struct tn_size size, unsigned from_end)
{
    return (size.rows - from_end) * size.cols + LABEL_CELLS + 2;
}

unsigned tn_logo_userid(struct tn_size size)
{
    return logo_field(size, LOGO_USERID);
}

unsigned tn_logo_password(struct tn_size size)
{
    return logo_field(size, LOGO_PASSWORD);
}

unsigned tn_logo_command(struct tn_size size)
{
    return logo_field(size, LOGO_COMMAND);
}

static void text_at(struct tn_out *out, unsigned row, enum tn_attribute attribute,
                    const char *text)
{
    tn_out_at(out, row * out->size.cols);
    tn_out_field(out, attribute);
    tn_out_text(out, text);
}

static void label(struct tn_out *out, unsigned from_end, const char *text, unsigned width,
                  enum tn_attribute attribute, const char *value)
{
    unsigned cell = logo_field(out->size, from_end);
    text_at(out, out->size.rows - from_end, TN_TEXT, text);
    tn_out_at(out, cell - 1);
    tn_out_field(out, attribute);
    tn_out_text(out, value);
    tn_out_at(out, cell + width);
    tn_out_field(out, TN_SKIP);
}

static const char *const logo[] = {
    "   ______           ___            __  __",
    "  / ____/___  ____/ (_)________  / /_/ /_",
    " / __/ / __ \\/ __  / / ___/ __ \\/ __/ __/",
    "/ /___/ / / / /_/ / / /__/ /_/ / /_/ /_",
    "\\____/_/ /_/\\__,_/_/\\___/\\____/\\__/\\__/",
};

static void draw_head(struct tn_out *out, const char *system)
{
    char text[64];
    snprintf(text, sizeof text, "z/VM ONLINE  --  Endicott CP, system %.8s", system);
    text_at(out, 0, TN_TEXT_BRIGHT, text);
    text_at(out, 1, TN_TEXT, "");
    for (unsigned i = 0; i < ARRAY_LEN(logo); i++)
        text_at(out, 4 + i, TN_TEXT, logo[i]);
    text_at(out, 11, TN_TEXT, "z/Architecture virtual machines, in clusters, on any host");
}

static void logo_status(struct tn_out *out, const char *system)
{
    char status[TN_STATUS_CELLS + 1];
    status_text("RUNNING", system, status);
    draw_status(out->size, status, out);
}

void tn_logo_draw(struct tn_size size, const char *system, const char *message,
                  const char *userid, bool alarm, struct tn_out *out)
{
    char text[132];
    unsigned command_width = size.cols - LABEL_CELLS - 3;
    tn_out_begin(out, size, TN_ERASE_WRITE, wcc(true, alarm));
    draw_head(out, system);
    snprintf(text, sizeof text, "%.*s", (int)size.cols - 1, message);
    text_at(out, size.rows - LOGO_MESSAGE, TN_TEXT_BRIGHT, text);
    text_at(out, size.rows - LOGO_ASK, TN_TEXT,
            "Fill in your USERID and PASSWORD and press ENTER");
    text_at(out, size.rows - LOGO_ASK + 1, TN_TEXT,
            "(Your password will not appear when you type it)");
    label(out, LOGO_USERID, "USERID   ===>", SHORT_FIELD_CELLS,
          *userid ? TN_INPUT_MODIFIED : TN_INPUT, userid);
    label(out, LOGO_PASSWORD, "PASSWORD ===>", SHORT_FIELD_CELLS, TN_INPUT_HIDDEN, "");
    label(out, LOGO_COMMAND, "COMMAND  ===>", command_width, TN_INPUT, "");
    logo_status(out, system);
    tn_out_at(out, *userid ? tn_logo_password(size) : tn_logo_userid(size));
    tn_out_cursor(out);
}

static const char *const form[] = {
    "Enter one of the following commands:",
    "",
    "   LOGON userid [BY userid] [HERE] [NOIPL]",
    "   DIAL userid [vdev]",
    "   LOGOFF",
};

void tn_form_draw(struct tn_size size, const char *system, const char *message, bool hidden,
                  bool alarm, struct tn_out *out)
{
    char status[TN_STATUS_CELLS + 1], text[132];
    tn_out_begin(out, size, TN_ERASE_WRITE, wcc(true, alarm));
    for (unsigned i = 0; i < ARRAY_LEN(form); i++)
        text_at(out, i, TN_TEXT, form[i]);
    snprintf(text, sizeof text, "%.*s", (int)size.cols - 1, message);
    text_at(out, ARRAY_LEN(form) + 1, TN_TEXT_BRIGHT, text);
    status_text("CP READ", system, status);
    draw_status(size, status, out);
    tn_out_at(out, tn_screen_input(size) - 1);
    tn_out_field(out, hidden ? TN_INPUT_HIDDEN : TN_INPUT);
    tn_out_cursor(out);
}

void tn_notice_draw(struct tn_size size, const char *system, const char *text,
                    struct tn_out *out)
{
    tn_out_begin(out, size, TN_ERASE_WRITE, wcc(true, true));
    draw_head(out, system);
    text_at(out, size.rows - LOGO_MESSAGE, TN_TEXT_BRIGHT, text);
    logo_status(out, system);
}
