/* The 3215 console printer-keyboard, as z/VM gives every virtual machine.
 * Host side: lines in UTF-8 come in by con3215_input, text goes out by ports->console_write. */
#ifndef ENDICOTT_IO_CON3215_H
#define ENDICOTT_IO_CON3215_H

#include "io/css.h"

struct con3215;

#define CON3215_LINE_BYTES_MAX 255
#define CON3215_LINES_QUEUED_MAX 4096

/** Create and attach at `devno`; css owns it (destroyed by css_detach or css_destroy). */
struct con3215 *con3215_create(struct css *css, u16 devno, bool announce, struct cause *cause);
/** A line typed at the console (no newline): satisfies the pending read, else it is queued and
 *  attention is presented. ST_LIMIT when the queue is full. Any thread. */
int con3215_input(struct con3215 *con, const char *utf8, size_t len);
/** Is there room for one more? Lines that are typed come from one thread. */
bool con3215_room(struct con3215 *con);
/** A write without carrier return ends its line all the same (TERMINAL AUTOCR); off at first. */
void con3215_autocr(struct con3215 *con, bool on);
/** The attention key alone (an empty input line is con3215_input with len 0). */
void con3215_attention(struct con3215 *con);
/** True when the guest waits in a read for input (CP then shows "VM READ"). */
bool con3215_reading(struct con3215 *con);

#endif
