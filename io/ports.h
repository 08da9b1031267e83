/* What the I/O layer asks of its owner: interruptions, the clock, threads and console text.
 * hyp (or a test) fills one vtable per virtual machine; io never knows who is behind it. */
#ifndef ENDICOTT_IO_PORTS_H
#define ENDICOTT_IO_PORTS_H

#include "mem/base/bytes.h"

/**
 * Calls out of io. Every function gets `ctx` first and must be callable from any thread.
 * `io_pending`, `mchk_crw` and `service_signal` are called with io's locks held, so that their
 * order is the order of the changes: they must be short and must not call back into io.
 * `console_write` and `display_changed` are called without io's locks, from the thread that does
 * the device work.
 * Any member except `run` may be NULL.
 */
struct io_ports {
    /** The set of ISCs with pending I/O interruptions is now `isc_mask` (bit 0x80 = ISC 0). */
    void (*io_pending)(void *ctx, u8 isc_mask);
    /** A service-signal external interruption (2401) with parameter `parm` became pending;
     *  the owner takes it with sclp_take_signal when the CPU is enabled for it. */
    void (*service_signal)(void *ctx, u32 parm);
    /** true: a channel report is pending (machine check); false: the last one was stored. */
    void (*mchk_crw)(void *ctx, bool pending);
    /** Run fn(arg) once, off the processor thread; called without io's locks. It may be called
     *  at once, but then a channel program that loops keeps the processor thread until another
     *  thread halts, clears or quiesces. */
    void (*run)(void *ctx, void (*fn)(void *arg), void *arg);
    /** Whose channel subsystem it is, for messages. */
    const char *(*owner)(void *ctx);
    /** The guest's TOD clock. */
    u64 (*tod)(void *ctx);
    /** Console output in UTF-8 of device `devno`, or of IO_CONSOLE_SCLP or IO_CONSOLE_VT220.
     *  3215 and SCLP text comes a line at a time: no line feed in it, `newline` ends the line
     *  after this text. VT220 text is raw, with `newline` false. */
    void (*console_write)(void *ctx, u32 devno, const char *utf8, size_t len, bool newline);
    /** The guest took a line that was typed at a 3215, or at the SCLP: there is room for another
     *  (con3215_room, sclp_room). Without io's locks, on any thread. */
    void (*console_room)(void *ctx);
    /** The guest wrote to the 3270 display `devno`, or waits for a line of the 3215, or has it:
     *  the terminal is to look (con3270_take, con3215_reading). */
    void (*display_changed)(void *ctx, u32 devno);
    /** The guest registered for (true) or gave up (false) the quiesce signal. */
    void (*quiesce_capable)(void *ctx, bool capable);
    /** CPUs that are defined; bit n of *standby: CPU n is not configured. NULL: those of the
     *  configuration, all configured. */
    unsigned (*cpus)(void *ctx, u64 *standby);
    /** Of these the CPUs that are not defined, though one behind them is; they are among *standby.
     *  NULL: none. */
    u64 (*cpus_undefined)(void *ctx);
    /** Configure a CPU or put it into standby; it is defined, and not the one that asks. */
    void (*cpu_configure)(void *ctx, unsigned cpu_addr, bool on);
    /** Type of a CPU as its entry tells it. NULL: 0 for all. */
    u8 (*cpu_type)(void *ctx, unsigned cpu_addr);
    /** Increments of storage have gone: no CPU may use old translations any more. */
    void (*storage_changed)(void *ctx);
};

#define IO_CONSOLE_SCLP 0x10000u  /* SCLP line-mode console (messages) */
#define IO_CONSOLE_VT220 0x10001u /* SCLP ASCII console */

#endif
