/* Assertions for bugs: PRE (caller's duty), POST (our promise), ERGO (follows from the above).
 * On in test builds everywhere; in ssi/ and lgr/ always. No guest, peer or file may reach one. */
#ifndef ENDICOTT_MEM_BASE_ERGO_H
#define ENDICOTT_MEM_BASE_ERGO_H

/** Print the failed condition with its place and abort. */
void ergo_fail(const char *kind, const char *cond, const char *file, int line)
    __attribute__((noreturn, cold));

#if defined(NDEBUG) && !defined(ENDICOTT_ALWAYS_ASSERT)
#define ERGO_CHECK_(kind, cond) ((void)sizeof(cond))
#else
#define ERGO_CHECK_(kind, cond) ((cond) ? (void)0 : ergo_fail(kind, #cond, __FILE__, __LINE__))
#endif
#define PRE(cond) ERGO_CHECK_("PRE", cond)
#define POST(cond) ERGO_CHECK_("POST", cond)
#define ERGO(cond) ERGO_CHECK_("ERGO", cond)

#endif
