/* Line editing: libedit's callback interface, or nothing.
 * The state is the process's: there is one terminal. */
#include "cli/cli_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <editline/readline.h>

static void (*edit_line)(void *ctx, const char *text);
static void *edit_ctx;
static bool active, edit_guest;
static size_t word_start;

static void got_line(char *text)
{
    if (text && *text)
        add_history(text);
    edit_line(edit_ctx, text);
    free(text);
    if (active) /* else libedit waits for whole lines from here on */
        rl_callback_handler_install("", got_line);
}

static char *one_word(const char *text, int n)
{
    char word[EDIT_WORD_BYTES];
    static unsigned next;
    (void)text;
    next = n ? next + 1 : 0;
    return edit_word(rl_line_buffer, word_start, edit_guest, next, word) ? strdup(word) : NULL;
}

static char **complete(const char *text, int start, int end)
{
    (void)end;
    word_start = (size_t)start;
    rl_attempted_completion_over = 1; /* no file names */
    return rl_completion_matches(text, one_word);
}

bool edit_begin(bool guest, void (*line)(void *ctx, const char *text), void *ctx)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    edit_line = line;
    edit_ctx = ctx;
    active = true;
    edit_guest = guest;
    rl_attempted_completion_function = complete;
    rl_readline_name = "endicott";
    rl_callback_handler_install("", got_line);
    return true;
}

void edit_read(void)
{
    rl_callback_read_char();
}

void edit_hide(void)
{
    if (active && rl_line_buffer && *rl_line_buffer)
        fputs("\r\033[K", stdout);
}

void edit_show(void)
{
    if (active && rl_line_buffer && *rl_line_buffer)
        rl_forced_update_display();
}

void edit_end(void)
{
    if (active)
        rl_callback_handler_remove();
    active = false;
}

#else

bool edit_begin(bool guest, void (*line)(void *ctx, const char *text), void *ctx)
{
    (void)guest;
    (void)line;
    (void)ctx;
    return false;
}

void edit_read(void) {}

void edit_hide(void) {}

void edit_show(void) {}

void edit_end(void) {}

#endif
