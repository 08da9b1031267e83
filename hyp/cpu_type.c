/* Types of virtual CPUs: names and codes, by the rows of cpu_type.def. */
#include "hyp/cpu_type.h"

static const struct {
    const char *name;
    u8 code;
} types[] = {
#define T(name, code) {name, code},
#include "hyp/cpu_type.def"
#undef T
};

bool cpu_type_find(const char *name, u8 *code)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(types[i].name, name))
            continue;
        *code = types[i].code;
        return true;
    }
    return false;
}

const char *cpu_type_name(u8 code)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].code == code)
            return types[i].name;
    return NULL;
}
