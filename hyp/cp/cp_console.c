/* What is typed at a console, and what virtual machines report by themselves.
 * In CP READ every line is a command; else it is the guest's, unless it begins with #CP. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"
#include "mem/base/ergo.h"

/* A command from a console: its response goes there when it is complete. */
struct console_command {
    struct cp *cp;
    char userid[DIR_NAME_BYTES];
    struct cp_response resp;
};

static void show_response(struct cp_response *resp, void *ctx)
{
    struct console_command *c = ctx;
    struct cp_user *user = cp_user_find(c->cp, c->userid);
    for (unsigned i = 0; user && i < resp->line_count; i++)
        console_write_line(user->console, resp->lines[i]);
    cp_response_fini(&c->resp);
    free(c);
}

static struct console_command *console_command(struct cp *cp, const char *userid)
{
    struct console_command *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->cp = cp;
    snprintf(c->userid, sizeof c->userid, "%.8s", userid);
    cp_response_init(&c->resp);
    c->resp.done_cb = show_response;
    c->resp.done_ctx = c;
    return c;
}

int cp_console_command(struct cp *cp, const char *userid, const char *command)
{
    struct console_command *c = console_command(cp, userid);
    if (!c)
        return ST_NOMEM;
    cp_command(cp, userid, command, &c->resp);
    return ST_OK;
}

int cp_console_command_as(struct cp *cp, const char *userid, u32 classes, const char *command)
{
    struct console_command *c = console_command(cp, userid);
    if (!c)
        return ST_NOMEM;
    cp_command_as(cp, userid, classes, command, &c->resp);
    return ST_OK;
}

/* Commands separated by the line end character of the terminal; the user may go meanwhile. */
static int issue_each(struct cp *cp, const char *userid, const char *text, char linend)
{
    char line[CP_COMMAND_BYTES_MAX], name[DIR_NAME_BYTES];
    int status = ST_OK;
    snprintf(name, sizeof name, "%.8s", userid);
    while (*text && !status && cp_user_find(cp, name)) {
        const char *end = linend ? strchr(text, linend) : NULL;
        size_t n = end ? (size_t)(end - text) : strlen(text);
        n = n < sizeof line ? n : sizeof line - 1;
        memcpy(line, text, n);
        line[n] = 0;
        if (strspn(line, " ") < n)
            status = cp_console_command(cp, name, line);
        text = end ? end + 1 : "";
    }
    return status;
}

int cp_console_input(struct cp *cp, const char *userid, const char *text)
{
    struct cp_user *user = cp_user_find(cp, userid);
    char linend;
    if (!user)
        return ST_NOENT;
    linend = user->terminal.linend;
    if (linend && text[0] == linend && !strncasecmp(text + 1, "CP", 2) &&
        (!text[3] || text[3] == ' ')) {
        cp_echo(user, text);
        if (strspn(text + 3, " ") < strlen(text + 3))
            return issue_each(cp, userid, text + 3, linend);
        if (!(user->settings & CP_SET_RUN))
            cp->ports.vm->stop(user->vm, -1);
        user->cp_read = true;
        console_write_line(user->console, "CP");
        return ST_OK;
    }
    if (!user->cp_read)
        return console_input_put(user->console, text, strlen(text));
    cp_echo(user, text);
    return issue_each(cp, userid, text, linend);
}

void cp_poll_consoles(struct cp *cp)
{
    struct cp_user *user = cp->users;
    while (user) { /* a callback may end this user: go on by name */
        char userid[DIR_NAME_BYTES];
        struct cp_user *next = user->next;
        strcpy(userid, next ? next->userid : "");
        console_poll(user->console);
        for (user = *userid ? cp->users : NULL; user && strcmp(user->userid, userid);)
            user = user->next;
        if (*userid && !user)
            user = cp->users; /* it ended the next one: once more from the first */
    }
}

static void enter_cp(struct cp_user *user, const char *text)
{
    user->cp_read = true;
    console_write_line(user->console, text);
}

void cp_vm_event(struct cp *cp, const char *userid, enum vm_event event, u64 psw_mask,
                 u64 psw_addr)
{
    struct cp_user *user = cp_user_find(cp, userid);
    char text[MSG_LINE_BYTES];
    if (!user)
        return;
    switch (event) {
    case VM_EVENT_DISABLED_WAIT:
        msg_format(text, sizeof text, MSG_GIR450W, (unsigned)(psw_mask >> 32),
                   (unsigned)psw_mask, (unsigned)(psw_addr >> 32), (unsigned)psw_addr);
        enter_cp(user, text);
        cp_guest_stopped(user, psw_addr == QUIESCE_PSW_ADDR);
        return;
    case VM_EVENT_PGM_LOOP:
        msg_format(text, sizeof text, MSG_GIR453W);
        enter_cp(user, text);
        return;
    case VM_EVENT_EXT_LOOP:
        msg_format(text, sizeof text, MSG_GIR452W);
        enter_cp(user, text);
        return;
    case VM_EVENT_CHECKSTOP:
        msg_format(text, sizeof text, MSG_GIR451W);
        enter_cp(user, text);
        cp_guest_stopped(user, false);
        return;
    case VM_EVENT_STOPPED:
        msg_format(text, sizeof text, MSG_GSP2629I, 0u);
        enter_cp(user, text);
        cp_guest_stopped(user, false);
        return;
    case VM_EVENT_NONE_RUNS: cp_guest_stopped(user, psw_addr == QUIESCE_PSW_ADDR); return;
    case VM_EVENT_RESET: cp_notify_observers(user, CP_USER_RESET); return;
    }
    ERGO(!"unknown event of a virtual machine");
}
