/* Host failures: text of status values, and recording of causes.
 * Follows STYLE "Errors: four channels". */
#include "mem/base/status.h"

#include <stdarg.h>
#include <stdio.h>

#undef cause_set /* what the header tells the analyzer */
int cause_set(struct cause *cause, int status, const char *fmt, ...)
{
    if (!cause)
        return status;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(cause->text, sizeof cause->text, fmt, ap);
    va_end(ap);
    cause->status = status;
    return status;
}

const char *status_name(int status)
{
    static const char *const names[] = {
        "no error",           "out of host memory",
        "invalid operand",    "host input/output error",
        "protocol error",     "busy",
        "not found",          "exists already",
        "limit reached",      "refused",
        "time limit reached", "configuration error",
        "permission denied",  "link or member lost",
    };
    int i = -status;
    if (i < 0 || i >= (int)(sizeof names / sizeof names[0]))
        return "unknown status";
    return names[i];
}
