/* Small programs whose output is the same wherever C is: built for s390x at several levels of the
 * architecture and of optimisation, and for the host, which says what is right. Run by
 * tests/scenario/programs.sh. */
#ifndef ENDICOTT_TESTS_PROGRAMS_H
#define ENDICOTT_TESTS_PROGRAMS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/** Each prints what it found. */
void program_sorting(void);
void program_bigint(void);
void program_hashing(void);
void program_bits(void);
void program_floats(void);
void program_printing(void);
void program_quad(void);
void program_control(void);
void program_threads(void);

/** A repeatable stream of numbers; *state may be anything but 0. */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return *state = x;
}

/** Running checksum (FNV-1a, by values, so that byte order does not matter). */
static inline void mix(uint64_t *sum, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        *sum ^= value >> 8 * i & 0xff;
        *sum *= 0x100000001b3u;
    }
}

#define SUM_START 0xcbf29ce484222325u

#endif
