/* Work on a machine's storage by a thread of its own while the machine stands still: one at a time
 * for each machine. Inside hyp; loop thread, but for `work`. */
#ifndef ENDICOTT_HYP_VM_STILL_H
#define ENDICOTT_HYP_VM_STILL_H

#include <pthread.h>

#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct vm;
struct vm_still;

struct vm_still_ops {
    const char *what;                     /* why another one cannot begin now */
    void (*work)(struct vm_still *still); /* its thread: ends soon when `stop` is set */
    /* The machine has gone on. `stopped`: nothing may be left of it, even if it was whole. */
    void (*ended)(struct vm_still *still, bool stopped);
    void (*release)(struct vm_still *still); /* the last call */
};

/** What a CPU has asked for and what waits until the machine goes on. */
struct vm_deferred {
    struct vm_deferred *next;
    void (*fn)(void *arg); /* its argument is this */
};

/** The first member of what the work is about.
 *  Located by: vm->still. Created by who begins it, destroyed by `release`. Serialised by: the loop
 *  thread until the thread is there and when it has been joined; in between it is the thread's. */
struct vm_still {
    const struct vm_still_ops *ops;
    struct vm *vm; /* NULL: it was stopped */
    struct vm_deferred *deferred;
    _Atomic bool stop;
    pthread_t thread;
};

/** ST_BUSY: the machine cannot stand still for this now. */
int vm_still_check(const struct vm *vm, struct cause *cause);
/** Checked: from here on it stands still. What its CPUs are is looked at now. */
void vm_still_hold(struct vm *vm);
/** Held: the thread begins. ST_NOMEM: it does not, and the machine goes on. */
int vm_still_begin(struct vm *vm, struct vm_still *still, struct cause *cause);
/** End the work that is done, if any, and wait for that: reset, end of the machine. */
void vm_still_stop(struct vm *vm);
/** It ends soon, and is then told of as ended, or as whole if it was just that. */
void vm_op_still_stop(struct vm *vm);
/** `fn` is posted when the machine goes on; false: it does not stand still. */
bool vm_still_defer(struct vm *vm, void (*fn)(void *arg), struct vm_deferred *d);

#endif
