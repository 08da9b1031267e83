/* SET and QUERY RESERVED: how much of a virtual machine's storage the host is not to page out. The
 * form of QUERY is ours. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"
#include "mem/base/log.h"

#define PAGE_BYTES 4096u

static const struct vm_ops *ops(const struct cp_request *req)
{
    return req->cp->ports.vm;
}

static void row(struct cp_request *req, struct cp_user *user)
{
    struct vm_info info = {0};
    ops(req)->info(user->vm, &info);
    cp_line(req, "USER %-8s: RESERVED = %llu  RESIDENT = %llu", user->userid,
            (unsigned long long)info.kept_bytes / PAGE_BYTES,
            (unsigned long long)info.resident_bytes / PAGE_BYTES);
}

/* A user who is logged on here, or the number of a message. */
static int user_operand(struct cp_request *req, struct cp_user **out)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    *out = cp_user_find(req->cp, word);
    return *out ? 0 : cp_fail(req, MSG_CQU045E, word);
}

/* SET RESERVED userid {frames | size | OFF} */
int cp_set_reserved(struct cp_request *req, void *ctx)
{
    struct cp_user *user = NULL;
    struct vm_info info = {0};
    struct cause cause;
    u64 bytes = 0;
    int rc = user_operand(req, &user);
    (void)ctx;
    if (rc)
        return rc;
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strcmp(word, "OFF") && strcmp(word, "0") &&
        (!scan_size(word, PAGE_BYTES, &bytes) || bytes % PAGE_BYTES))
        return cp_fail(req, MSG_CMD002E, word);
    rc = cp_no_more(req);
    if (rc)
        return rc;
    ops(req)->info(user->vm, &info);
    if (bytes > info.storage_bytes)
        return cp_fail(req, MSG_RSV600E, user->userid, "its storage is smaller");
    if (ops(req)->reserve(user->vm, bytes, &cause))
        return cp_fail(req, MSG_RSV600E, user->userid, cause.text);
    user->reserved_bytes = bytes;
    row(req, user);
    return 0;
}

/* QUERY RESERVED [userid] */
int cp_query_reserved(struct cp_request *req, void *ctx)
{
    struct cp_user *user = NULL;
    unsigned shown = 0;
    (void)ctx;
    if (cp_operand_peek(req)) {
        int rc = user_operand(req, &user);
        rc = rc ? rc : cp_no_more(req);
        if (rc == 0)
            row(req, user);
        return rc;
    }
    for (user = req->cp->users; user; user = user->next) {
        if (user->reserved_bytes && ++shown)
            row(req, user);
    }
    if (!shown)
        cp_line(req, "No users have reserved frames");
    return 0;
}

void cp_reserved_save(const struct cp_user *user, u16 tag, struct codec_out *out)
{
    if (user->reserved_bytes)
        codec_put_u64(out, tag, user->reserved_bytes);
}

bool cp_reserved_take(struct cp_user *user, const struct codec_row *row)
{
    u64 bytes;
    struct cause cause;
    if (!codec_get_u64(row, &bytes) || bytes % PAGE_BYTES)
        return false;
    user->reserved_bytes = bytes;
    if (user->cp->ports.vm->reserve(user->vm, bytes, &cause)) {
        log_operator('W', "%s comes without its reserved frames: %s", user->userid, cause.text);
        user->reserved_bytes = 0;
    }
    return true;
}
