/* The thread that does one virtual machine's device work, so that no processor thread ever waits
 * for a device and a channel program without end holds up nobody but its own machine. */
#ifndef ENDICOTT_HYP_IO_WORKER_H
#define ENDICOTT_HYP_IO_WORKER_H

#include <stdbool.h>

struct io_worker;

/** `threaded` false: jobs wait for io_worker_poll (deterministic mode). NULL without memory. */
struct io_worker *io_worker_create(bool threaded);
/** Do what is queued, then end the thread. Nobody may add any more. */
void io_worker_destroy(struct io_worker *worker);
/** Queue fn(arg); jobs run one at a time in order. Any thread. */
void io_worker_add(struct io_worker *worker, void (*fn)(void *arg), void *arg);
/** Run at most `max` queued jobs on this thread; true when it ran any. Unthreaded only. */
bool io_worker_poll(struct io_worker *worker, unsigned max);

#endif
