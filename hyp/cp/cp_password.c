/* Who may log on: passwords, LOGON BY, and the wait after failed attempts. Attempts for one user
 * id are looked at one after another, CP_LOGON_WAIT_MS apart, once three have failed: whoever makes
 * many at a time waits for them all. Right ones wait as well, and end it. */
#include "hyp/cp/cp_internal.h"
#include "hyp/password.h"

/* Made of no password: an unknown user takes the time of a hashed one. */
#define NOBODY "$y$j9T$GVjZYB6XiO8EGFjTvZaX6.$8O5EF/DK5YxInsv.tbzmoU1l/VKKWrNtE31sIHLOK77"

static struct cp_logon_slot *slot_of(struct cp *cp, const char *userid)
{
    u32 h = 0x811c9dc5;
    for (; *userid; userid++)
        h = (h ^ (u8)*userid) * 0x01000193;
    return &cp->logons[(h ^ h >> 16) % CP_LOGON_SLOTS];
}

u64 cp_logon_wait_ms(struct cp *cp, const char *userid)
{
    struct cp_logon_slot *slot = slot_of(cp, userid);
    const u64 ms = 1000000, now = cp_now(cp);
    if (now > slot->last_ns + CP_LOGON_FORGET_MS * ms)
        *slot = (struct cp_logon_slot){0};
    if (slot->failures < CP_LOGON_FAILURES_FREE)
        return 0;
    u64 turn = (slot->free_ns > now ? slot->free_ns : now) + CP_LOGON_WAIT_MS * ms;
    if (turn - now <= CP_LOGON_WAIT_MAX_MS * ms)
        slot->free_ns = turn;
    return (turn - now) / ms;
}

static void failed(struct cp *cp, const char *userid, bool known)
{
    struct cp_logon_slot *slot = slot_of(cp, userid);
    slot->failures++;
    slot->last_ns = cp_now(cp);
    if (known && slot->failures >= CP_LOGON_FAILURES_FREE) /* else the word may be a password */
        cp_operator_tell(cp, "%u LOGONS OF %s HAVE FAILED", slot->failures, userid);
}

/* Whose password opens the entry; NULL: nobody's. */
static const struct dir_entry *opener(const struct cp *cp, const struct dir_entry *entry,
                                      const char *by)
{
    if (!by)
        return entry;
    if (entry->logon == DIR_LOGON_NOLOG || entry->logon == DIR_LOGON_AUTOONLY)
        return NULL;
    for (unsigned i = 0; i < entry->logonby_count; i++)
        if (!strcmp(entry->logonby[i], by)) {
            const struct dir_entry *other = directory_find(cp->directory, by);
            return other && other->logon == DIR_LOGON_PASSWORD ? other : NULL;
        }
    return NULL;
}

bool cp_logon_allowed(struct cp *cp, const char *userid, const char *by, const char *password)
{
    const struct dir_entry *entry = directory_find(cp->directory, userid);
    const struct dir_entry *who = entry ? opener(cp, entry, by) : NULL;
    bool good = who ? directory_password_ok(who, password)
                    : directory_password_is(NOBODY, password) && false;
    if (good)
        *slot_of(cp, userid) = (struct cp_logon_slot){0};
    else
        failed(cp, userid, entry != NULL);
    return good;
}
