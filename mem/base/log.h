/* Our own messages: one line each on standard error with a UTC timestamp, from the first line on.
 * Thread-safe. Guest output never goes here; secrets are never logged. */
#ifndef ENDICOTT_MEM_BASE_LOG_H
#define ENDICOTT_MEM_BASE_LOG_H

/** Name the member (8 characters at most) that is put into every line; "" for none. */
void log_set_system(const char *system);

/** Write one line; no newline in `fmt`. */
void log_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/** What the operator is to know of the host: `severity` 'E' for something that fails, 'I' when it
 *  goes on. A line like the others, and the sink has it, too. Any lock of io may be held. */
void log_operator(char severity, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Who takes such lines to the operator, on any thread, with locks held: takes no lock but
 *  post->lock. NULL: nobody. Set while no other threads are. */
void log_set_operator(void (*sink)(void *ctx, char severity, const char *text), void *ctx);

#endif
