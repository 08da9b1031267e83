/* Our own messages on standard error, and the last words of a failed assertion.
 * A line is written by one write(2), so that lines of several threads never mix. */
#include "mem/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "mem/base/ergo.h"

#define LOG_LINE_BYTES 1024
#define LOG_SYSTEM_BYTES 9

static char log_system[LOG_SYSTEM_BYTES]; /* set once at start, before threads exist */

void log_set_system(const char *system)
{
    snprintf(log_system, sizeof log_system, "%s", system);
}

static struct {
    void (*sink)(void *ctx, char severity, const char *text);
    void *ctx;
} log_operators; /* set while there are no other threads */

static size_t log_stamp(char *out, size_t room)
{
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t n = strftime(out, room, "%Y-%m-%dT%H:%M:%S", &tm);
    n += (size_t)snprintf(out + n, room - n, ".%06ldZ ", now.tv_nsec / 1000);
    if (log_system[0])
        n += (size_t)snprintf(out + n, room - n, "%s ", log_system);
    return n;
}

void log_line(const char *fmt, ...)
{
    char line[LOG_LINE_BYTES];
    size_t n = log_stamp(line, sizeof line);
    va_list ap;
    va_start(ap, fmt);
    int m = vsnprintf(line + n, sizeof line - n - 1, fmt, ap);
    va_end(ap);
    n += m < 0 ? 0 : (size_t)m;
    if (n > sizeof line - 2)
        n = sizeof line - 2;
    line[n++] = '\n';
    if (write(STDERR_FILENO, line, n) < 0)
        return; /* nowhere left to say it */
}

void log_set_operator(void (*sink)(void *ctx, char severity, const char *text), void *ctx)
{
    log_operators.sink = sink;
    log_operators.ctx = ctx;
}

void log_operator(char severity, const char *fmt, ...)
{
    char text[LOG_LINE_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    log_line("%s", text);
    if (log_operators.sink)
        log_operators.sink(log_operators.ctx, severity, text);
}

void ergo_fail(const char *kind, const char *cond, const char *file, int line)
{
    log_line("%s:%d: %s failed: %s", file, line, kind, cond);
    abort();
}
