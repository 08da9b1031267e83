/* The linkage stack (PoP chapter 5, "Linkage-Stack Operations"): state entries of 296 bytes in the
 * home space, found through CR15. For cpu/ only. Stack accesses are not subject to keys; their
 * exceptions name the home space. All return 0 or a program-interruption code, and one that
 * fails has changed nothing that counts. */
#ifndef ENDICOTT_CPU_LINKAGE_LINKAGE_H
#define ENDICOTT_CPU_LINKAGE_LINKAGE_H

#include "cpu/cpu_internal.h"

#define LINKAGE_BYTES 296u

/* Offsets in a state entry. */
enum linkage_offset {
    LINKAGE_GR = 0,
    LINKAGE_PKM = 128,
    LINKAGE_SASN = 130,
    LINKAGE_EAX = 132,
    LINKAGE_PASN = 134,
    LINKAGE_PSW_MASK = 136,
    LINKAGE_CALL = 144, /* called-space identification and PC number, or branch address */
    LINKAGE_MODIFIABLE = 152,
    LINKAGE_PSW_ADDR = 168,
    LINKAGE_SASTEIN = 176,
    LINKAGE_PASTEIN = 180,
    LINKAGE_AR = 224,
    LINKAGE_DESCRIPTOR = 288,
};

/* Entry types. */
#define LINKAGE_HEADER 0x09u
#define LINKAGE_BRANCH 0x0cu
#define LINKAGE_CALLED 0x0du

/** The current state entry. */
struct linkage_entry {
    u64 at; /* home-space address of byte 0 */
    u8 type;
};

/** What saves the state: registers, CR3, CR4, CR8, and the PSW with `addr` and the addressing mode
 *  of `mode` (PSW_EA, PSW_BA). The rest of `image` is zero. */
void linkage_image(const struct cpu *c, u8 image[LINKAGE_BYTES], u64 mode, u64 addr);
/** Stacking process: make `image` the current entry; the descriptor is filled in here. */
int linkage_push(struct cpu *c, u8 image[LINKAGE_BYTES], u8 type);
/** Special-operation exception unless the mode allows it; PR (`returning`) and what stacks may
 *  not be in the home-space mode. */
int linkage_mode(const struct cpu *c, bool returning);
/** Find the current state entry. `returning`: for PR, which unstack suppression concerns. */
int linkage_current(struct cpu *c, bool returning, struct linkage_entry *out);
/** Fetch or store part of an entry. */
int linkage_fetch(struct cpu *c, const struct linkage_entry *e, unsigned at, void *dst,
                  unsigned len);
int linkage_store(struct cpu *c, const struct linkage_entry *e, unsigned at, const void *src,
                  unsigned len);
/** Unstacking: see whether the entry before `e` can be updated; then make it the current one. */
int linkage_pop_check(struct cpu *c, const struct linkage_entry *e);
int linkage_pop(struct cpu *c, const struct linkage_entry *e);

#endif
