/* Arbitrary bytes as what a guest may do to its channel subsystem: what the fuzzer
 * tests/fuzz/channel_exec does with one input, and unit/io_fuzz with noise. Deterministic. */
#ifndef ENDICOTT_TESTS_LIB_CHANNEL_EXEC_H
#define ENDICOTT_TESTS_LIB_CHANNEL_EXEC_H

#include "mem/base/bytes.h"

#include <stddef.h>

/**
 * A machine of 1 MiB with a console, a reader with files, a punch, a printer, a device with four
 * paths and two adapters that are coupled, made and ended here. `data` is read as operations
 * (channel_exec.c lists them): pieces of storage, I/O instructions with operands from the input,
 * host input, paths that come and go, save and restore into a second machine. Aborts when an
 * invariant does not hold.
 */
void channel_exec_run(const u8 *data, size_t size);

#endif
