/* Processor models: rows of model.def, their facility lists made of rows of facility.def.
 * Guarantees: an offered list has only facilities whose rows say HERE and whose `since` is not
 * after the model's generation; "max" counts as later than all of them. */
#include "cpu/model.h"

#include <stdlib.h>
#include <strings.h>

#define IS_HERE true
#define IS_ABSENT false

static const struct cpu_model models[] = {
#define MODEL(name, type, generation, model, capacity)                                         \
    {name, type, GEN_##generation, model, capacity},
#include "cpu/model.def"
#undef MODEL
};

static const struct {
    u16 bit;
    bool here;
    enum cpu_generation since;
    const char *title;
} facilities[] = {
#define FAC(id, bit, since, here, title) {bit, IS_##here, GEN_##since, title},
#include "cpu/facility.def"
#undef FAC
};

static const struct facility_gap needs[] = {
#define NEEDS(id, needed) {FAC_##id, FAC_##needed},
#include "cpu/facility_needs.def"
#undef NEEDS
};

/* What compilers use without asking in programs for a generation (gcc: -march). */
static const struct {
    enum cpu_generation since;
    enum facility facility;
} compiled_for[] = {
    {GEN_Z900, FAC_N3},    {GEN_Z990, FAC_LD},   {GEN_Z9, FAC_EI},    {GEN_Z10, FAC_GIE},
    {GEN_Z10, FAC_XE},     {GEN_Z196, FAC_Z196}, {GEN_Z196, FAC_FPE}, {GEN_ZEC12, FAC_ZEC12},
    {GEN_Z13, FAC_LSOC2},  {GEN_Z13, FAC_VX},    {GEN_Z14, FAC_MIE2}, {GEN_Z14, FAC_VXE},
    {GEN_Z14, FAC_VXPD},   {GEN_Z15, FAC_MIE3},  {GEN_Z15, FAC_VXE2}, {GEN_Z15, FAC_VXPDE},
    {GEN_Z16, FAC_VXPDE2},
};

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
    const struct cpu_model *best = &models[0];
    for (unsigned i = 1; i < ARRAY_LEN(models); i++) {
        const struct cpu_model *m = &models[i];
        if (m->generation < GEN_MAX && m->generation > best->generation &&
            cpu_model_complete(m))
            best = m;
    }
    return best;
}

const struct cpu_model *cpu_model_at(unsigned i)
{
    return i < ARRAY_LEN(models) ? &models[i] : NULL;
}

const char *cpu_model_names(void)
{
    return ""
#define MODEL(name, type, generation, model, capacity) name " "
#include "cpu/model.def"
#undef MODEL
           "(endicott models)";
}

static void list_make(enum cpu_generation generation, bool absent_too, u8 *out)
{
    memset(out, 0, FACILITY_BYTES);
    for (unsigned i = 0; i < ARRAY_LEN(facilities); i++)
        if (facilities[i].since <= generation && (facilities[i].here || absent_too))
            out[facilities[i].bit / 8] |= (u8)(0x80u >> facilities[i].bit % 8);
}

void cpu_model_facilities(const struct cpu_model *model, u8 *out)
{
    list_make(model->generation, false, out);
}

void cpu_model_machine_facilities(const struct cpu_model *model, u8 *out)
{
    list_make(model->generation, model->generation < GEN_MAX, out);
}

bool cpu_model_offers(const struct cpu_model *model, unsigned bit)
{
    u8 list[FACILITY_BYTES];
    cpu_model_facilities(model, list);
    return facility_has(list, bit);
}

bool cpu_model_complete(const struct cpu_model *model)
{
    u8 list[FACILITY_BYTES];
    cpu_model_facilities(model, list);
    for (unsigned i = 0; i < ARRAY_LEN(compiled_for); i++)
        if (compiled_for[i].since <= model->generation &&
            !facility_has(list, compiled_for[i].facility))
            return false;
    return true;
}

bool facility_gap_find(const u8 *list, struct facility_gap *out)
{
    for (unsigned i = 0; i < ARRAY_LEN(needs); i++)
        if (facility_has(list, needs[i].bit) && !facility_has(list, needs[i].needed)) {
            *out = needs[i];
            return true;
        }
    for (unsigned bit = 32; bit < FACILITY_BITS; bit++)
        if (facility_has(list, bit) && !facility_has(list, FAC_STFLE)) {
            *out = (struct facility_gap){bit, FAC_STFLE};
            return true;
        }
    return false;
}

const char *facility_title(unsigned bit)
{
    for (unsigned i = 0; i < ARRAY_LEN(facilities); i++)
        if (facilities[i].bit == bit)
            return facilities[i].title;
    return NULL;
}
