/* endicott models: processor models, the facilities each offers, and those of the real machine
 * that are not here. */
#include <jansson.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cpu/model.h"

#define MODELS_USAGE "models [--json]"

/* Facility numbers of a list as "0-3,7": for people. */
static void print_list(const char *head, const u8 *list)
{
    printf("  %s", head);
    const char *between = " ";
    for (unsigned bit = 0; bit < FACILITY_BITS; bit++) {
        unsigned end = bit;
        while (facility_has(list, end))
            end++;
        if (end == bit)
            continue;
        printf(end - bit > 1 ? "%s%u-%u" : "%s%u", between, bit, end - 1);
        between = ",";
        bit = end;
    }
    printf("%s\n", between[0] == ' ' ? " none" : "");
}

static json_t *json_list(const u8 *list)
{
    json_t *out = json_array();
    for (unsigned bit = 0; bit < FACILITY_BITS; bit++)
        if (facility_has(list, bit))
            json_array_append_new(out, json_integer(bit));
    return out;
}

/* What the machine has and the model does not offer. */
static void lists_of(const struct cpu_model *m, u8 *offered, u8 *absent)
{
    cpu_model_facilities(m, offered);
    cpu_model_machine_facilities(m, absent);
    for (unsigned i = 0; i < FACILITY_BYTES; i++)
        absent[i] &= (u8)~offered[i];
}

static void print_models(void)
{
    u8 offered[FACILITY_BYTES], absent[FACILITY_BYTES];
    const struct cpu_model *m;
    for (unsigned i = 0; (m = cpu_model_at(i)); i++) {
        lists_of(m, offered, absent);
        printf("%-8s %04X-%s%s%s\n", m->name, m->machine_type, m->model,
               cpu_model_complete(m) ? "" : ", not complete",
               m == cpu_model_default() ? ", the default" : "");
        print_list("offers", offered);
        print_list("absent", absent);
    }
}

static int print_json(void)
{
    u8 offered[FACILITY_BYTES], absent[FACILITY_BYTES];
    char type[5];
    json_t *all = json_array();
    const struct cpu_model *m;
    for (unsigned i = 0; (m = cpu_model_at(i)); i++) {
        lists_of(m, offered, absent);
        snprintf(type, sizeof type, "%04X", m->machine_type);
        json_array_append_new(all, json_pack("{s:s, s:s, s:s, s:b, s:b, s:o, s:o}", "name",
                                             m->name, "type", type, "model", m->model,
                                             "complete", cpu_model_complete(m), "default",
                                             m == cpu_model_default(), "facilities",
                                             json_list(offered), "absent", json_list(absent)));
    }
    int rc = json_dumpf(all, stdout, JSON_INDENT(1));
    printf("\n");
    json_decref(all);
    return rc ? EXIT_INTERNAL : EXIT_WELL;
}

int cli_models(int argc, char **argv)
{
    bool json = false;
    const struct cli_option options[] = {
        {"json", NULL, "as JSON", NULL, &json},
        {NULL, NULL, NULL, NULL, NULL},
    };
    int first = cli_parse(argc, argv, MODELS_USAGE, options, false);
    if (first < 0)
        return first == -2 ? EXIT_WELL : EXIT_USAGE;
    if (first < argc && argv[first]) {
        fprintf(stderr, "usage: endicott %s\n", MODELS_USAGE);
        return EXIT_USAGE;
    }
    if (json)
        return print_json();
    print_models();
    return EXIT_WELL;
}
