/* The threads that do one virtual machine's device work, so that no processor thread ever waits
 * for a device, devices work at the same time, and a channel program without end or a host disk
 * that does not answer holds up nobody but its own machine. */
#ifndef ENDICOTT_HYP_IO_WORKER_H
#define ENDICOTT_HYP_IO_WORKER_H

#include <stdbool.h>

#define IO_THREADS_MAX 64u

struct io_worker;

/** How many threads a machine's device work has at most on a host with so many processors. */
unsigned io_worker_threads(long processors);
/** At most `threads` of them, made when there is work for them; 0: jobs wait for io_worker_poll
 *  (deterministic mode). NULL without memory. */
struct io_worker *io_worker_create(unsigned threads);
/** Do what is queued, then end the threads. Nobody may add any more. */
void io_worker_destroy(struct io_worker *worker);
/** Queue fn(arg); jobs begin in order, with several threads they run at the same time. Any
 *  thread. */
void io_worker_add(struct io_worker *worker, void (*fn)(void *arg), void *arg);
/** Run at most `max` queued jobs on this thread; true when it ran any. Without threads only. */
bool io_worker_poll(struct io_worker *worker, unsigned max);

#endif
