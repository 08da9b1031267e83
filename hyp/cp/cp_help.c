/* HELP from the tables: commands with classes, messages with their texts.
 * HELP; HELP command; HELP HCPnnnn, HCPnnnnE or HCPmmmnnnnE. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_internal.h"

struct help_message {
    const char *module;
    int number;
    char severity;
    const char *text;
};

static const struct help_message messages[] = {
#define M(id, module, number, severity, text) {module, number, severity, text},
#include "mem/base/msg.def"
#undef M
};

static const char *severity_text(char severity)
{
    switch (severity) {
    case 'I': return "information";
    case 'W': return "warning";
    case 'A': return "action is needed";
    default: return "error: the command was not performed";
    }
}

/* %s and friends become .... */
static void show_message(struct cp_request *req, const struct help_message *m)
{
    char text[MSG_LINE_BYTES * 2];
    size_t n = 0;
    for (const char *p = m->text; *p && n + 4 < sizeof text; p++) {
        if (*p != '%') {
            text[n++] = *p;
            continue;
        }
        while (p[1] && !isalpha((unsigned char)p[1]))
            p++;
        while (p[1] == 'l' || p[1] == 'z')
            p++;
        p += p[1] != 0;
        memcpy(text + n, "...", 3);
        n += 3;
    }
    text[n] = 0;
    cp_line(req, "HCP%s%03d%c %s", m->module, m->number, m->severity, text);
    cp_line(req, "    Return code %d; %s.", m->number, severity_text(m->severity));
}

static int help_message(struct cp_request *req, const char *word)
{
    const char *p = word + 3;
    char module[4] = "";
    unsigned shown = 0;
    for (size_t n = 0; isalpha((unsigned char)*p) && n < 3; p++)
        module[n++] = *p;
    int number = atoi(p);
    for (size_t i = 0; number > 0 && i < ARRAY_LEN(messages); i++) {
        if (messages[i].number != number || (*module && strcmp(module, messages[i].module)))
            continue;
        show_message(req, &messages[i]);
        shown++;
    }
    return shown ? 0 : cp_fail(req, MSG_HLP001E, word);
}

static void show_row(struct cp_request *req, const struct cp_table_row *row)
{
    char classes[33] = "any";
    if (row->row.classes != CP_CLASS_ANY)
        directory_classes_text(row->row.classes, classes);
    cp_line(req, "%s%s%-14s class %s", row->prefix, *row->prefix ? " " : "", row->row.name,
            classes);
    cp_line(req, "    %s", row->row.help);
}

/* HELP [command [operand] | message] */
int cp_cmd_help(struct cp_request *req, void *ctx)
{
    struct cp_table_row row;
    const char *word = cp_operand(req), *operand = cp_operand(req);
    unsigned shown = 0;
    (void)ctx;
    if (!word) {
        cp_line(req, "HELP command, HELP QUERY operand, HELP HCPnnnn. Commands:");
        return cp_query_commands(req, NULL);
    }
    if (!strncmp(word, "HCP", 3) && strpbrk(word, "0123456789"))
        return help_message(req, word);
    for (unsigned i = 0; cp_table_row(req->cp, i, &row); i++) {
        bool hit = operand ? *row.prefix && !strncmp(row.prefix, word, strlen(word)) &&
                                 cp_abbrev(operand, row.row.name)
                           : !*row.prefix && cp_abbrev(word, row.row.name);
        if (!hit)
            continue;
        show_row(req, &row);
        shown++;
        break; /* the one that the abbreviation means */
    }
    return shown ? 0 : cp_fail(req, MSG_HLP001E, word);
}
