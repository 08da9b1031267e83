/* Processor models and facility lists as data, per virtual machine.
 * A model offers what its generation of machines has (facility.def), as far as it is here. A
 * relocation domain is just another facility list. Sources: Principles of Operation, "Facility
 * Indications"; machine types as reported by STIDP. */
#ifndef ENDICOTT_CPU_MODEL_H
#define ENDICOTT_CPU_MODEL_H

#include "mem/base/bytes.h"

#define FACILITY_BYTES 32
#define FACILITY_BITS (8 * FACILITY_BYTES)
#define FACILITY_OWN 248 /* numbers from here on are not those of STFLE */
#define CPU_MODEL_NAME_BYTES 9

/** Facility bits that rows of isa.def are gated by (facility.def gives names and numbers). */
enum facility {
#define FAC(id, bit, since, here, title) FAC_##id = bit,
#include "cpu/facility.def"
#undef FAC
};

/** Generations in order of release: z900 and z800, z990 and z890, and so on. */
enum cpu_generation {
    GEN_Z900,
    GEN_Z990,
    GEN_Z9,
    GEN_Z10,
    GEN_Z196,
    GEN_ZEC12,
    GEN_Z13,
    GEN_Z14,
    GEN_Z15,
    GEN_Z16,
    GEN_NEVER, /* facilities that no machine has had */
    GEN_MAX = GEN_NEVER,
};

/** How instructions are executed: by the interpreter alone, or translated when they are hot; for
 *  tests also translated when first met, with regions of one instruction, and all that is
 *  translated executed by the interpreter too and compared; or some of what is executed often. */
enum cpu_engine {
    CPU_ENGINE_INTERP,
    CPU_ENGINE_JIT,
    CPU_ENGINE_JIT_FIRST,
    CPU_ENGINE_JIT_SINGLE,
    CPU_ENGINE_LOCKSTEP,
    CPU_ENGINE_LOCKSTEP_SOME,
};

struct cpu_model {
    char name[CPU_MODEL_NAME_BYTES]; /* "z10" */
    u16 machine_type;                /* 0x2097 */
    enum cpu_generation generation;
    char model[17];    /* "E12" */
    char capacity[17]; /* "712": model-capacity identifier */
};

/** Find by name ("z10", "z196") or by machine type number in hex digits ("2097"); or NULL. */
const struct cpu_model *cpu_model_find(const char *name);
/** The newest model that is complete. */
const struct cpu_model *cpu_model_default(void);
/** Model `i` for listings; NULL past the end. */
const struct cpu_model *cpu_model_at(unsigned i);
/** The facilities it offers, FACILITY_BYTES: what the machine has and is here. */
void cpu_model_facilities(const struct cpu_model *model, u8 *out);
/** The facility list of the real machine, implemented here or not. */
void cpu_model_machine_facilities(const struct cpu_model *model, u8 *out);
/** True when the model offers the facility. */
bool cpu_model_offers(const struct cpu_model *model, unsigned bit);
/** All names, separated by blanks, for messages. */
const char *cpu_model_names(void);
/**
 * True when programs compiled for the machine run: what compilers use without asking is offered.
 * Decimal floating point does not count, which they use for programs with decimal types only.
 */
bool cpu_model_complete(const struct cpu_model *model);

/** A facility of a list whose foundation the list lacks. */
struct facility_gap {
    unsigned bit, needed;
};
/** Look for a facility of `list` that needs one it has not (facility_needs.def). */
bool facility_gap_find(const u8 *list, struct facility_gap *out);
/** Title of a facility; NULL when no row has the bit. */
const char *facility_title(unsigned bit);

static inline bool facility_has(const u8 *facilities, unsigned bit)
{
    return bit < FACILITY_BITS && (facilities[bit / 8] & (0x80u >> (bit % 8)));
}

#endif
