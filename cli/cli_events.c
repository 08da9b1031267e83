/* endicott events: what happens on a member, a line for each event as it comes, until the member
 * ends or COUNT have come. Exit status 0 then; the lines of --json are as docs/control_socket.md
 * says. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/cli_member.h"

#define USAGE "events [-m MEMBER] [--json] [--count N] [--since NUMBER]"

static const char *text_of(const json_t *event, const char *name)
{
    const json_t *value = json_object_get(event, name);
    return json_is_string(value) ? json_string_value(value) : "";
}

static void put_time(const json_t *event)
{
    double wall = json_number_value(json_object_get(event, "time"));
    time_t seconds = (time_t)wall;
    struct tm t;
    gmtime_r(&seconds, &t);
    printf("%04d-%02d-%02dT%02d:%02d:%02d.%03dZ ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
           t.tm_hour, t.tm_min, t.tm_sec, (int)((wall - (double)seconds) * 1000));
}

/* "relocation.ended LINUX1 to MEMBERB, code 01" */
static void put_words(const json_t *event)
{
    const json_t *code = json_object_get(event, "code");
    const char *type = text_of(event, "type"), *to = text_of(event, "to");
    const char *from = text_of(event, "from"), *now = text_of(event, "now");
    if (!strcmp(type, "missed")) {
        printf("%lld events were missed\n",
               (long long)json_integer_value(json_object_get(event, "count")));
        return;
    }
    put_time(event);
    printf("%s %s%s", type, text_of(event, "user"), text_of(event, "member"));
    if (*to || *from)
        printf(" %s %s", *to ? "to" : "from", *to ? to : from);
    if (*now)
        printf("%s%s to %s", *text_of(event, "member") ? " " : "", text_of(event, "before"),
               now);
    if (code)
        printf(", code %02d", (int)json_integer_value(code));
    putchar('\n');
}

static void put(const json_t *event, bool json)
{
    if (json) {
        json_dumpf(event, stdout, JSON_COMPACT);
        putchar('\n');
    } else {
        put_words(event);
    }
    fflush(stdout);
}

/* Until the member ends: that is no error. */
static int follow(struct rpc *rpc, bool json, unsigned long count, struct cause *cause)
{
    unsigned long seen = 0;
    int status = ST_OK;
    while (!count || seen < count) {
        json_t *object = rpc_next(rpc, -1, &status);
        if (!object)
            return status == ST_LOST ? ST_OK : status;
        const json_t *method = json_object_get(object, "method");
        if (json_object_get(object, "error"))
            status = rpc_error(object, cause);
        if (json_is_string(method) && !strcmp(json_string_value(method), "event")) {
            put(json_object_get(object, "params"), json);
            seen++;
        }
        json_decref(object);
        if (status)
            return status;
    }
    return ST_OK;
}

static bool number(const char *what, const char *text, unsigned long *out)
{
    char *end;
    *out = text ? strtoul(text, &end, 10) : 0;
    if (!text || (*text >= '0' && *text <= '9' && !*end))
        return true;
    fprintf(stderr, "endicott events: %s %s: a number is needed\n", what, text);
    return false;
}

int cli_events(int argc, char **argv)
{
    const char *member = NULL, *count_text = NULL, *since_text = NULL;
    bool json = false;
    unsigned long count, since;
    struct cause cause = {0};
    const struct cli_option options[] = {
        {"m", "MEMBER", "the member; needed when several run", &member, NULL},
        {"json", NULL, "each event as JSON on a line", NULL, &json},
        {"count", "N", "end after so many", &count_text, NULL},
        {"since", "NUMBER", "from this event on, if it is kept still", &since_text, NULL},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if ((argc > 1 && argv[1]) || !number("--count", count_text, &count) ||
        !number("--since", since_text, &since)) {
        fprintf(stderr, "usage: endicott " USAGE "\n");
        return EXIT_USAGE;
    }
    struct rpc *rpc = rpc_choose(member, NULL, &cause);
    if (!rpc)
        return cli_complain("events", &cause);
    int status = ST_LOST;
    if (rpc_send(rpc, "events.subscribe",
                 json_pack("{s:b, s:I}", "lines", false, "since", (json_int_t)since)))
        status = follow(rpc, json, count, &cause);
    rpc_close(rpc);
    if (status && !cause.status)
        cause_set(&cause, status, "%s", status_name(status));
    return status ? cli_complain("events", &cause) : EXIT_WELL;
}
