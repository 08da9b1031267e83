/* Operator messages: formatting of catalogue rows.
 * The text of a row is the printf format; its arguments are the caller's duty. */
#include "mem/base/msg.h"

#include <stdarg.h>
#include <stdio.h>

#include "mem/base/ergo.h"

struct msg_row {
    const char *name;
    int number;
    const char *text;
};

static const struct msg_row msg_rows[MSG_COUNT] = {
#define M(id, module, number, severity, text) [MSG_##id] = {"HCP" #id, number, text},
#include "mem/base/msg.def"
#undef M
};

const char *msg_name(enum msg_id id)
{
    PRE(id < MSG_COUNT);
    return msg_rows[id].name;
}

int msg_number(enum msg_id id)
{
    PRE(id < MSG_COUNT);
    return msg_rows[id].number;
}

int msg_format(char *out, size_t room, enum msg_id id, ...)
{
    PRE(id < MSG_COUNT);
    const struct msg_row *row = &msg_rows[id];
    int n = snprintf(out, room, "%s ", row->name);
    va_list ap;
    va_start(ap, id);
    if (n >= 0 && (size_t)n < room)
        vsnprintf(out + n, room - (size_t)n, row->text, ap);
    va_end(ap);
    return row->number;
}
