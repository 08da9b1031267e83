/* Host failures: one list of negative status values, and the cause told to the operator.
 * Guest outcomes and operator messages are other channels; see docs/architecture.md. */
#ifndef ENDICOTT_MEM_BASE_STATUS_H
#define ENDICOTT_MEM_BASE_STATUS_H

#define CAUSE_TEXT_BYTES 512

enum status {
    ST_OK = 0,
    ST_NOMEM = -1,    /* host memory */
    ST_INVAL = -2,    /* caller's operand */
    ST_IO = -3,       /* host file or socket */
    ST_PROTO = -4,    /* a peer or a file broke the format */
    ST_BUSY = -5,     /* try again, or held by somebody */
    ST_NOENT = -6,    /* no such thing */
    ST_EXIST = -7,    /* there already */
    ST_LIMIT = -8,    /* a named limit was reached */
    ST_REFUSED = -9,  /* policy or a vote said no */
    ST_TIMEOUT = -10, /* a named time passed */
    ST_CONFIG = -11,  /* configuration file */
    ST_PERM = -12,    /* host permission */
    ST_LOST = -13,    /* link or member lost */
};

/** Why something failed, in words for the operator. Plain value; the caller owns it. */
struct cause {
    int status;
    char text[CAUSE_TEXT_BYTES];
};

/**
 * Record a failure. `cause` may be NULL. Returns `status`, so that a caller can write
 * `return cause_set(cause, ST_IO, "%s: %s", path, strerror(errno));`.
 */
int cause_set(struct cause *cause, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
#ifdef __clang_analyzer__ /* which looks at one source file at a time, and would guess */
#define cause_set(cause, status, ...) (cause_set((cause), (status), __VA_ARGS__), (status))
#endif

/** The name of a status value ("no such thing"); never NULL. */
const char *status_name(int status);

#endif
