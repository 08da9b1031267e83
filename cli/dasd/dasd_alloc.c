/* endicott dasd alloc: what space of a volume CP uses for what (as CPFMTXA of z/VM does it). */
#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/dasd/dasd_tool.h"
#include "io/image/alloc_map.h"

bool dasd_name(const char *text, size_t len, size_t max, char *out)
{
    if (!len || len > max)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)text[i]) && !strchr("@#$_-", text[i]))
            return false;
        out[i] = (char)toupper((unsigned char)text[i]);
    }
    out[len] = 0;
    return true;
}

/** "SYSTEM" or "CLUSTER.SYSTEM". */
static bool owner_of(const char *text, struct alloc_map *map)
{
    const char *dot = strchr(text, '.'), *system = dot ? dot + 1 : text;
    if (dot && !dasd_name(text, (size_t)(dot - text), ALLOC_OWNER_BYTES - 1, map->cluster))
        return false;
    return dasd_name(system, strlen(system), ALLOC_OWNER_BYTES - 1, map->system);
}

/** "first-last", "first-END", or "first". */
static bool range_of(const char *text, u64 units, struct alloc_extent *x)
{
    char *end;
    if (!isdigit((unsigned char)*text))
        return false;
    u64 first = strtoull(text, &end, 10), last = first;
    if (*end == '-' && strcasecmp(end + 1, "end") == 0)
        last = units - 1;
    else if (*end == '-' && isdigit((unsigned char)end[1]))
        last = strtoull(end + 1, &end, 10);
    if ((*end && strcasecmp(end, "-end") != 0) || first > UINT32_MAX || last > UINT32_MAX)
        return false;
    x->first = (u32)first;
    x->last = (u32)last;
    return true;
}

/** TYPE range ..., into map; NULL, or the word that is wrong. */
static const char *extents_of(const char *const *word, unsigned words, u64 units,
                              struct alloc_map *map)
{
    for (unsigned i = 0; i < words; i += 2) {
        struct alloc_extent *x = &map->extent[map->count];
        char type[5];
        if (map->count == ALLOC_EXTENTS_MAX)
            return word[i];
        if (!dasd_name(word[i], strlen(word[i]), 4, type) || !alloc_type_find(type, &x->type))
            return word[i];
        if (i + 1 == words || !range_of(word[i + 1], units, x))
            return i + 1 == words ? word[i] : word[i + 1];
        map->count++;
    }
    return NULL;
}

static json_t *map_json(const char *file, const struct image_geometry *g,
                        const struct alloc_map *map)
{
    json_t *extents = json_array();
    for (unsigned i = 0; i < map->count; i++)
        json_array_append_new(extents, json_pack("{s:s, s:I, s:I}", "type",
                                                 alloc_type_name(map->extent[i].type), "first",
                                                 (json_int_t)map->extent[i].first, "last",
                                                 (json_int_t)map->extent[i].last));
    return json_pack("{s:s, s:b, s:s, s:s, s:s, s:o}", "file", file, "cpVolume", map->cp_volume,
                     "units", g->tracks ? "cylinders" : "pages", "cluster", map->cluster,
                     "system", map->system, "extents", extents);
}

static void told(const char *file, const struct image_geometry *g, const struct alloc_map *map,
                 bool json)
{
    if (json) {
        json_t *out = map_json(file, g, map);
        json_dumpf(out, stdout, JSON_INDENT(2));
        printf("\n");
        json_decref(out);
        return;
    }
    if (!map->cp_volume) {
        printf("%s: no CP volume: all of it is PERM\n", file);
        return;
    }
    printf("%s: CP volume%s%s%s%s, %s\n", file, map->system[0] ? " of " : "", map->cluster,
           map->cluster[0] ? "." : "", map->system, g->tracks ? "cylinders" : "pages");
    for (unsigned i = 0; i < map->count; i++)
        printf("  %s %u-%u\n", alloc_type_name(map->extent[i].type), map->extent[i].first,
               map->extent[i].last);
}

/** The operands behind the file, and --owner: a new map. 0, or an exit status. */
static int change(struct image *img, const char *const *word, unsigned words,
                  const struct dasd_options *o)
{
    struct alloc_map map = {0};
    struct cause cause, why;
    char volume[7];
    const char *wrong = extents_of(word, words, alloc_units(image_geometry(img)), &map);
    if (wrong)
        return dasd_usage("expected TYPE FIRST-LAST (PERM, TDSK, SPOL, PAGE, DRCT, PARM)",
                          wrong);
    if (o->owner && !owner_of(o->owner, &map))
        return dasd_usage("expected SYSTEM or CLUSTER.SYSTEM", o->owner);
    if (o->volume && !dasd_name(o->volume, strlen(o->volume), 6, volume))
        return dasd_usage("a volume name has 1 to 6 characters", o->volume);
    int rc = alloc_map_write(img, &map, o->volume ? volume : NULL, &why);
    if (rc)
        cause_set(&cause, rc, "%s: %s", image_path(img), why.text);
    rc = dasd_written(img, rc, &cause);
    return rc ? dasd_fail(rc, &cause) : EXIT_WELL;
}

int dasd_alloc(const char *const *operand, unsigned operands, const void *options)
{
    const struct dasd_options *o = options;
    struct alloc_map map;
    struct image *img;
    struct cause cause, why;
    if (!operands)
        return dasd_usage("a file is needed", "alloc");
    bool writes = operands > 1 || o->owner;
    int rc = image_open(operand[0], writes ? 0 : IMAGE_READ_ONLY, &img, &cause);
    if (rc)
        return dasd_fail(rc, &cause);
    int status = writes ? change(img, operand + 1, operands - 1, o) : EXIT_WELL;
    if (status == EXIT_WELL) {
        rc = alloc_map_read(img, &map, &why);
        if (rc)
            cause_set(&cause, rc, "%s: %s", operand[0], why.text);
        else
            told(operand[0], image_geometry(img), &map, o->json);
        status = rc ? dasd_fail(rc, &cause) : EXIT_WELL;
    }
    image_unref(img);
    return status;
}
