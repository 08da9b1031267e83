/* What tests of the dispatcher share: a machine of 1 MiB, IPLed from bytes the test gives. */
#ifndef ENDICOTT_TESTS_LIB_IPLED_MACHINE_H
#define ENDICOTT_TESTS_LIB_IPLED_MACHINE_H

#include "hyp/vm.h"

/** Bytes of the image at an absolute address. */
struct ipled_piece {
    u32 at;
    const u8 *bytes;
    size_t len;
};

/**
 * Makes a host of `hc` (its model is set here) with `post` and `events`, and on it an LPAR of
 * `cpus` CPUs, IPLed from the pieces up to one without bytes. The caller ends both. Check's
 * assertions.
 */
void ipled_machine(struct vm_host_config hc, void (*post)(void *, void (*)(void *), void *),
                   const struct vm_host_events *events, unsigned cpus,
                   const struct ipled_piece *piece, struct vm_host **host, struct vm **vm);
/** A host's post for tests without a loop: what is to be done there is done at once. */
void ipled_at_once(void *ctx, void (*fn)(void *arg), void *arg);
/** One more of such machines on a host. */
struct vm *ipled_another(struct vm_host *host, unsigned cpus, struct share share,
                         const struct ipled_piece *piece);
/** IPLs a machine, again if need be, from such pieces. */
void ipled_pieces(struct vm *vm, const struct ipled_piece *piece);
/** Does its first CPU wait disabled? */
bool ipled_ended(struct vm *vm);
/** As ipled_machine, on one processor, with one CPU that has ended: gets devices before its IPL. */
void ipled_resting(struct vm_host **host, struct vm **vm);

#endif
