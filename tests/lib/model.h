/* What tests beside an exact model, or with noise, have in common. */
#ifndef ENDICOTT_TESTS_LIB_MODEL_H
#define ENDICOTT_TESTS_LIB_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "mem/base/bytes.h"

/**
 * Asks `agrees` about each line that tests/lib/SCRIPT prints for a seed and a count: those, unless
 * the environment has PREFIX_SEED and PREFIX_COUNT. Check's assertions; ends early when much is
 * wrong.
 */
void model_compare(const char *script, const char *prefix, const char *seed, const char *count,
                   bool (*agrees)(const char *line));
/** Runs so many inputs of noise, the same each time; no more than NOISE_BYTES_MAX each. */
#define NOISE_BYTES_MAX 4096
void noise_run(unsigned inputs, size_t bytes, void (*run)(const u8 *data, size_t len));

#endif
