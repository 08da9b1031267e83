/* Runs every program, or those named. */
#include <string.h>

#include "programs.h"

static const struct {
    const char *name;
    void (*run)(void);
} programs[] = {
    {"sorting", program_sorting}, {"bigint", program_bigint},   {"hashing", program_hashing},
    {"bits", program_bits},       {"floats", program_floats},   {"printing", program_printing},
    {"quad", program_quad},       {"control", program_control}, {"threads", program_threads},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        int wanted = argc < 2;
        for (int k = 1; k < argc; k++)
            wanted |= !strcmp(argv[k], programs[i].name);
        if (!wanted)
            continue;
        printf("== %s\n", programs[i].name);
        programs[i].run();
    }
    return 0;
}
