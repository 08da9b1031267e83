/* What the CPUs of one configuration need from the world above: time, waking, and the channel
 * subsystem's pending interruptions. Implemented by hyp; every function may be called from any
 * processor thread. */
#ifndef ENDICOTT_CPU_PORTS_H
#define ENDICOTT_CPU_PORTS_H

#include "mem/base/bytes.h"

/** One I/O interruption as stored at real 184-195 (Principles of Operation, chapter 6). */
struct cpu_io_interruption {
    u32 subsystem_id;
    u32 parm;
    u32 id_word;
};

/** An external interruption of the subclass of the service signal. */
struct cpu_service {
    u16 code;    /* 2401 service signal, 2603 of CP */
    u16 subcode; /* stored where others have a CPU address */
    bool wide;   /* parm64 is stored, too */
    u32 parm;
    u64 parm64;
};

struct cpu_ports {
    /** Host TOD clock, 64-bit TOD format (bit 51 = 1 microsecond), before the guest's epoch. */
    u64 (*tod)(void *ctx);
    /** CPU `cpu_addr` has something to do: an interruption pending, an order, a request. */
    void (*wake)(void *ctx, unsigned cpu_addr);
    /** Dequeue the I/O interruption of highest priority among the ISCs in `isc_mask` (bit 0 =
     *  0x80); false when none is left. */
    bool (*take_io)(void *ctx, u8 isc_mask, struct cpu_io_interruption *out);
    /** Take the pending service signal, or what else its subclass mask is for; false: there is none
     *  any more. When there is another one behind it, cpu_set_service_signal is called again. */
    bool (*take_service)(void *ctx, struct cpu_service *out);
    /** The external interruption 4000 or 4001 (`code`) of CPU `cpu_addr` is about to be taken:
     *  store what goes with it; false: there is nothing any more, and it is not. NULL: nothing
     *  goes with it. */
    bool (*take_message)(void *ctx, unsigned cpu_addr, u16 code);
};

#endif
