/* A user's session as a display terminal sees it, and what is typed there: line editing.
 * Source: z/VM "CP Commands and Utilities Reference", TERMINAL, SET LINEDIT. */
#include "hyp/cp_terminal.h"

#include "hyp/cp/cp_internal.h"

struct cp_terminal_view cp_terminal_view(const struct cp_user *user)
{
    return (struct cp_terminal_view){
        .ldev = user->ldev,
        .connected = !user->disconnected && !user->ending,
        .more_s = user->terminal.more_s,
        .more_warn_s = user->terminal.more_warn_s,
        .linend = user->terminal.linend,
        .cp_read = user->cp_read,
        .hold = user->terminal.hold,
        .breakin_guest = user->terminal.breakin_guest,
        .break_pf = user->terminal.break_pf,
    };
}

/* One physical line on its way: the logical line that is being made of it. */
struct edit {
    struct cp *cp;
    char userid[DIR_NAME_BYTES];
    bool to_cp; /* behind #CP, or typed while CP read: all of the line */
    char line[CP_COMMAND_BYTES_MAX];
    size_t len;
};

/* Length of the character at `text`; *code: ISO 8859-1, 0 for one that is not in it. */
static size_t character(const char *text, char *code)
{
    u8 lead = (u8)text[0];
    size_t n = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    *code = lead < 0x80 ? text[0] : 0;
    if (lead == 0xc2 || lead == 0xc3)
        *code = (char)((lead & 3) << 6 | (text[1] & 0x3f));
    return strnlen(text, n);
}

static void add(struct edit *e, const char *text, size_t n)
{
    if (e->len + n >= sizeof e->line)
        return;
    memcpy(e->line + e->len, text, n);
    e->len += n;
}

static void delete_character(struct edit *e)
{
    while (e->len && ((u8)e->line[--e->len] & 0xc0) == 0x80)
        ;
}

static int end_line(struct edit *e)
{
    e->line[e->len] = 0;
    e->len = 0;
    return cp_console_line(e->cp, e->userid, e->line, e->to_cp);
}

/* *left: the logical line that was refused, and what is behind it. */
static int edit_lines(struct edit *e, const struct cp_terminal *t, const char *text,
                      const char **left)
{
    int status = ST_OK;
    for (*left = text; *text;) {
        char code;
        size_t n = character(text, &code);
        if (code && code == t->linend) {
            if ((status = end_line(e)))
                return status;
            *left = text + n;
        } else if (code && code == t->linedel) {
            e->len = 0;
        } else if (code && code == t->tabchar) {
            add(e, "\t", 1);
        } else if (code && code == t->chardel) {
            delete_character(e);
        } else if (code && code == t->escape && text[n]) {
            text += n; /* the next one as it is */
            n = character(text, &code);
            add(e, text, n);
        } else {
            add(e, text, n);
        }
        text += n;
    }
    return end_line(e);
}

int cp_terminal_input(struct cp *cp, const char *userid, const char *text, const char **left)
{
    *left = text;
    struct cp_user *user = cp_user_find(cp, userid);
    if (!user)
        return ST_NOENT;
    if (!(user->settings & CP_SET_LINEDIT))
        return cp_console_input(cp, userid, text);
    const char *command = cp_console_escape(user, text);
    if (command && !*command)
        return cp_console_attention(user, text);
    const struct cp_terminal t = user->terminal; /* TERMINAL acts from the next line on */
    struct edit e = {.cp = cp, .to_cp = command || user->cp_read};
    strcpy(e.userid, user->userid);
    int status = edit_lines(&e, &t, command ? command : text, left);
    explicit_bzero(&e, sizeof e);
    return status;
}
