/* Why a CPU executes one instruction at a time, and the PER events of that one (per.h). */
#ifndef ENDICOTT_CPU_EVENT_WATCH_H
#define ENDICOTT_CPU_EVENT_WATCH_H

#include "mem/base/bytes.h"

/* Bits of cpu->watch. */
#define WATCH_PER 0x01u
#define WATCH_STORES 0x02u /* spaces keep no store translations */
#define WATCH_BRANCH_TRACE 0x04u
#define WATCH_ZERO 0x08u /* and none for fetching: addresses made from zero are looked for */
#define WATCH_OBSERVED 0x10u /* somebody outside looks on: observe.h */

/** PER events of the instruction being executed, until they are reported. */
struct per_events {
    u64 address; /* of the instruction */
    u8 code;     /* as stored at real 150 */
    u8 maybe;    /* of a store that may still not come about */
    u8 mode;     /* ATMID, when the instruction began */
    u8 space_id; /* address space of the store */
    u8 access_id;
    u8 index; /* index register of the instruction's storage operand; 16: none */
};

#endif
