/* Saved segments: DEFSEG, SAVESEG, PURGE NSS, QUERY NSS. */
#include <stdio.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

static const char *const types[] = {"SW", "EW", "SR", "ER", "SN", "EN", "SC"};
#define PAGE_SHIFT 12

static int type_of(const char *word)
{
    for (unsigned i = 0; word && i < ARRAY_LEN(types); i++)
        if (!strcmp(word, types[i]))
            return (int)i;
    return -1;
}

/* hexpage1[-hexpage2] type */
static int range_take(struct cp_request *req, struct vm_segment *seg)
{
    u64 first, last;
    char pages[64];
    const char *word = cp_operand(req);
    snprintf(pages, sizeof pages, "%s", word);
    char *dash = strchr(pages, '-');
    if (dash)
        *dash++ = 0;
    if (!scan_hex(pages, VM_SEGMENT_REACH >> PAGE_SHIFT, &first) ||
        !scan_hex(dash ? dash : pages, VM_SEGMENT_REACH >> PAGE_SHIFT, &last))
        return cp_fail(req, MSG_CMD002E, word);
    word = cp_operand(req);
    int type = type_of(word);
    if (type < 0)
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    if (seg->ranges == VM_SEGMENT_RANGES_MAX)
        return cp_fail(req, MSG_NSD454E, seg->name, "too many page ranges");
    seg->range[seg->ranges].start = first << PAGE_SHIFT;
    seg->range[seg->ranges].end = ((last + 1) << PAGE_SHIFT) - 1;
    seg->range[seg->ranges++].type = (u32)type;
    return 0;
}

/* DEFSEG name hexpage1[-hexpage2] type ... */
int cp_cmd_defseg(struct cp_request *req, void *ctx)
{
    struct vm_segment seg = {0};
    struct cause cause;
    const char *name = cp_operand(req);
    (void)ctx;
    if (!name || !cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    if (!cp_userid_ok(name))
        return cp_fail(req, MSG_CMD002E, name);
    snprintf(seg.name, sizeof seg.name, "%s", name);
    while (cp_operand_peek(req)) {
        int rc = range_take(req, &seg);
        if (rc)
            return rc;
    }
    if (req->cp->ports.vm->segment_define(req->cp->ports.vm_host, &seg, &cause))
        return cp_fail(req, MSG_NSD454E, seg.name, cause.text);
    cp_fail(req, MSG_NSD440I, seg.name);
    return 0;
}

/* SAVESEG name: out of the user's storage. */
int cp_cmd_saveseg(struct cp_request *req, void *ctx)
{
    struct cause cause;
    struct cp_user *user = cp_own_machine(req);
    const char *name = cp_operand(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!name)
        return cp_fail(req, MSG_CMD026E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    int status = req->cp->ports.vm->segment_save(user->vm, name, &cause);
    if (status == ST_NOENT)
        return cp_fail(req, MSG_NSS435E, name);
    if (status)
        return cp_fail(req, MSG_NSD454E, name, cause.text);
    cp_fail(req, MSG_NSS440I, name);
    return 0;
}

/* PURGE NSS [NAME] name */
int cp_purge_nss(struct cp_request *req)
{
    const char *name = cp_operand(req);
    if (name && !strcmp(name, "NAME"))
        name = cp_operand(req);
    if (!name)
        return cp_fail(req, MSG_CMD026E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!req->cp->ports.vm->segment_forget(req->cp->ports.vm_host, name))
        return cp_fail(req, MSG_NSS435E, name);
    cp_line(req, "0000001 FILE  PURGED");
    return 0;
}

static void segment_lines(struct cp_request *req, const struct vm_segment *seg, unsigned id,
                          unsigned users)
{
    for (unsigned i = 0; i < seg->ranges; i++)
        cp_line(req, "%04u %-8s %-8s %-8s %05llX  %05llX  %-4s %-2s %05u  %-8s %s", id,
                seg->name, "DCSS", "N/A", (unsigned long long)seg->range[i].start >> PAGE_SHIFT,
                (unsigned long long)seg->range[i].end >> PAGE_SHIFT, types[seg->range[i].type],
                seg->saved ? "A" : "S", users, "N/A", "N/A");
}

/* QUERY NSS [ALL | NAME name] [MAP] */
int cp_query_nss(struct cp_request *req, void *ctx)
{
    struct vm_segment seg;
    const char *name = NULL, *word;
    unsigned users, shown = 0;
    (void)ctx;
    while ((word = cp_operand(req)) != NULL) {
        if (!strcmp(word, "NAME"))
            name = cp_operand(req);
        else if (strcmp(word, "MAP") != 0 && strcmp(word, "ALL") != 0)
            return cp_fail(req, MSG_CMD003E, word);
    }
    for (unsigned i = 0;
         req->cp->ports.vm->segment_row(req->cp->ports.vm_host, i, &seg, &users); i++) {
        if (name && strcmp(name, seg.name) != 0)
            continue;
        if (!shown++)
            cp_line(req,
                    "FILE FILENAME FILETYPE MINSIZE  BEGPAG ENDPAG TYPE CL #USERS PARMREGS "
                    "VMGROUP");
        segment_lines(req, &seg, i + 1, users);
    }
    if (!shown)
        cp_line(req, "NO NSS FILES");
    return 0;
}
