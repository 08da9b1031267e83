/* Our own messages: one line each on standard error with a UTC timestamp, from the first line on.
 * Thread-safe. Guest output never goes here; secrets are never logged. */
#ifndef ENDICOTT_MEM_BASE_LOG_H
#define ENDICOTT_MEM_BASE_LOG_H

/** Name the member (8 characters at most) that is put into every line; "" for none. */
void log_set_system(const char *system);

/** Write one line; no newline in `fmt`. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
