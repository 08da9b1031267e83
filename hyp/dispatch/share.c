/* Shares as text: the operands of SET SHARE and of the SHARE statement, and back. */
#include "hyp/dispatch/share.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"

/* "20.5%", "80": per cent with at most one decimal place. */
static bool per_cent(const char *word, unsigned *tenths)
{
    char digits[8];
    size_t n = strlen(word);
    u64 whole;
    if (n && word[n - 1] == '%')
        n--;
    if (!n || n >= sizeof digits)
        return false;
    memcpy(digits, word, n);
    digits[n] = 0;
    char *dot = strchr(digits, '.');
    unsigned tenth = 0;
    if (dot) {
        if (dot[1] < '0' || dot[1] > '9' || dot[2])
            return false;
        tenth = (unsigned)(dot[1] - '0');
        *dot = 0;
    }
    if (!scan_number(digits, 0, 100, &whole))
        return false;
    *tenths = (unsigned)whole * 10 + tenth;
    return *tenths && *tenths <= SHARE_ABSOLUTE_MAX;
}

/* The number behind ABSOLUTE or RELATIVE; NULL when it is one. */
static const char *value_parse(const char *word, bool absolute, struct share_value *out)
{
    u64 n = 0;
    out->absolute = absolute;
    if (absolute)
        return per_cent(word, &out->n) ? NULL : "a percentage (0.1% to 100%)";
    if (!scan_number(word, 1, SHARE_RELATIVE_MAX, &n))
        return "a share from 1 to 10000";
    out->n = (unsigned)n;
    return NULL;
}

static const char *word_at(const char *const *words, unsigned count, unsigned i)
{
    return i < count ? words[i] : "";
}

/* ABSOLUTE or RELATIVE at *at, which moves on; else as `*absolute` is. */
static bool kind_parse(const char *const *words, unsigned count, unsigned *at, bool *absolute)
{
    bool abs = scan_abbrev(word_at(words, count, *at), "ABSolute");
    if (!abs && !scan_abbrev(word_at(words, count, *at), "RELative"))
        return false;
    *absolute = abs;
    ++*at;
    return true;
}

/* [LIMITSOFT | LIMITHARD] at *at. */
static enum share_limit limit_parse(const char *const *words, unsigned count, unsigned *at)
{
    const char *word = word_at(words, count, *at);
    bool hard = scan_abbrev(word, "LIMITHard");
    *at += hard || scan_abbrev(word, "LIMITSoft");
    return hard ? SHARE_LIMITHARD : SHARE_LIMITSOFT;
}

const char *share_parse(const char *const *words, unsigned count, struct share *out,
                        unsigned *bad)
{
    struct share share = {0};
    bool absolute = false;
    *bad = 0;
    if (!kind_parse(words, count, bad, &absolute))
        return "RELATIVE or ABSOLUTE";
    const char *wrong = value_parse(word_at(words, count, *bad), absolute, &share.least);
    if (wrong)
        return wrong;
    ++*bad;
    if (scan_abbrev(word_at(words, count, *bad), "NOLimit")) {
        ++*bad;
    } else if (*bad < count) {
        kind_parse(words, count, bad, &absolute);
        wrong = value_parse(word_at(words, count, *bad), absolute, &share.most);
        if (wrong)
            return wrong;
        ++*bad;
        share.limit = limit_parse(words, count, bad);
    }
    if (*bad < count)
        return share.limit ? "LIMITSOFT or LIMITHARD" : "the end of the line";
    *out = share;
    return NULL;
}

const char *share_value_text(const struct share_value *value, char out[SHARE_TEXT_BYTES])
{
    if (!value->absolute)
        snprintf(out, SHARE_TEXT_BYTES, "RELATIVE %u", value->n);
    else if (value->n % 10)
        snprintf(out, SHARE_TEXT_BYTES, "ABSOLUTE %u.%u%%", value->n / 10, value->n % 10);
    else
        snprintf(out, SHARE_TEXT_BYTES, "ABSOLUTE %u%%", value->n / 10);
    return out;
}
