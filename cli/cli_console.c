/* endicott console, endicott attach: a console on this terminal. Output is shown as it comes,
 * typed lines are sent; a user that is relocated is followed unless -m holds us to a member. With
 * libedit lines are edited, have a history and are completed. Ends with ctrl-D (without libedit
 * ctrl-]), the end of standard input, or the user's logoff; the virtual machine is not touched by
 * that. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/cli_edit.h"
#include "cli/cli_member.h"

#define CONSOLE_USAGE "console [-m MEMBER]"
#define ATTACH_USAGE "attach [-m MEMBER] USERID"
#define ESCAPE_CHAR 0x1d /* ctrl-] */
#define AGAIN_MS 20
#define TYPED_BYTES 1024
#define HISTORY_LINES 24

struct place {
    struct rpc *rpc;
    json_int_t attach; /* 0 = none */
    json_int_t asked;  /* id of the request for it */
};

/* Typed, and not known to be taken. */
struct line {
    struct line *next;
    char text[];
};

struct session {
    const char *command;
    char user[CONFIG_NAME_BYTES];
    bool follow, tty, editing, ended;
    int status;
    struct place places[RUNDIR_MEMBERS_MAX];
    unsigned count;
    struct place *here;  /* where the user is; NULL = moving */
    struct line *lines;  /* in the order they were typed */
    json_int_t write_id; /* the first of them is sent, and not answered yet; 0 = it is not */
    struct place *write_place;
    bool full;      /* the guest had no room for it: it is sent again, within AGAIN_MS */
    bool finishing; /* input has ended: wait for the answers, what they caused comes before */
    char typed[TYPED_BYTES + 2];
    size_t typed_len;
    json_int_t seen_line, seen_at; /* shown up to here, wherever it came from */
    char echo[TYPED_BYTES + 2];    /* what the console will repeat of a line typed here */
    size_t echo_at;
};

static void end(struct session *s, int status)
{
    s->ended = true;
    s->status = status;
}

/* ---- output ---- */

/* The console types back what was typed; on a terminal it stands there already. */
static const char *without_echo(struct session *s, const char *text)
{
    while (s->echo[s->echo_at] && *text == s->echo[s->echo_at]) {
        text++;
        s->echo_at++;
    }
    if (*text)
        s->echo[s->echo_at = 0] = 0;
    return text;
}

static void show(struct session *s, const char *text)
{
    text = without_echo(s, text);
    if (!*text)
        return;
    edit_hide();
    fputs(text, stdout);
    fflush(stdout);
    edit_show();
}

/* A user that has moved to and fro may be shown by two members: each piece once. */
static const char *unseen(struct session *s, const json_t *params)
{
    const char *text = json_string_value(json_object_get(params, "text"));
    json_int_t line = json_integer_value(json_object_get(params, "line"));
    json_int_t at = json_integer_value(json_object_get(params, "at"));
    if (!text || line < s->seen_line)
        return "";
    json_int_t len = (json_int_t)strlen(text),
               known = line == s->seen_line ? s->seen_at - at : 0;
    bool whole = len && text[len - 1] == '\n';
    s->seen_line = line + whole;
    s->seen_at = whole ? 0 : at + len;
    return known > 0 ? text + (known < len ? known : len) : text;
}

static void attach(struct session *s, struct place *p, json_int_t from)
{
    json_t *params = json_pack("{s:s, s:b, s:i}", "user", s->user, "follow", s->follow,
                               "history", s->tty ? HISTORY_LINES : 0);
    if (from)
        json_object_set_new(params, "from", json_integer(from));
    p->asked = rpc_send(p->rpc, "console.attach", params);
}

/* The user is not where it was: who has it is to say so. */
static void look_elsewhere(struct session *s, json_int_t next)
{
    s->here = NULL;
    for (unsigned i = 0; i < s->count; i++)
        if (s->places[i].rpc && !s->places[i].attach && !s->places[i].asked)
            attach(s, &s->places[i], next);
}

/* The user has gone from `p`. */
static void gone(struct session *s, struct place *p, const json_t *params)
{
    json_int_t next = json_integer_value(json_object_get(params, "next"));
    if (json_is_true(json_object_get(params, "logged_off")) || !s->follow) {
        fprintf(stderr, "endicott %s: %s is no longer logged on at %s\n", s->command, s->user,
                rpc_member(p->rpc));
        end(s, EXIT_WELL);
        return;
    }
    look_elsewhere(s, next);
}

static void send_next(struct session *s);

/* The user is at `p`: no other member need be asked any more. */
static void arrived(struct session *s, struct place *p)
{
    if (s->here == p)
        return;
    s->here = p;
    for (unsigned i = 0; i < s->count; i++) {
        struct place *o = &s->places[i];
        if (o == p || !o->rpc || !o->attach)
            continue;
        rpc_send(o->rpc, "console.detach", json_pack("{s:I}", "attach", o->attach));
        o->attach = 0;
    }
    send_next(s);
}

static void attach_answer(struct session *s, struct place *p, const json_t *message)
{
    const json_t *result = json_object_get(message, "result");
    struct cause cause;
    p->asked = 0;
    if (!result) {
        rpc_error(message, &cause);
        if (!s->here && s->count == 1)
            end(s, cli_complain(s->command, &cause));
        return;
    }
    p->attach = json_integer_value(json_object_get(result, "attach"));
    if (json_is_true(json_object_get(result, "logged_on")))
        arrived(s, p);
    else if (s->here == p && s->follow) /* it has gone since we looked for it */
        look_elsewhere(s, 0);
}

static void drop_first(struct session *s)
{
    struct line *first = s->lines;
    s->write_id = 0;
    s->lines = first->next;
    free(first);
}

/* A line has been taken; or it was not, because the user has gone: it is sent where that comes. */
static void write_answer(struct session *s, const struct place *p, const json_t *message)
{
    const json_t *error = json_object_get(message, "error");
    struct cause cause;
    if (error)
        rpc_error(message, &cause);
    if (error && cause.status == ST_NOENT && s->follow && s->here != p) {
        s->write_id = 0;
    } else if (error && cause.status == ST_LIMIT) {
        s->write_id = 0;
        s->full = true;
        return;
    } else {
        if (error)
            fprintf(stderr, "endicott %s: %s\n", s->command, cause.text);
        drop_first(s);
    }
    send_next(s);
}

static void message_in(struct session *s, struct place *p, const json_t *message)
{
    const char *method = json_string_value(json_object_get(message, "method"));
    const json_t *params = json_object_get(message, "params"), *error;
    json_int_t id = json_integer_value(json_object_get(message, "id"));
    if (id && id == s->write_id && p == s->write_place) {
        write_answer(s, p, message);
    } else if (id && id == p->asked) {
        attach_answer(s, p, message);
    } else if (method && !strcmp(method, "console.output")) {
        arrived(s, p);
        show(s, unseen(s, params));
    } else if (method && !strcmp(method, "console.gone")) {
        gone(s, p, params);
    } else if (id && (error = json_object_get(message, "error"))) {
        struct cause cause;
        rpc_error(message, &cause);
        fprintf(stderr, "endicott %s: %s\n", s->command, cause.text);
    }
}

static void place_read(struct session *s, struct place *p)
{
    int status;
    do {
        json_t *message = rpc_next(p->rpc, 0, &status);
        if (message)
            message_in(s, p, message);
        json_decref(message);
    } while (!s->ended && rpc_has_line(p->rpc));
    if (status != ST_LOST && status != ST_PROTO)
        return;
    if (p == s->write_place && s->write_id)
        drop_first(s); /* whether it was taken nobody knows */
    if (s->here == p) {
        fprintf(stderr, "endicott %s: member %s has ended\n", s->command, rpc_member(p->rpc));
        end(s, EXIT_INTERNAL);
    }
    rpc_close(p->rpc);
    *p = (struct place){0};
}

/* ---- input ---- */

/* One at a time: while the user is relocated those that follow wait. */
static void send_next(struct session *s)
{
    if (!s->lines || s->write_id || !s->here)
        return;
    if (s->tty) {
        snprintf(s->echo, sizeof s->echo, "%.1023s\n", s->lines->text);
        s->echo_at = 0;
    }
    s->write_place = s->here;
    s->write_id = rpc_send(s->here->rpc, "console.write",
                           json_pack("{s:s, s:s}", "user", s->user, "text", s->lines->text));
}

static void send_line(void *ctx, const char *text)
{
    struct session *s = ctx;
    struct line *line = text ? malloc(sizeof *line + strlen(text) + 1) : NULL,
                **link = &s->lines;
    if (!line) {
        end(s, text ? EXIT_RESOURCE : EXIT_WELL);
        return;
    }
    line->next = NULL;
    strcpy(line->text, text);
    while (*link)
        link = &(*link)->next;
    *link = line;
    send_next(s);
}

static void take_char(struct session *s, char c)
{
    if (c == ESCAPE_CHAR && s->tty) {
        end(s, EXIT_WELL);
        return;
    }
    if (c != '\n')
        s->typed[s->typed_len++] = c;
    if (c != '\n' && s->typed_len < TYPED_BYTES)
        return;
    s->typed[s->typed_len] = 0;
    s->typed_len = 0;
    send_line(s, s->typed);
}

static void input_read(struct session *s)
{
    char buf[1024];
    if (s->editing) {
        edit_read();
        return;
    }
    ssize_t n = read(STDIN_FILENO, buf, sizeof buf);
    if (n < 0 && errno == EINTR)
        return;
    for (ssize_t i = 0; i < n && !s->ended; i++)
        take_char(s, buf[i]);
    if (n > 0)
        return;
    if (s->typed_len)
        take_char(s, '\n');
    s->finishing = true;
}

/* ctrl-] ends a line as Enter does, so that it reaches us at once. */
static bool terminal_begin(struct termios *saved)
{
    struct termios t;
    if (tcgetattr(STDIN_FILENO, saved))
        return false;
    t = *saved;
    t.c_cc[VEOL] = ESCAPE_CHAR;
    return tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

/* ---- the session ---- */

static void turn(struct session *s)
{
    struct pollfd p[RUNDIR_MEMBERS_MAX + 1];
    for (unsigned i = 0; i < s->count; i++)
        p[i] = (struct pollfd){.fd = s->places[i].rpc ? rpc_fd(s->places[i].rpc) : -1,
                               .events = POLLIN};
    bool reads = !s->finishing && !s->full;
    p[s->count] = (struct pollfd){.fd = reads ? STDIN_FILENO : -1, .events = POLLIN};
    int came = poll(p, s->count + 1, s->full ? AGAIN_MS : -1);
    if (came < 0)
        return;
    if (s->full) {
        s->full = false;
        send_next(s);
    }
    for (unsigned i = 0; i < s->count && !s->ended; i++)
        if (p[i].revents && s->places[i].rpc)
            place_read(s, &s->places[i]);
    if (p[s->count].revents && !s->ended)
        input_read(s);
    if (s->finishing && !s->lines && !s->ended)
        end(s, EXIT_WELL);
}

static void session_run(struct session *s)
{
    struct termios saved;
    s->tty = isatty(STDIN_FILENO);
    s->editing = s->tty && edit_begin(strcmp(s->command, "attach") == 0, send_line, s);
    bool restore = s->tty && !s->editing && terminal_begin(&saved);
    if (s->tty)
        fprintf(stderr, "console of %s at %s; %s ends this\n", s->user,
                rpc_member(s->here->rpc), s->editing ? "ctrl-D" : "ctrl-]");
    attach(s, s->here, 0);
    while (!s->ended)
        turn(s);
    edit_end();
    if (restore)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

/* The user's member first; without -m the others, too, in case it moves. */
static int open_places(struct session *s, const char *member, const char *userid)
{
    struct rundir_member list[RUNDIR_MEMBERS_MAX];
    struct cause cause = {0};
    struct rpc *rpc = rpc_choose(member, userid, &cause);
    if (!rpc)
        return cli_complain(s->command, &cause);
    s->places[s->count++].rpc = rpc;
    s->here = &s->places[0];
    unsigned n = s->follow ? rundir_list(list, &cause) : 0;
    for (unsigned i = 0; i < n && s->count < RUNDIR_MEMBERS_MAX; i++)
        if (strcmp(list[i].name, rpc_member(rpc)) &&
            (s->places[s->count].rpc = rpc_open(list[i].name, &cause)))
            s->count++;
    return EXIT_WELL;
}

static int session(struct session *s, const char *member, const char *userid)
{
    int status = open_places(s, member, userid);
    if (!status) {
        session_run(s);
        status = s->status;
    }
    for (unsigned i = 0; i < s->count; i++)
        rpc_close(s->places[i].rpc);
    while (s->lines)
        drop_first(s);
    return status;
}

int cli_console(int argc, char **argv)
{
    const char *member = NULL;
    struct session s = {.command = "console", .user = "OPERATOR"};
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; needed when several run", &member, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, CONSOLE_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc > 1 && argv[1]) {
        fprintf(stderr, "usage: endicott %s\n", CONSOLE_USAGE);
        return EXIT_USAGE;
    }
    return session(&s, member, NULL);
}

int cli_attach(int argc, char **argv)
{
    const char *member = NULL;
    struct session s = {.command = "attach"};
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; where the user is unless given", &member, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, ATTACH_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (argc < 2 || !argv[1] || (argc > 2 && argv[2])) {
        fprintf(stderr, "usage: endicott %s\n", ATTACH_USAGE);
        return EXIT_USAGE;
    }
    if (!cli_userid("attach", argv[1], s.user))
        return EXIT_USAGE;
    s.follow = !member;
    return session(&s, member, s.user);
}
