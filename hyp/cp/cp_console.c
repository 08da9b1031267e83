/* What is typed at a console, and what virtual machines report by themselves.
 * In CP READ every line is a command; else it is the guest's, unless it begins with #CP. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"
#include "io/con3215.h"
#include "io/ebcdic.h"
#include "mem/base/ergo.h"

/* A command from a console: its response goes there when it is complete. */
struct console_command {
    struct cp *cp;
    char userid[DIR_NAME_BYTES];
    struct cp_response resp;
};

/* SET EMSG: what of an error message is shown; NULL: nothing. `line` may be shortened. */
static const char *edited_message(const struct cp_user *user, char *line)
{
    size_t n = cp_message_id_len(line);
    if (!n || line[n - 1] != 'E')
        return line;
    if (!(user->settings & CP_SET_EMSG))
        return NULL;
    if (user->settings & CP_SET_EMSG_TEXT)
        return line + n + (line[n] == ' ');
    if (user->settings & CP_SET_EMSG_CODE)
        line[n] = 0;
    return line;
}

/* A line of CP; where a machine has several CPUs it says which it is about. */
static void show_line(struct cp_user *user, const char *text, bool prefixed)
{
    char line[CONSOLE_LINE_BYTES_MAX + 8];
    struct vm_info info = {0};
    struct vm_cpu_info base = {0};
    const struct vm_ops *ops = user->cp->ports.vm;
    ops->info(user->vm, &info);
    if (prefixed || info.cpu_count < 2 || !ops->cpu_info(user->vm, 0, &base)) {
        console_write_line(user->console, text);
        return;
    }
    snprintf(line, sizeof line, "%02X: %.*s", base.addr, CONSOLE_LINE_BYTES_MAX, text);
    console_write_line(user->console, line);
}

/* The user has been relocated since it issued the command. */
static void show_elsewhere(struct cp *cp, const char *userid, const struct cp_response *resp)
{
    char member[CONFIG_NAME_BYTES];
    if (!resp->line_count || !cp_locate(cp, userid, member) ||
        !strcmp(member, cp->config->member))
        return;
    for (unsigned i = 0; i < resp->line_count; i++)
        cp_remote_written(cp, member, userid, resp->lines[i]);
}

static void show_response(struct cp_response *resp, void *ctx)
{
    struct console_command *c = ctx;
    struct cp_user *user = cp_user_find(c->cp, c->userid);
    if (!user)
        show_elsewhere(c->cp, c->userid, resp);
    for (unsigned i = 0; user && i < resp->line_count; i++) {
        const char *text = edited_message(user, resp->lines[i]);
        if (text)
            show_line(user, text, resp->prefixed);
    }
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

const char *cp_console_escape(const struct cp_user *user, const char *text)
{
    char linend = user->terminal.linend;
    if (!linend || text[0] != linend || strncasecmp(text + 1, "CP", 2) != 0 ||
        (text[3] && text[3] != ' '))
        return NULL;
    return text + 3 + strspn(text + 3, " ");
}

/* What is behind as much as a 3215 takes would be cut off. */
static int type_line(struct cp_user *user, const char *text)
{
    if (ebcdic_count_utf8(text, strlen(text)) > CON3215_LINE_BYTES_MAX)
        return ST_INVAL;
    return console_input_put(user->console, text, strlen(text));
}

int cp_console_attention(struct cp_user *user, const char *text)
{
    cp_echo(user, text);
    if (!(user->settings & CP_SET_RUN))
        user->cp->ports.vm->stop(user->vm, -1);
    user->cp_read = true;
    show_line(user, "CP", false);
    return ST_OK;
}

int cp_console_line(struct cp *cp, const char *userid, const char *text, bool to_cp)
{
    struct cp_user *user = cp_user_find(cp, userid);
    if (!user)
        return ST_NOENT;
    if (cp_user_frozen(user))
        return cp_carry_typed(user, text);
    if (!to_cp && !user->cp_read)
        return type_line(user, text);
    cp_echo(user, text);
    return strspn(text, " ") < strlen(text) ? cp_console_command(cp, userid, text) : ST_OK;
}

int cp_console_input(struct cp *cp, const char *userid, const char *text)
{
    struct cp_user *user = cp_user_find(cp, userid);
    if (!user)
        return ST_NOENT;
    if (cp_user_frozen(user))
        return cp_carry_typed(user, text);
    const char *command = cp_console_escape(user, text);
    char linend = user->terminal.linend;
    if (command && !*command)
        return cp_console_attention(user, text);
    if (!command && !user->cp_read)
        return type_line(user, text);
    cp_echo(user, text);
    return issue_each(cp, userid, command ? command : text, linend);
}

void cp_poll_consoles(struct cp *cp)
{
    struct cp_user *user = cp->users;
    while (user) { /* a callback may end this user: go on by name */
        char userid[DIR_NAME_BYTES];
        struct cp_user *next = user->next;
        strcpy(userid, next ? next->userid : "");
        cp_relay(user);
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
    show_line(user, text, false);
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
