/* Line editing: libedit's callback interface, or nothing.
 * The state is the process's: there is one terminal. */
#include "cli/cli_edit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef HAVE_LIBEDIT
#include <editline/readline.h>

static void (*edit_line)(void *ctx, const char *text);
static void *edit_ctx;
static bool active;

static void got_line(char *text)
{
    if (text && *text)
        add_history(text);
    edit_line(edit_ctx, text);
    free(text);
}

bool edit_begin(void (*line)(void *ctx, const char *text), void *ctx)
{
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return false;
    edit_line = line;
    edit_ctx = ctx;
    active = true;
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

bool edit_begin(void (*line)(void *ctx, const char *text), void *ctx)
{
    (void)line;
    (void)ctx;
    return false;
}

void edit_read(void) {}

void edit_hide(void) {}

void edit_show(void) {}

void edit_end(void) {}

#endif
