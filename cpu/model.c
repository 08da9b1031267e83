/* Processor models. A facility is listed only when every instruction and function of it that a
 * program could notice is implemented (isa_test checks that no model promises rows it lacks). */
#include "cpu/model.h"

#include <stdlib.h>
#include <strings.h>

/* Facilities of each generation, F(id, byte) for every one; a generation includes those before.
 * Not listed although the machines have them: HFP (20, 23), message-security assist, decimal
 * floating point, PFPO, ASN and LX reuse, CPU measurement, enhanced monitor. */
/* clang-format off */
#define Z10_FACILITIES(F, n) \
    F(N3, n) F(ZARCH, n) F(ZACTIVE, n) F(IDTE, n) F(STFLE, n) F(EDAT1, n) F(SRS, n) \
    F(CSSKE, n) F(ETF2, n) F(LD, n) F(LDHIGH, n) F(EI, n) F(ETF3, n) F(ETF2E, n) F(STCKF, n) \
    F(PARSE, n) F(MVCOS, n) F(TODSTEER, n) F(ETF3E, n) F(ECPUT, n) F(CSST, n) F(CSST2, n) \
    F(GIE, n) F(XE, n) F(SETPROG, n) F(FPSE, n)
#define Z196_FACILITIES(F, n) Z10_FACILITIES(F, n) F(FPE, n) F(Z196, n)
#define MAX_FACILITIES(F, n) \
    Z196_FACILITIES(F, n) F(ZEC12, n) F(IA2, n) F(LSOC2, n) F(MIE2, n) F(MIE3, n)
/* clang-format on */

#define BIT_IN(id, n) | (FAC_##id / 8 == (n) ? 0x80u >> FAC_##id % 8 : 0)
#define BYTE_OF(list, n) (u8)(0 list(BIT_IN, n))
#define FACILITY_LIST(list)                                                                    \
    {                                                                                          \
        BYTE_OF(list, 0), BYTE_OF(list, 1), BYTE_OF(list, 2), BYTE_OF(list, 3),                \
            BYTE_OF(list, 4), BYTE_OF(list, 5), BYTE_OF(list, 6), BYTE_OF(list, 7)             \
    }

static const struct cpu_model models[] = {
    {"z10", 0x2097, "E12", FACILITY_LIST(Z10_FACILITIES)},
    {"z196", 0x2817, "M15", FACILITY_LIST(Z196_FACILITIES)},
    {"z114", 0x2818, "M05", FACILITY_LIST(Z196_FACILITIES)},
    {"max", 0x2817, "M15", FACILITY_LIST(MAX_FACILITIES)}, /* all there is; no machine is so */
};

#define MODEL_DEFAULT 1 /* z196 */

const struct cpu_model *cpu_model_find(const char *name)
{
    char *end;
    unsigned long type = strtoul(name, &end, 16);
    bool is_type = *name && !*end;
    for (unsigned i = 0; i < ARRAY_LEN(models); i++)
        if (!strcasecmp(models[i].name, name) || (is_type && models[i].machine_type == type))
            return &models[i];
    return NULL;
}

const struct cpu_model *cpu_model_default(void)
{
    return &models[MODEL_DEFAULT];
}

const struct cpu_model *cpu_model_at(unsigned i)
{
    return i < ARRAY_LEN(models) ? &models[i] : NULL;
}
