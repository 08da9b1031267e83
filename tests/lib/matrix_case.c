/* A case of the matrix: fields and registers of one instruction, from its row and its set-up. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/matrix.h"

#define NO_REGISTER 16
#define ASCE_STORAGE_ALTERATION 0x80u
#define ASCE_SPACE_SWITCH 0x40u

/* Fields of the formats of cpu/isa.h: name:first bit:width. */
static const struct {
    const char *format, *fields;
} formats[] = {
    {"I", "i1:8:8"},
    {"RR", "r1:8:4 r2:12:4"},
    {"RR_M", "m1:8:4 r2:12:4"},
    {"RRE", "r1:24:4 r2:28:4"},
    {"RRE_1", "r1:24:4"},
    {"RRF", "r3:16:4 m4:20:4 r1:24:4 r2:28:4"},
    {"RRD", "r1:16:4 r3:24:4 r2:28:4"},
    {"RX", "r1:8:4 x2:12:4 b2:16:4 d2:20:12"},
    {"RX_M", "m1:8:4 x2:12:4 b2:16:4 d2:20:12"},
    {"RXE", "r1:8:4 x2:12:4 b2:16:4 d2:20:12 m3:32:4"},
    {"RXF", "r3:8:4 x2:12:4 b2:16:4 d2:20:12 r1:32:4"},
    {"RXY", "r1:8:4 x2:12:4 b2:16:4 d2:20:12 h2:32:8"},
    {"RXY_M", "m1:8:4 x2:12:4 b2:16:4 d2:20:12 h2:32:8"},
    {"RS", "r1:8:4 r3:12:4 b2:16:4 d2:20:12"},
    {"RS_M", "r1:8:4 m3:12:4 b2:16:4 d2:20:12"},
    {"RSI", "r1:8:4 r3:12:4 rel:16:16"},
    {"RSY", "r1:8:4 r3:12:4 b2:16:4 d2:20:12 h2:32:8"},
    {"RSY_M", "r1:8:4 m3:12:4 b2:16:4 d2:20:12 h2:32:8"},
    {"RSL", "l1:8:4 b1:16:4 d1:20:12"},
    {"RI", "r1:8:4 i2:16:16"},
    {"RI_M", "m1:8:4 rel:16:16"},
    {"RI_REL", "r1:8:4 rel:16:16"},
    {"RIL", "r1:8:4 i2:16:32"},
    {"RIL_M", "m1:8:4 rel:16:32"},
    {"RIL_REL", "r1:8:4 rel:16:32"},
    {"RIE_A", "r1:8:4 i2:16:16 m3:32:4"},
    {"RIE_B", "r1:8:4 r2:12:4 rel:16:16 m3:32:4"},
    {"RIE_C", "r1:8:4 m3:12:4 rel:16:16 i2:32:8"},
    {"RIE_D", "r1:8:4 r3:12:4 i2:16:16"},
    {"RIE_E", "r1:8:4 r3:12:4 rel:16:16"},
    {"RIE_F", "r1:8:4 r2:12:4 i3:16:8 i4:24:8 i5:32:8"},
    {"RIE_G", "r1:8:4 m3:12:4 i2:16:16"},
    {"RIS", "r1:8:4 m3:12:4 b4:16:4 d4:20:12 i2:32:8"},
    {"RRS", "r1:8:4 r2:12:4 b4:16:4 d4:20:12 m3:32:4"},
    {"S", "b2:16:4 d2:20:12"},
    {"SI", "i2:8:8 b1:16:4 d1:20:12"},
    {"SIY", "i2:8:8 b1:16:4 d1:20:12 h1:32:8"},
    {"SIY_D", "b2:16:4 d2:20:12 h2:32:8"},
    {"SIL", "b1:16:4 d1:20:12 i2:32:16"},
    {"SS_L", "l1:8:8 b1:16:4 d1:20:12 b2:32:4 d2:36:12"},
    {"SS_LL", "l1:8:4 l2:12:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12"},
    {"SS_LI", "l1:8:4 i3:12:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12"},
    {"SS_RR", "r1:8:4 r3:12:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12"},
    {"SSE", "b1:16:4 d1:20:12 b2:32:4 d2:36:12"},
    {"SSF", "r3:8:4 b1:16:4 d1:20:12 b2:32:4 d2:36:12"},
    {"IE", "i1:24:4 i2:28:4"},
    {"MII", "m1:8:4 i2:12:12 i3:24:24"},
    {"SMI", "m1:8:4 b3:16:4 d3:20:12 i2:32:16"},
};

static const char *fields_of(const struct mx_row *row)
{
    for (unsigned i = 0; i < ARRAY_LEN(formats); i++)
        if (strcmp(formats[i].format, row->format) == 0)
            return formats[i].fields;
    return "";
}

bool mx_has_field(const struct mx_row *row, const char *name)
{
    const char *p = strstr(fields_of(row), name);
    return p && p[strlen(name)] == ':';
}

/* ---- fields ---- */

static void fields_init(struct mx_case *k)
{
    for (const char *p = fields_of(k->row); *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        struct mx_field *f = &k->field[k->fields++];
        unsigned at, width;
        if (sscanf(p, "%3[a-z0-9]:%u:%u", f->name, &at, &width) != 3)
            abort();
        f->at = (u8)at;
        f->width = (u8)width;
    }
}

static struct mx_field *field_find(const struct mx_case *k, const char *name)
{
    for (unsigned i = 0; i < k->fields; i++)
        if (strcmp(k->field[i].name, name) == 0)
            return (struct mx_field *)&k->field[i];
    return NULL;
}

u64 mx_field_get(const struct mx_case *k, const char *name)
{
    const struct mx_field *f = field_find(k, name);
    return f ? f->value : 0;
}

void mx_field_set(struct mx_case *k, const char *name, u64 v)
{
    struct mx_field *f = field_find(k, name);
    if (f)
        f->value = v & ((1ull << f->width) - 1);
}

void mx_encode(const struct mx_case *k, u8 insn[6])
{
    u64 word = (u64)k->row->op << 40, sub = k->row->sub;
    switch (isa_sub_kind(k->row->op)) {
    case ISA_SUB_NIBBLE: word |= sub << 32; break;
    case ISA_SUB_BYTE1: word |= sub << 32; break;
    case ISA_SUB_BYTE5: word |= sub; break;
    case ISA_SUB_NONE: break;
    }
    for (unsigned i = 0; i < k->fields; i++)
        word |= k->field[i].value << (48 - k->field[i].at - k->field[i].width);
    for (unsigned i = 0; i < 6; i++)
        insn[i] = (u8)(word >> (40 - 8 * i));
}

unsigned mx_length(const struct mx_case *k)
{
    return k->execute == 1 ? 4 : k->execute == 2 ? 6 : k->row->length;
}

/* ---- defaults and the set-up column ---- */

static const char *register_name(unsigned n)
{
    static const char *const names[] = {"", "r1", "r2", "r3"};
    return names[n];
}

/* Those get odd numbers, which are there with AFP registers only. */
static bool is_floating(const struct mx_row *row, unsigned n)
{
    return mx_register_kind(row, n) == 'f' || mx_register_kind(row, n) == 'x';
}

static void defaults(struct mx_case *k)
{
    for (unsigned n = 1; n <= 3; n++)
        if (mx_register_kind(k->row, n))
            mx_field_set(k, register_name(n), is_floating(k->row, n) ? 4 * n - 3 : 4 * n);
    static const struct {
        const char *name;
        u64 value;
    } values[] = {{"b1", 10},   {"b2", 11},    {"b3", 9},     {"b4", 15},
                  {"x2", 14},   {"d1", 0x123}, {"d2", 0x456}, {"d3", 0x30},
                  {"d4", 0x60}, {"h1", 0xfe},  {"h2", 0xff},  {"rel", 0x80}};
    for (unsigned i = 0; i < ARRAY_LEN(values); i++)
        mx_field_set(k, values[i].name, values[i].value);
    for (unsigned i = 0; i < 16; i++) {
        k->gr[i] = 0x0123456700000100ull + 0x1111111100001000ull * i;
        k->fpr[i] = 0x3ff8000000000000ull + 0x0001111111111111ull * i;
    }
    k->gr[14] = 0x10;
    k->gr[7] = MX_CODE; /* base register of EXECUTE */
}

/* G0= R1= R1+= : a register's value. C and A are looked at elsewhere. */
static void setup_register(struct mx_case *k, const char *name, u64 v)
{
    unsigned n = (unsigned)name[1] - '0';
    if (name[0] == 'R')
        n = (unsigned)mx_field_get(k, register_name(n)) + (name[2] == '+');
    k->gr[n & 15] = v;
}

static void setup_word(struct mx_case *k, const char *word)
{
    char name[8];
    const char *equal = strchr(word, '=');
    if (!equal || equal - word >= (long)sizeof name)
        return;
    memcpy(name, word, (size_t)(equal - word));
    name[equal - word] = 0;
    u64 v = strtoull(equal + 1, NULL, 16);
    if (name[0] == 'G' || name[0] == 'R')
        setup_register(k, name, v);
    else if (name[0] == 'K')
        k->cr[strtoul(name + 1, NULL, 10)] = v;
    else if (islower((unsigned char)name[0]))
        mx_field_set(k, name, v);
}

/* Value of an operand that is an address only. */
static u64 address_value(const struct mx_row *row)
{
    const char *p = strstr(row->setup, "A=");
    return p ? strtoull(p + 2, NULL, 16) : 0x2004;
}

void mx_case_init(struct matrix *m, struct mx_case *k, const struct mx_row *row)
{
    memset(k, 0, sizeof *k);
    k->row = row;
    fields_init(k);
    defaults(k);
    for (unsigned i = 0; i < row->operand_count; i++) {
        k->ea[i] = MX_PLAIN(i) + (row->operand[i].align < FRAME_BYTES ? 0x240 : FRAME_BYTES);
        if (row->operand[i].access == 'v')
            k->ea[i] = address_value(row);
        if (strchr("FSK", row->operand[i].access))
            k->ea[i] = MX_LOW_FRAME + 0x100 + 0x4000 * i;
    }
    k->cr[0] = CR0_AFP | CR0_SECONDARY_CTL | CR0_EXTRACT_AUTH;
    k->cr[1] = m->asce; /* all have the same tables; further bits tell them apart */
    k->cr[7] = m->asce | ASCE_STORAGE_ALTERATION;
    k->cr[13] = m->asce | ASCE_SPACE_SWITCH;
    k->mask = PSW_EA | PSW_BA | PSW_DAT;
    k->ia = MX_CODE;
    k->key = MX_KEY;
    for (const char *p = row->setup; *p; p += strcspn(p, " "), p += strspn(p, " "))
        setup_word(k, p);
}

/* ---- operands ---- */

u64 mx_amask(const struct mx_case *k)
{
    return k->mask & PSW_EA ? ~0ull : k->mask & PSW_BA ? 0x7fffffff : 0xffffff;
}

static unsigned registers_named(const struct mx_case *k)
{
    return (unsigned)((mx_field_get(k, "r3") - mx_field_get(k, "r1")) & 15) + 1;
}

unsigned mx_length_of(const struct mx_case *k, unsigned i)
{
    const struct mx_operand *o = &k->row->operand[i];
    switch (o->rule) {
    case 'R': return o->len * registers_named(k);
    case 'M': return (unsigned)__builtin_popcountll(mx_field_get(k, "m3"));
    case 'L':
    case '1': return (unsigned)mx_field_get(k, "l1") + 1;
    case '2': return (unsigned)mx_field_get(k, "l2") + 1;
    default: return o->len;
    }
}

static s64 displacement(const struct mx_case *k, char n)
{
    const char low[] = {'d', n, 0}, high[] = {'h', n, 0};
    u64 d = mx_field_get(k, low) | mx_field_get(k, high) << 12;
    return field_find(k, high) ? (s64)(d << 44) >> 44 : (s64)d;
}

unsigned mx_address_register(const struct mx_case *k, unsigned i)
{
    const struct mx_operand *o = &k->row->operand[i];
    const char base[] = {'b', o->where, 0};
    if (o->where == 'G')
        return o->number;
    if (o->where == 'R')
        return (unsigned)mx_field_get(k, register_name(o->number));
    return o->where == 'I' || o->where == 'P' || !mx_field_get(k, base)
               ? NO_REGISTER
               : (unsigned)mx_field_get(k, base);
}

static bool link_relative(struct mx_case *k, u64 ea)
{
    s64 distance = (s64)(ea - k->ia);
    if (distance & 1 || distance >> 32 != distance >> 33)
        return false;
    mx_field_set(k, "rel", (u64)(distance >> 1));
    return true;
}

bool mx_link(struct mx_case *k)
{
    for (unsigned i = 0; i < k->row->operand_count; i++) {
        const struct mx_operand *o = &k->row->operand[i];
        u64 ea = k->ea[i];
        if (o->backward)
            ea += mx_length_of(k, i) - 1;
        unsigned r = mx_address_register(k, i);
        if (o->where == 'I' && !link_relative(k, ea))
            return false;
        if (r == NO_REGISTER)
            continue;
        if (o->where != 'R' && o->where != 'G')
            ea -= (u64)displacement(k, o->where);
        if (o->where == '2' && mx_field_get(k, "x2"))
            ea -= k->gr[mx_field_get(k, "x2")];
        k->gr[r] = (ea & mx_amask(k)) | (k->dirt & ~mx_amask(k));
    }
    return true;
}
