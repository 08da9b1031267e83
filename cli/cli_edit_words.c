/* Words that the Tab key completes at a console: commands, and operands of QUERY and SET, as CP's
 * table has them. At a guest's console only behind #CP. Pure. */
#include <ctype.h>
#include <string.h>

#include "cli/cli_edit.h"
#include "hyp/config/config_scan.h"
#include "mem/base/bytes.h"

static const struct {
    const char *prefix, *name;
} words[] = {
#define R(prefix, name, classes, handler, help) {prefix, name},
#include "hyp/cp/cp_cmd.def"
#undef R
};

/* The next word of the line up to `end` into `word`; false: none. */
static bool next_word(const char **at, const char *end, char word[16])
{
    size_t n = 0;
    while (*at < end && **at == ' ')
        ++*at;
    while (*at + n < end && (*at)[n] != ' ' && n < 15) {
        word[n] = (*at)[n];
        n++;
    }
    word[n] = 0;
    *at += n;
    return n > 0;
}

/* Which words fit where a line has been typed up to `end`: of "", QUERY or SET; NULL: none. */
static const char *place(const char *line, const char *end, bool guest)
{
    char word[16] = "";
    const char *at = line;
    bool there = next_word(&at, end, word), to_cp = there && !strcasecmp(word, "#CP");
    if (guest && !to_cp)
        return NULL;
    if (to_cp || (there && !strcasecmp(word, "CP")))
        there = next_word(&at, end, word);
    if (!there)
        return "";
    const char *prefix = scan_abbrev(word, "Query") ? "QUERY"
                         : scan_abbrev(word, "SET") ? "SET"
                                                    : NULL;
    return prefix && !next_word(&at, end, word) ? prefix : NULL;
}

bool edit_word(const char *line, size_t start, bool guest, unsigned n,
               char out[EDIT_WORD_BYTES])
{
    const char *prefix = place(line, line + start, guest), *text = line + start;
    size_t len = strlen(text);
    for (size_t i = 0; prefix && i < ARRAY_LEN(words); i++) {
        const char *name = words[i].name;
        size_t full = strlen(name);
        if (strcmp(words[i].prefix, prefix) != 0 || strncasecmp(name, text, len) != 0 ||
            (full > 2 && !strcmp(name + full - 2, "nn")) || n-- > 0)
            continue;
        bool small = islower((unsigned char)*text);
        for (size_t k = 0; k <= full; k++)
            out[k] = (char)(small ? tolower((unsigned char)name[k])
                                  : toupper((unsigned char)name[k]));
        return true;
    }
    return false;
}
