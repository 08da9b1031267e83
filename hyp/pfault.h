/* Page-fault interruptions (PFAULT, DIAGNOSE X'258'): the program is told that an operand is on its
 * way, and when it has come, and does something else meanwhile. What comes is storage of a
 * snapshot that is restored (mem/storage_source.h); of nothing else it is known before that it is
 * missing. */
#ifndef ENDICOTT_HYP_PFAULT_H
#define ENDICOTT_HYP_PFAULT_H

#include <stdatomic.h>

#include "mem/base/codec.h"

#define PFAULT_REQUESTS_MAX 64 /* of a machine; more wait for the host */

struct vm;
struct vcpu;
struct cpu_service;

/** What the program established: where the token of its page faults is, and in which states of the
 *  PSW it wants to hear of them. */
struct pfault {
    bool set;
    u64 token_at; /* real */
    u64 select, compare;
};

/** Page faults that the program has been told of. Part of struct vm. */
struct pfault_requests {
    _Atomic unsigned count;
    struct pfault_request { /* guarded by host->lock */
        bool used, came;
        u8 cpu;
        u64 token, abs;
    } of[PFAULT_REQUESTS_MAX];
};

/** Tokens are wanted from now on; or, when not set, nothing is, and what waits is forgotten. The
 *  CPU is not in cpu_run. */
void pfault_set(struct vcpu *v, const struct pfault *to);
/** Behind CPU_EXIT_ABSENT, on the running thread: the program is told, or storage is there. */
void pfault_begin(struct vcpu *v);
/** A chunk of storage is there; the thread that brings them. A storage_came_cb, of a struct vm. */
void pfault_came(void *vm, u64 abs);
/** One that has come and was not told of; false: none. */
bool pfault_take(struct vm *vm, struct cpu_service *out, bool *more);
/** Tokens, and what is still to be told: all of storage is there where the machine goes on. */
void pfault_save(struct vm *vm, u16 tag_token, u16 tag_came, struct codec_out *out);
bool pfault_restore_token(struct vm *vm, const struct codec_row *row);
bool pfault_restore_came(struct vm *vm, const struct codec_row *row);

#endif
