/* Architecture descriptions: facilities and CP's features as strings of bits.
 * Guarantees: facilities of a description keep facility_needs.def (intersections of lists that keep
 * it do; a facility that CP takes away takes those along that stand on it). Items of a text are
 * numbered through: facilities first, then features. */
#include "hyp/arch.h"

#include <stdio.h>

enum { ROW_MODEL = 1, ROW_FACILITIES = CODEC_MANDATORY | 2, ROW_FEATURES = 3 };
enum { ARCH_VERSION = 1 };
enum feature_kind { KIND_DIAG, KIND_FACILITY };

static const struct {
    u16 what;
    u8 number, level;
    enum feature_kind kind;
    const char *title;
} features[] = {
#define F(id, number, level, kind, what, title) {what, number, level, KIND_##kind, title},
#include "hyp/cp_feature.def"
#undef F
};

#define ITEMS (FACILITY_BITS + ARCH_FEATURE_BYTES * 8)

static bool bit_of(const u8 *list, unsigned n)
{
    return list[n / 8] & 0x80u >> n % 8;
}

static void bit_put(u8 *list, unsigned n, bool on)
{
    u8 mask = (u8)(0x80u >> n % 8);
    list[n / 8] = (u8)(on ? list[n / 8] | mask : list[n / 8] & ~mask);
}

static bool item_of(const struct arch *a, unsigned item)
{
    return item < FACILITY_BITS ? bit_of(a->facilities, item)
                                : bit_of(a->features, item - FACILITY_BITS);
}

void arch_of(const struct cpu_model *model, unsigned cp_level, struct arch *out)
{
    struct facility_gap gap;
    *out = (struct arch){.model = model};
    cpu_model_facilities(model, out->facilities);
    for (unsigned i = 0; i < ARRAY_LEN(features); i++) {
        bool here = features[i].level <= cp_level;
        if (features[i].kind == KIND_FACILITY && !here)
            bit_put(out->facilities, features[i].what, false);
        bit_put(out->features, features[i].number, here);
    }
    while (facility_gap_find(out->facilities, &gap))
        bit_put(out->facilities, gap.bit, false);
}

/* Models are in the order of their release. */
static unsigned model_rank(const struct cpu_model *model)
{
    unsigned n = 0;
    while (cpu_model_at(n) && cpu_model_at(n) != model)
        n++;
    return n;
}

void arch_common(struct arch *a, const struct arch *b)
{
    for (unsigned i = 0; i < FACILITY_BYTES; i++)
        a->facilities[i] &= b->facilities[i];
    for (unsigned i = 0; i < ARCH_FEATURE_BYTES; i++)
        a->features[i] &= b->features[i];
    if (model_rank(b->model) < model_rank(a->model))
        a->model = b->model;
}

bool arch_within(const struct arch *a, const struct arch *b)
{
    for (unsigned i = 0; i < ITEMS; i++)
        if (item_of(a, i) && !item_of(b, i))
            return false;
    return true;
}

bool arch_same(const struct arch *a, const struct arch *b)
{
    return a->model == b->model && arch_within(a, b) && arch_within(b, a);
}

/* The end of a row of facilities from `item` on that are all beyond `b`. */
static unsigned range_end(const struct arch *a, const struct arch *b, unsigned item)
{
    while (item + 1 < FACILITY_BITS && item_of(a, item + 1) && !item_of(b, item + 1))
        item++;
    return item;
}

/* One without a row here is of a newer release. */
static void feature_text(unsigned number, char *out, size_t room)
{
    snprintf(out, room, "feature %u", number);
    for (unsigned i = 0; i < ARRAY_LEN(features); i++)
        if (features[i].number == number)
            snprintf(out, room, "%s", features[i].title);
}

/* The next item of a text: where it ends. */
static unsigned item_text(const struct arch *a, const struct arch *b, unsigned item, bool first,
                          bool *cp, char *out, size_t room)
{
    char title[48];
    unsigned end = item < FACILITY_BITS ? range_end(a, b, item) : item;
    if (item < FACILITY_BITS) {
        snprintf(out, room, end > item ? "%s%u-%u" : "%s%u", first ? "" : ", ", item, end);
        return end;
    }
    feature_text(item - FACILITY_BITS, title, sizeof title);
    snprintf(out, room, "%s%s%s", first ? "" : *cp ? ", " : "; ", *cp ? "" : "CP: ", title);
    *cp = true;
    return end;
}

const char *arch_beyond_text(const struct arch *a, const struct arch *b, unsigned *next,
                             char *out, size_t room)
{
    size_t at = 0;
    bool cp = false; /* "CP:" has been said */
    out[0] = 0;
    for (unsigned i = *next; i < ITEMS; i++) {
        char text[64];
        if (!item_of(a, i) || item_of(b, i))
            continue;
        unsigned end = item_text(a, b, i, !at, &cp, text, sizeof text);
        if (at + strlen(text) >= room) {
            *next = i;
            return out;
        }
        strcpy(out + at, text);
        at += strlen(text);
        i = end;
    }
    *next = 0;
    return out;
}

bool arch_diag(const struct arch *a, u16 code)
{
    for (unsigned i = 0; i < ARRAY_LEN(features); i++)
        if (features[i].kind == KIND_DIAG && features[i].what == code)
            return bit_of(a->features, features[i].number);
    return true;
}

void arch_put(struct codec_out *out, u16 tag, const struct arch *a)
{
    codec_begin(out, tag, ARCH_VERSION);
    codec_put_bytes(out, ROW_MODEL, a->model->name, strlen(a->model->name));
    codec_put_bytes(out, ROW_FACILITIES, a->facilities, sizeof a->facilities);
    codec_put_bytes(out, ROW_FEATURES, a->features, sizeof a->features);
    codec_end(out);
}

static bool get_model(const struct codec_row *row, struct arch *out)
{
    char name[CPU_MODEL_NAME_BYTES] = "";
    if (!row->len || row->len >= sizeof name)
        return false;
    memcpy(name, row->p, row->len);
    for (unsigned i = 0; cpu_model_at(i); i++)
        if (!strcmp(cpu_model_at(i)->name, name))
            out->model = cpu_model_at(i);
    return true;
}

bool arch_get(const struct codec_row *outer, const struct cpu_model *model, struct arch *out)
{
    struct codec_in in;
    struct codec_row row;
    bool facilities_there = false;
    *out = (struct arch){.model = model};
    if (!codec_open(outer, &in) || in.version != ARCH_VERSION)
        return false;
    while (codec_next(&in, &row)) {
        bool good = !(row.tag & CODEC_MANDATORY);
        if (row.tag == ROW_MODEL)
            good = get_model(&row, out);
        else if (row.tag == ROW_FACILITIES)
            good = facilities_there =
                codec_get_array(&row, out->facilities, 1, sizeof out->facilities);
        else if (row.tag == ROW_FEATURES)
            good = codec_get_array(&row, out->features, 1, sizeof out->features);
        if (!good)
            return false;
    }
    return !in.failed && facilities_there && out->model;
}
