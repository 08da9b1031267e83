/* Processor models and facility lists as data, per virtual machine.
 * A relocation domain is just another facility list. Sources: Principles of Operation,
 * "Facility Indications"; processor type numbers as reported by STIDP. */
#ifndef ENDICOTT_CPU_MODEL_H
#define ENDICOTT_CPU_MODEL_H

#include "mem/base/bytes.h"

#define FACILITY_BYTES 32
#define CPU_MODEL_NAME_BYTES 9

/** Facility bits that rows of isa.def are gated by (facility.def gives names and numbers). */
enum facility {
#define FAC(id, bit, title) FAC_##id = bit,
#include "cpu/facility.def"
#undef FAC
};

struct cpu_model {
    char name[CPU_MODEL_NAME_BYTES]; /* "z10" */
    u16 machine_type;                /* 0x2097 */
    char model_capacity[17];         /* "E12             " without padding */
    u8 facilities[FACILITY_BYTES];   /* bit 0 leftmost */
};

/** Find by name ("z10", "z196") or by machine type number in hex digits ("2097"); or NULL. */
const struct cpu_model *cpu_model_find(const char *name);
/** The newest model that is complete. */
const struct cpu_model *cpu_model_default(void);
/** Model `i` for listings; NULL past the end. */
const struct cpu_model *cpu_model_at(unsigned i);

static inline bool facility_has(const u8 *facilities, unsigned bit)
{
    return bit < FACILITY_BYTES * 8 && (facilities[bit / 8] & (0x80u >> (bit % 8)));
}

#endif
