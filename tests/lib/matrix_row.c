/* Rows of operand.def, joined to those of the instruction tables by mnemonic, and parsed. What
 * the columns mean is said in operand.def. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/matrix.h"

enum row_id {
#define I(op, sub, fmt, mn, title, fac, flags) ROW_##mn,
#include "cpu/isa/isa.def"
#undef I
    ROWS
};

static const struct mx_row table[ROWS] = {
#define I(op_, sub_, fmt, mn, title, fac, flags_)                                              \
    [ROW_##mn] = {.mnemonic = #mn,                                                             \
                  .format = #fmt,                                                              \
                  .op = op_,                                                                   \
                  .sub = sub_,                                                                 \
                  .facility = FAC_##fac,                                                       \
                  .flags = flags_},
#include "cpu/isa/isa.def"
#undef I
};

struct columns {
    const char *operands, *registers, *setup, *rules;
};

/* Rows ROWS and up: the same instructions with other set-ups. */
static const struct {
    unsigned id;
    struct columns columns;
} more[] = {
#define V(mn, operands, registers, setup, rules)                                               \
    {ROW_##mn, {operands, registers, setup, rules}},
#include "tests/lib/operand_more.def"
#undef V
};

static const struct columns columns[ROWS] = {
#define O(mn, operands, registers, setup, rules)                                               \
    [ROW_##mn] = {operands, registers, setup, rules},
#include "tests/lib/operand.def"
#undef O
};

static void malformed(const struct mx_row *row, const char *what, const char *text)
{
    fprintf(stderr, "tests/lib/operand.def: %s: %s: %s\n", row->mnemonic, what, text);
    abort();
}

unsigned mx_row_count(void)
{
    return ROWS + ARRAY_LEN(more);
}

/* ---- operands ---- */

/* "4", "8R" (times registers), "L", "L1", "L2" (length fields), "M" (bytes of the mask): resolved
 * by the case, which has the fields; here the number, or 0. */
static const char *parse_length(struct mx_operand *o, const char *p)
{
    if (isdigit((unsigned char)*p))
        o->len = (u16)strtoul(p, (char **)&p, 10);
    if (*p == 'R' || *p == 'M' || *p == 'L')
        o->rule = *p++;
    if (o->rule == 'L' && isdigit((unsigned char)*p))
        o->rule = *p++;
    return p;
}

static void parse_operand(const struct mx_row *row, struct mx_operand *o, const char *word)
{
    const char *p = word;
    *o = (struct mx_operand){.where = *p++, .align = 1};
    if (!strchr("1234IRGP", o->where))
        malformed(row, "operand", word);
    if (o->where == 'R' || o->where == 'G')
        o->number = (u8)(*p++ - '0');
    if (o->where == 'P')
        o->number = (u8)strtoul(p, (char **)&p, 10);
    o->access = *p++;
    if (!strchr("fsuvxFSK", o->access))
        malformed(row, "access", word);
    p = parse_length(o, p);
    for (; *p && *p != ' '; p++) {
        if (*p == 'i')
            o->interruptible = true;
        else if (*p == 'b')
            o->backward = true;
        else if (*p == 't')
            o->table = true;
        else if (*p == 'y')
            o->secondary = true;
        else if (*p == 'p')
            o->list = true;
        else if (*p == 'a' || *p == 'A')
            o->cut = *p == 'A', o->align = (u16)strtoul(p + 1, (char **)&p, 10), p--;
        else
            malformed(row, "operand", word);
    }
}

static void parse_content(struct mx_row *row)
{
    for (unsigned i = 0; i < row->operand_count; i++) {
        struct mx_operand *o = &row->operand[i];
        char name[4] = {'C', (char)('1' + i), '=', 0};
        const char *hex = strstr(row->setup, name);
        hex = hex ? hex + 3 : "3ff8123456789abc";
        for (; isxdigit((unsigned char)*hex) && o->content_len < MX_CONTENT_BYTES; hex += 2) {
            char two[3] = {hex[0], hex[1], 0};
            o->content[o->content_len++] = (u8)strtoul(two, NULL, 16);
        }
    }
}

void mx_row_get(unsigned i, struct mx_row *row)
{
    const struct columns *from = i < ROWS ? &columns[i] : &more[i - ROWS].columns;
    *row = table[i < ROWS ? i : more[i - ROWS].id];
    row->length = (u8)isa_length(row->op);
    row->operands = from->operands;
    row->registers = from->registers;
    row->setup = from->setup;
    row->rules = from->rules;
    if (!row->operands)
        malformed(row, "no row", "every instruction has one");
    for (const char *p = row->operands; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        if (row->operand_count == MX_OPERANDS)
            malformed(row, "too many operands", row->operands);
        parse_operand(row, &row->operand[row->operand_count++], p);
    }
    parse_content(row);
}

/* ---- the other columns ---- */

bool mx_excused(const struct mx_row *row, const char *check)
{
    size_t n = strlen(check);
    for (const char *p = row->rules; (p = strchr(p, '-')); p++)
        if ((p == row->rules || p[-1] == ' ') && strncmp(p + 1, check, n) == 0 &&
            p[n + 1] == ':') {
            if (strlen(p + n + 2) < 4)
                malformed(row, "no reason", p);
            return true;
        }
    return false;
}

bool mx_says(const struct mx_row *row, const char *word)
{
    return strstr(row->rules, word) != NULL;
}

/* The word of the registers column that ends in field number n: "e1". */
static const char *register_word(const struct mx_row *row, unsigned n, const char *kinds)
{
    for (const char *p = row->registers; *p; p += strcspn(p, " "), p += strspn(p, " "))
        if (strchr(kinds, p[0]) && p[1] == (char)('0' + n))
            return p;
    return NULL;
}

char mx_register_kind(const struct mx_row *row, unsigned n)
{
    const char *p = register_word(row, n, "gefxac");
    return p ? *p : 0;
}

unsigned mx_modifier_valid(const struct mx_row *row, unsigned n)
{
    const char *p = register_word(row, n, "m");
    unsigned valid = 0;
    for (p = p ? p + 3 : ""; isdigit((unsigned char)*p); p += *p == ',') {
        unsigned first = (unsigned)strtoul(p, (char **)&p, 10), last = first;
        if (*p == ':')
            last = (unsigned)strtoul(p + 1, (char **)&p, 10);
        for (; first <= last; first++)
            valid |= 1u << first;
    }
    return valid;
}
