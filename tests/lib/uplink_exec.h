/* Arbitrary bytes as what the outside does to an uplink: what the fuzzer tests/fuzz/uplink_exec
 * does with one input, and unit/io_uplink_fuzz with noise. Deterministic but for slirp's clock. */
#ifndef ENDICOTT_TESTS_LIB_UPLINK_EXEC_H
#define ENDICOTT_TESTS_LIB_UPLINK_EXEC_H

#include "mem/base/bytes.h"

#include <stddef.h>

/**
 * An uplink of a network in memory with one station, made and ended here; the first byte says of
 * which kind, or that the rest is a specification. The rest is read as operations of the peer and
 * the station: bytes and frames of every length, right and wrong, reading a little, nothing or all,
 * going and coming back, time that passes. The uplink takes its turns between them on this thread.
 * Aborts when what leaves it is not the station's frames, whole and in order. Nothing goes to any
 * network.
 */
void uplink_exec_run(const u8 *data, size_t size);

/** The descriptor that is to pass for a tap device, -1: none. A program that answers TUNGETIFF for
 *  it has taps executed, too. */
int uplink_exec_tap(void);

#endif
