/* Arbitrary bytes executed in an arbitrary state: what the fuzzer tests/fuzz/decode_exec does with
 * one input, and unit/cpu_fuzz with every input kept in tests/fuzz/corpus. Deterministic. */
#ifndef ENDICOTT_TESTS_LIB_DECODE_EXEC_H
#define ENDICOTT_TESTS_LIB_DECODE_EXEC_H

#include "cpu/engine.h"

/** Machines of models max and z10, each with and without a translator, of two CPUs and 2 MiB; made
 *  once and used for many inputs. */
struct decode_exec;

struct decode_exec *decode_exec_create(void);
void decode_exec_destroy(struct decode_exec *x);
/** State and storage from `data` (docs/fuzzing.md has the layout), then some hundred
 *  instructions; with flag 64 three times, on a machine that translates. */
void decode_exec_run(struct decode_exec *x, const u8 *data, size_t size);
/** What was translated so far: regions, their instructions, how many were made void. */
void decode_exec_stats(struct decode_exec *x, struct cpu_engine_stats *out);

#endif
