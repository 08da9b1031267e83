/* QUERY of the system: scheduler, frames, volumes of CP's, clocks, address spaces. A heading is
 * told where z/VM has one, so that programs find the column they look for; every figure is the
 * truth of this member.
 * Sources: z/VM "CP Commands and Utilities Reference" for VTOD and SPACES; as the samples of
 * its parsers have it; FRAMES, SRM, VMLAN and RECORDING are from memory. */
#include <ctype.h>
#include <stdio.h>
#include <time.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_disk.h"

#define FRAME_BYTES_SHOWN 4096ull
#define FRAMES_BELOW_2G (0x80000000ull / FRAME_BYTES_SHOWN)
#define TOD_OF_1970 0x7d91048bca000000ull
#define TOD_PER_S 4096000000ull
#define NS_PER_S 1000000000ull

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

/* --- scheduler, frames --------------------------------------------------------------------- */

/* QUERY SRM: what the dispatcher has of it; it has no eligible list, so no LDUBUF and the like. */
int cp_query_srm(struct cp_request *req, void *ctx)
{
    int rc = cp_no_more(req);
    (void)ctx;
    if (rc)
        return rc;
    cp_line(req, "DISPATCHING MINOR TIMESLICE = %u INSTRUCTIONS", VM_SLICE_INSNS);
    cp_line(req, "XSTORE : 0%%");
    cp_line(req, "LIMITHARD METHOD: CONSUMPTION");
    cp_line(req, "POLARIZATION: HORIZONTAL");
    cp_line(req, "GLOBAL PERFORMANCE DATA: ON");
    unsigned slack = ops(req)->slack_ms(req->cp->ports.vm_host);
    if (slack)
        cp_line(req, "IDLESLACK : %u MILLISECONDS", slack);
    else
        cp_line(req, "IDLESLACK : OFF");
    return 0;
}

/* SET SRM IDLESLACK {OFF | milliseconds}: Endicott's own */
int cp_set_srm(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    u64 ms = 0;
    (void)ctx;
    if (word && !cp_abbrev(word, "IDLESLACK"))
        return cp_fail(req, MSG_CQV003E, word);
    if (word)
        word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strcmp(word, "OFF") &&
        !scan_number(word, VM_IDLE_SLACK_MS_MIN, VM_IDLE_SLACK_MS_MAX, &ms))
        return cp_fail(req, MSG_CMD002E, word);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    ops(req)->slack(req->cp->ports.vm_host, (unsigned)ms);
    return 0;
}

static u64 frames_used(struct cp_request *req)
{
    u64 bytes = 0;
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u)) {
        struct vm_info info = {0};
        ops(req)->info(u->vm, &info);
        bytes += info.resident_bytes;
    }
    return bytes / FRAME_BYTES_SHOWN;
}

/* QUERY FRAMES: MAINSIZE, and what of it guests have; which of them are below 2G nobody knows. */
int cp_query_frames(struct cp_request *req, void *ctx)
{
    u64 all = req->cp->config->hardware.main_bytes / FRAME_BYTES_SHOWN;
    u64 used = frames_used(req);
    u64 below = all < FRAMES_BELOW_2G ? all : FRAMES_BELOW_2G;
    int rc = cp_no_more(req);
    (void)ctx;
    if (rc)
        return rc;
    cp_line(req, "All Frames:");
    cp_line(req, "  Configured=%llu  Real=%llu  Usable=%llu  Offline=0",
            (unsigned long long)all, (unsigned long long)all, (unsigned long long)all);
    cp_line(req, "  Pageable=%llu  NotInitialized=0  GlobalClearedAvail=%llu",
            (unsigned long long)all, (unsigned long long)(used < all ? all - used : 0));
    cp_line(req, "  LocalClearedAvail=0  LocalUnclearedAvail=0");
    cp_line(req, "Above-2G Frames:");
    cp_line(req, "  Configured=%llu  Real=%llu", (unsigned long long)(all - below),
            (unsigned long long)(all - below));
    cp_line(req, "Below-2G Frames:");
    cp_line(req, "  Configured=%llu  Real=%llu", (unsigned long long)below,
            (unsigned long long)below);
    return 0;
}

/* QUERY REORDER userid: CP does not page, and orders no pages */
int cp_query_reorder(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    struct cp_user *user =
        strcmp(word, "*") ? cp_user_find(req->cp, word) : cp_request_user(req);
    if (!user)
        return cp_fail(req, MSG_CQU045E, word);
    int rc = cp_no_more(req);
    if (!rc)
        cp_line(req, "USER %-8s: REORDER = OFF", user->userid);
    return rc;
}

/* --- clocks --------------------------------------------------------------------------------- */

/* "2026-11-29 18:17:19 (E0D2...)" */
static void tod_line(struct cp_request *req, const char *what, u64 tod)
{
    u64 ns = (tod - TOD_OF_1970) / 4096 * 1000;
    char day[CP_TIME_TEXT_BYTES];
    cp_stamp_text(VM_DATE_ISO, ns, day);
    cp_line(req, "%-11s %s (%016llX)", what, day, (unsigned long long)tod);
}

/* Date and time as operands, "mm/dd/yy", "mm/dd/yyyy" or "yyyy-mm-dd", "hh:mm[:ss]", to TOD. */
static bool tod_of(const char *date, const char *clock, u64 *out)
{
    struct tm t = {0}, same;
    int n = 0, seconds = 0;
    if (sscanf(date, "%4d-%2d-%2d%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &n) == 3 && !date[n])
        ;
    else if (sscanf(date, "%2d/%2d/%4d%n", &t.tm_mon, &t.tm_mday, &t.tm_year, &n) == 3 &&
             !date[n])
        t.tm_year += t.tm_year < 100 ? 2000 : 0;
    else
        return false;
    n = 0;
    if (sscanf(clock, "%2d:%2d:%2d%n", &t.tm_hour, &t.tm_min, &seconds, &n) != 3 &&
        sscanf(clock, "%2d:%2d%n", &t.tm_hour, &t.tm_min, &n) != 2)
        return false;
    t.tm_year -= 1900;
    t.tm_mon--;
    t.tm_sec = seconds;
    same = t;
    time_t s = timegm(&same); /* puts what is out of range right */
    if (clock[n] || s < 0 || t.tm_year < 70 || t.tm_year > 141 || same.tm_mon != t.tm_mon ||
        same.tm_mday != t.tm_mday || same.tm_hour != t.tm_hour || same.tm_min != t.tm_min ||
        same.tm_sec != t.tm_sec)
        return false;
    *out = TOD_OF_1970 + (u64)s * TOD_PER_S;
    return true;
}

/* What the clock is to be ahead of the system's. 0, or the number of a message. */
static int vtod_delta(struct cp_request *req, const struct cp_user *user, u64 *delta)
{
    const char *word = cp_operand(req), *clock;
    u64 system, other;
    ops(req)->tod(user->vm, &system, &other);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (cp_abbrev(word, "SYStem")) {
        *delta = 0;
        return 0;
    }
    if (cp_abbrev(word, "FROMuser")) {
        if (!cp_userid_ok(word = cp_operand(req)))
            return cp_fail(req, MSG_LGA020E);
        const struct cp_user *from = cp_user_find(req->cp, word);
        if (!from)
            return cp_fail(req, MSG_CQU045E, word);
        ops(req)->tod(from->vm, &system, &other);
        *delta = other - system;
        return 0;
    }
    clock = cp_operand(req);
    if (!clock)
        return cp_fail(req, MSG_CMD026E);
    if (!tod_of(word, clock, &other))
        return cp_fail(req, MSG_CSE003E, word);
    *delta = other - system;
    return 0;
}

/* SET VTOD [FOR userid] {SYSTEM | FROMUSER userid | date time}: one's own with OPTION TODENABLE,
 * anybody's with class B. The machine is reset. */
int cp_set_vtod(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_request_user(req);
    const char *word = cp_operand_peek(req), *who = req->userid;
    bool others = req->classes & CP_CLASS('B');
    u64 delta = 0;
    (void)ctx;
    if (word && !strcmp(word, "FOR")) {
        cp_operand(req);
        if (!(who = cp_operand(req)))
            return cp_fail(req, MSG_LGA020E);
        user = cp_user_find(req->cp, who);
    }
    if (!others &&
        (strcmp(who, req->userid) || (user && !(user->entry->options & DIR_OPT_TODENABLE))))
        return cp_fail(req, MSG_CSE003E, "VTOD");
    if (!user)
        return cp_fail(req, MSG_CQU045E, who);
    int rc = vtod_delta(req, user, &delta);
    if (!rc)
        rc = cp_no_more(req);
    if (rc)
        return rc;
    if (ops(req)->set_tod(user->vm, delta))
        return cp_fail(req, MSG_CSE003E, "VTOD");
    cp_user_tell(user, "System reset.");
    return 0;
}

/* Users whose clocks run with this one. */
static void tod_companions(struct cp_request *req, u64 delta)
{
    char line[96] = "";
    u64 system, other;
    cp_line(req, "Synchronized with:");
    for (struct cp_user *u = cp_user_next(req->cp, NULL); u; u = cp_user_next(req->cp, u)) {
        ops(req)->tod(u->vm, &system, &other);
        if (other - system != delta)
            continue;
        size_t at = strlen(line);
        snprintf(line + at, sizeof line - at, "%s%-8s", at ? " " : "", u->userid);
        if (strlen(line) + 9 > 72) {
            cp_line_text(req, line);
            line[0] = 0;
        }
    }
    if (*line)
        cp_line_text(req, line);
}

/* QUERY VTOD [FOR userid] [SYNC] */
int cp_query_vtod(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_request_user(req);
    const char *word, *who = req->userid;
    bool sync = false;
    u64 system, mine;
    (void)ctx;
    while ((word = cp_operand(req))) {
        if (cp_abbrev(word, "SYNC"))
            sync = true;
        else if (strcmp(word, "FOR"))
            return cp_fail(req, MSG_CQV003E, word);
        else if (!(who = cp_operand(req)))
            return cp_fail(req, MSG_LGA020E);
        else
            user = cp_user_find(req->cp, who);
    }
    if (!user)
        return cp_fail(req, MSG_CQU045E, who);
    if (user != cp_request_user(req) && !(req->classes & (CP_CLASS('A') | CP_CLASS('B'))))
        return cp_fail(req, MSG_CQV003E, "FOR");
    ops(req)->tod(user->vm, &system, &mine);
    tod_line(req, "System TOD:", system);
    if (sync && mine == system)
        return 0;
    tod_line(req, "User TOD:", mine);
    cp_line(req, "%-11s %016llX", "Delta:", (unsigned long long)(mine - system));
    if (sync)
        tod_companions(req, mine - system);
    return 0;
}

/* --- address spaces ------------------------------------------------------------------------- */

/* QUERY SPACES [OWNED [userid]]: each machine has its base space; its token is the moment of the
 * logon, which no other space has. */
int cp_query_spaces(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct cp_user *user = cp_request_user(req);
    struct vm_info info = {0};
    char size[CP_TIME_TEXT_BYTES];
    (void)ctx;
    if (word && !cp_abbrev(word, "OWNed"))
        return cp_fail(req, MSG_CQV003E, word);
    word = cp_operand(req);
    if (word && strcmp(word, "*") && strcmp(word, req->userid)) {
        if (!(req->classes & CP_CLASS('E')))
            return cp_fail(req, MSG_CQV003E, word);
        user = cp_user_find(req->cp, word);
    }
    if (!user)
        return cp_fail(req, MSG_CQU045E, word ? word : req->userid);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    ops(req)->info(user->vm, &info);
    cp_line(req, "ASIT             STORAGE P/S ACC SPACE IDENTIFICATION");
    cp_line(req, "%016llX %7s PRV R/W %s:BASE", (unsigned long long)user->logon_ns,
            cp_size_text(info.storage_bytes, size), user->userid);
    return 0;
}

/* --- records -------------------------------------------------------------------------------- */

static const char *const record_kinds[] = {"EREP", "ACCOUNT", "SYMPTOM"};

/* QUERY RECORDING: nothing is recorded */
int cp_query_recording(struct cp_request *req, void *ctx)
{
    int rc = cp_no_more(req);
    (void)ctx;
    if (rc)
        return rc;
    cp_line(req, "RECORDING    COUNT    LMT USERID   COMMUNICATION");
    for (size_t i = 0; i < ARRAY_LEN(record_kinds); i++)
        cp_line(req, "%-8s OFF  00000000 000          INACTIVE", record_kinds[i]);
    return 0;
}

/* RECORDING {EREP | ACCOUNT | SYMPTOM} {ON | OFF} [option ...]: there are no records to keep */
int cp_cmd_recording(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    size_t i = 0;
    (void)ctx;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    while (i < ARRAY_LEN(record_kinds) && strcmp(word, record_kinds[i]))
        i++;
    if (i == ARRAY_LEN(record_kinds))
        return cp_fail(req, MSG_CMD002E, word);
    word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "OFF"))
        return 0; /* as it is */
    if (strcmp(word, "ON"))
        return cp_fail(req, MSG_CMD002E, word);
    return cp_fail(req, MSG_CMD099E, "Recording");
}
