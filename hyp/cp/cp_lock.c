/* LOCK and UNLOCK: pages of a user that stay in the host's memory until they are unlocked, storage
 * is cleared or defined, or the user is relocated or logs off. Page numbers are real ones of the
 * user: the prefix of its base CPU applies.
 * Source: z/VM "CP Commands and Utilities Reference"; that they are of class A, their answer and
 * the number of HCPCPV600E are from memory or ours. Where the host keeps a page it does not say, so
 * MAP has no real page to tell. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

#define PAGE_SHIFT 12
#define PREFIX_PAGES 2u
#define MAP_PAGES_MAX 4096u

struct pages {
    struct cp_user *user;
    u64 first, last; /* real */
    u64 prefix;      /* page number of the prefix area of the base CPU */
    bool map;
};

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

/* [USERID] userid first last */
static int operands(struct cp_request *req, struct pages *p)
{
    const char *word = cp_operand(req), *ends[2];
    u64 *const to[2] = {&p->first, &p->last};
    if (word && cp_abbrev(word, "USERid") && cp_operand_peek(req))
        word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_LGA020E);
    p->user = !strcmp(word, "*") ? cp_request_user(req) : cp_user_find(req->cp, word);
    if (!p->user)
        return cp_fail(req, MSG_CQU045E, word);
    for (unsigned i = 0; i < 2; i++) {
        ends[i] = cp_operand(req);
        if (!ends[i])
            return cp_fail(req, MSG_CMD026E);
        if (!scan_hex(ends[i], UINT64_MAX >> PAGE_SHIFT, to[i]))
            return cp_fail(req, MSG_CMD002E, ends[i]);
    }
    if (p->last < p->first)
        return cp_fail(req, MSG_CMD002E, ends[1]);
    struct vm_info info = {0};
    ops(req)->info(p->user->vm, &info);
    if (p->last >= info.storage_bytes >> PAGE_SHIFT)
        return cp_fail(req, MSG_CPV160E, ends[1]);
    return 0;
}

static u64 absolute(const struct pages *p, u64 page)
{
    if (page < PREFIX_PAGES)
        return p->prefix + page;
    return page - p->prefix < PREFIX_PAGES ? page - p->prefix : page;
}

/* Each run of pages that are one behind the other in absolute storage, too. */
static int each_run(struct cp_request *req, struct pages *p, bool on)
{
    u64 prefix = 0;
    if (ops(req)->prefix_get(p->user->vm, 0, &prefix) == ST_OK)
        p->prefix = prefix >> PAGE_SHIFT;
    for (u64 page = p->first, end; page <= p->last; page = end) {
        struct cause cause = {0};
        u64 at = absolute(p, page);
        for (end = page + 1; end <= p->last && absolute(p, end) == at + (end - page); end++)
            ;
        if (ops(req)->lock_pages(p->user->vm, at, end - page, on, &cause))
            return cp_fail(req, MSG_CPV600E, p->user->userid, (unsigned long long)page,
                           cause.text);
    }
    return 0;
}

static void told(struct cp_request *req, const struct pages *p)
{
    if (p->map)
        cp_line(req, "VIRTPAGE REALPAGE");
    for (u64 page = p->first; p->map && page <= p->last; page++)
        cp_line(req, "%08llX --------", (unsigned long long)page);
    cp_line(req, "COMMAND COMPLETE");
}

/* LOCK [USERID] {userid | *} firstpage lastpage [MAP | NOMAP] */
int cp_cmd_lock(struct cp_request *req, void *ctx)
{
    struct pages p = {0};
    int rc = operands(req, &p);
    (void)ctx;
    if (rc)
        return rc;
    const char *word = cp_operand(req);
    p.map = word && !strcmp(word, "MAP");
    if (word && !p.map && strcmp(word, "NOMAP"))
        return cp_fail(req, MSG_CMD003E, word);
    if (p.map && p.last - p.first >= MAP_PAGES_MAX)
        return cp_fail(req, MSG_CMD013E, "MAP");
    rc = cp_no_more(req);
    if (rc == 0 && (rc = each_run(req, &p, true)) == 0)
        told(req, &p);
    return rc;
}

/* UNLOCK [USERID] {userid | *} firstpage lastpage */
int cp_cmd_unlock(struct cp_request *req, void *ctx)
{
    struct pages p = {0};
    int rc = operands(req, &p);
    (void)ctx;
    rc = rc ? rc : cp_no_more(req);
    if (rc == 0 && (rc = each_run(req, &p, false)) == 0)
        told(req, &p);
    return rc;
}
