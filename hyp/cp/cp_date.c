/* Dates in answers: DATEFORMAT of the system, of the directory, SET DATEFORMAT. */
#include <stdio.h>
#include <time.h>

#include "hyp/cp/cp_internal.h"

#define DATE_BITS (CP_SET_DATE_SHORT | CP_SET_DATE_FULL | CP_SET_DATE_ISO)

static const struct {
    const char *word, *name;
    u32 bit;
} formats[] = {
    [VM_DATE_SHORT] = {"SHOrtdate", "SHORTDATE", CP_SET_DATE_SHORT},
    [VM_DATE_FULL] = {"FULldate", "FULLDATE", CP_SET_DATE_FULL},
    [VM_DATE_ISO] = {"ISOdate", "ISODATE", CP_SET_DATE_ISO},
};

static struct tm broken_down(u64 wall_ns)
{
    time_t t = (time_t)(wall_ns / 1000000000u);
    struct tm tm;
    gmtime_r(&t, &tm);
    return tm;
}

const char *cp_date_text(enum vm_dateformat format, u64 wall_ns, char out[CP_TIME_TEXT_BYTES])
{
    struct tm t = broken_down(wall_ns);
    int year = t.tm_year + 1900, month = t.tm_mon + 1;
    if (format == VM_DATE_ISO)
        snprintf(out, CP_TIME_TEXT_BYTES, "%04d-%02d-%02d", year, month, t.tm_mday);
    else if (format == VM_DATE_FULL)
        snprintf(out, CP_TIME_TEXT_BYTES, "%02d/%02d/%04d", month, t.tm_mday, year);
    else
        snprintf(out, CP_TIME_TEXT_BYTES, "%02d/%02d/%02d", month, t.tm_mday, year % 100);
    return out;
}

const char *cp_time_text(enum vm_dateformat format, u64 wall_ns, char out[CP_TIME_TEXT_BYTES])
{
    static const char *const days[] = {"SUNDAY",   "MONDAY", "TUESDAY", "WEDNESDAY",
                                       "THURSDAY", "FRIDAY", "SATURDAY"};
    char date[CP_TIME_TEXT_BYTES];
    struct tm t = broken_down(wall_ns);
    snprintf(out, CP_TIME_TEXT_BYTES, "%02d:%02d:%02d UTC %s %.10s", t.tm_hour, t.tm_min,
             t.tm_sec, days[t.tm_wday], cp_date_text(format, wall_ns, date));
    return out;
}

const char *cp_stamp_text(enum vm_dateformat format, u64 wall_ns, char out[CP_TIME_TEXT_BYTES])
{
    char date[CP_TIME_TEXT_BYTES], clock[CP_TIME_TEXT_BYTES];
    snprintf(out, CP_TIME_TEXT_BYTES, "%.10s %.8s", cp_date_text(format, wall_ns, date),
             cp_clock_text(wall_ns, clock));
    return out;
}

enum vm_dateformat cp_user_dateformat(const struct cp_user *user)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (user->settings & formats[i].bit)
            return (enum vm_dateformat)i;
    return user->cp->dateformat;
}

enum vm_dateformat cp_request_dateformat(struct cp_request *req)
{
    const struct cp_user *user = cp_request_user(req);
    return user ? cp_user_dateformat(user) : req->cp->dateformat;
}

u32 cp_dateformat_at_logon(const struct dir_entry *entry)
{
    return entry->has_dateformat ? formats[entry->dateformat].bit : 0;
}

/* One of the three by name. */
static bool by_name(const char *word, enum vm_dateformat *out)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (cp_abbrev(word, formats[i].word)) {
            *out = (enum vm_dateformat)i;
            return true;
        }
    return false;
}

bool cp_dateformat_word(struct cp_request *req, const char *word, enum vm_dateformat *out)
{
    if (by_name(word, out))
        return true;
    if (!cp_abbrev(word, "VMDate"))
        return false;
    *out = cp_request_dateformat(req);
    return true;
}

/* SET DATEFORMAT SYSTEM {SHORTDATE | FULLDATE | ISODATE} */
static int set_system(struct cp_request *req)
{
    enum vm_dateformat format;
    const char *word = cp_operand(req);
    if (!(req->classes & CP_CLASS('A')))
        return cp_fail(req, MSG_CSE003E, "SYSTEM");
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!by_name(word, &format))
        return cp_fail(req, MSG_CSE003E, word);
    int rc = cp_no_more(req);
    if (!rc)
        req->cp->dateformat = format;
    return rc;
}

/* SET DATEFORMAT {SHORTDATE | FULLDATE | ISODATE | SYSDEFAULT}, SET DATEFORMAT SYSTEM ... */
int cp_set_dateformat(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_request_user(req);
    const char *word = cp_operand(req);
    enum vm_dateformat format = VM_DATE_SHORT;
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (cp_abbrev(word, "SYSTem"))
        return set_system(req);
    bool systems = cp_abbrev(word, "SYSDefault");
    if (!systems && !by_name(word, &format))
        return cp_fail(req, MSG_CSE003E, word);
    if (!user)
        return cp_fail(req, MSG_CMD045E, req->userid);
    int rc = cp_no_more(req);
    if (!rc)
        user->settings =
            (user->settings & ~(u32)DATE_BITS) | (systems ? 0 : formats[format].bit);
    return rc;
}

/* QUERY DATEFORMAT [USER | SYSTEM] */
int cp_query_dateformat(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    bool systems = word && cp_abbrev(word, "SYStem");
    (void)ctx;
    if (word && !systems && !cp_abbrev(word, "USEr"))
        return cp_fail(req, MSG_CQV003E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (systems)
        cp_line(req, "SYSTEM DATE FORMAT: %s", formats[req->cp->dateformat].name);
    else
        cp_line(req, "USER DATE FORMAT: %s", formats[cp_request_dateformat(req)].name);
    return 0;
}
