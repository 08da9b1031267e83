/* Arbitrary bytes as what a guest and its network do to network adapters: what the fuzzer
 * tests/fuzz/osa_exec does with one input, and unit/io_osa_fuzz with noise. Deterministic. */
#ifndef ENDICOTT_TESTS_LIB_OSA_EXEC_H
#define ENDICOTT_TESTS_LIB_OSA_EXEC_H

#include "mem/base/bytes.h"

#include <stddef.h>

/**
 * A machine of 1 MiB with an OSA adapter and one of HiperSockets on a network with a peer, made and
 * ended here. `data` is read as operations (osa_exec.c lists them): control messages, commands,
 * queues and buffers, frames of every length, halt and clear, coupling, save and restore, states
 * that were changed on the way. Aborts when an invariant does not hold.
 */
void osa_exec_run(const u8 *data, size_t size);

#endif
