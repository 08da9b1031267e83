/* Saved segments and saved systems: DEFSEG, DEFSYS, SAVESEG, SAVESYS, PURGE NSS, QUERY NSS, and who
 * may IPL a saved system. */
#include <stdio.h>
#include <stdlib.h>

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

static const char *kind_of(bool system)
{
    return system ? "Named saved system" : "Saved segment";
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
        return cp_fail(req, MSG_NSD454E, kind_of(seg->system), seg->name,
                       "too many page ranges");
    seg->range[seg->ranges].start = first << PAGE_SHIFT;
    seg->range[seg->ranges].end = ((last + 1) << PAGE_SHIFT) - 1;
    seg->range[seg->ranges++].type = (u32)type;
    return 0;
}

/* [K | M | G], K without a letter: MINSIZE=256K */
static bool minsize_take(const char *word, struct vm_segment *seg)
{
    return scan_size(word, 1024, &seg->minsize);
}

/* PARMREGS=m-n, PARMREGS=NONE */
static bool parmregs_take(const char *word, struct vm_segment *seg)
{
    unsigned first, last;
    char more;
    if (!strcmp(word, "NONE"))
        return true;
    if (sscanf(word, "%2u-%2u%c", &first, &last, &more) != 2 || first > last || last > 15)
        return false;
    seg->parm_first = (u8)first;
    seg->parm_count = (u8)(last - first + 1);
    return true;
}

static const char *const modes[] = {
    [DIR_MACH_ESA] = "ESA", [DIR_MACH_XA] = "XA", [DIR_MACH_XC] = "XC", [DIR_MACH_Z] = "Z"};

/* MACHMODE mode[,mode]... */
static bool machmode_take(const char *word, struct vm_segment *seg)
{
    char text[32], *rest = text;
    if (!word || strlen(word) >= sizeof text)
        return false;
    strcpy(text, word);
    for (const char *mode; (mode = strsep(&rest, ",")) != NULL;) {
        size_t i = 0;
        while (i < ARRAY_LEN(modes) && strcmp(mode, modes[i]) != 0)
            i++;
        if (i == ARRAY_LEN(modes))
            return false;
        seg->machmode |= (u8)(1u << i);
    }
    return true;
}

/* Operands that are no page range. Taken, not one of them, or the number of a message. */
static int option_take(struct cp_request *req, struct vm_segment *seg, bool *taken)
{
    const char *word = cp_operand_peek(req);
    bool good = true;
    *taken = true;
    if (!strcmp(word, "RSTD"))
        seg->restricted = true;
    else if (!seg->system && !strcmp(word, "LOADNSHR"))
        seg->loadnshr = true;
    else if (!seg->system && !strcmp(word, "SECURE"))
        seg->secure = true;
    else if (!seg->system && !strcmp(word, "SPACE")) {
        cp_operand(req);
        word = cp_operand_peek(req);
        good = word && cp_userid_ok(word);
        if (good)
            snprintf(seg->space, sizeof seg->space, "%s", word);
    } else if (seg->system && !strcmp(word, "VMGROUP"))
        seg->vmgroup = true;
    else if (seg->system && !strncmp(word, "MINSIZE=", 8))
        good = minsize_take(word + 8, seg);
    else if (seg->system && !strncmp(word, "PARMREGS=", 9))
        good = parmregs_take(word + 9, seg);
    else if (seg->system && !strcmp(word, "MACHMODE")) {
        cp_operand(req);
        word = cp_operand_peek(req);
        good = machmode_take(word, seg);
    } else
        *taken = false;
    if (!good)
        return word ? cp_fail(req, MSG_CMD002E, word) : cp_fail(req, MSG_CMD026E);
    if (*taken)
        cp_operand(req);
    return 0;
}

/* The word that does not go with LOADNSHR, or NULL. */
static const char *conflict(const struct vm_segment *seg)
{
    if (seg->loadnshr && seg->restricted)
        return "RSTD";
    for (unsigned i = 0; seg->loadnshr && i < seg->ranges; i++)
        if (!strcmp(types[seg->range[i].type], "SC"))
            return "SC";
    return NULL;
}

static int define(struct cp_request *req, bool system)
{
    struct vm_segment seg = {.system = system};
    struct cause cause;
    bool taken;
    const char *name = cp_operand(req);
    if (!name || !cp_operand_peek(req))
        return cp_fail(req, MSG_CMD026E);
    if (!cp_userid_ok(name))
        return cp_fail(req, MSG_CMD002E, name);
    snprintf(seg.name, sizeof seg.name, "%s", name);
    while (cp_operand_peek(req)) {
        int rc = option_take(req, &seg, &taken);
        if (rc == 0 && !taken)
            rc = range_take(req, &seg);
        if (rc)
            return rc;
    }
    if (conflict(&seg))
        return cp_fail(req, MSG_CMD013E, conflict(&seg));
    if (req->cp->ports.vm->segment_define(req->cp->ports.vm_host, &seg, &cause))
        return cp_fail(req, MSG_NSD454E, kind_of(system), seg.name, cause.text);
    cp_fail(req, MSG_NSD440I, kind_of(system), seg.name);
    return 0;
}

/* DEFSEG name hexpage1[-hexpage2] type ... [SPACE name] [RSTD | LOADNSHR] [SECURE] */
int cp_cmd_defseg(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return define(req, false);
}

/* DEFSYS name hexpage1[-hexpage2] type ... [MINSIZE=n{K | M}] [PARMREGS={m-n | NONE}]
 * [MACHMODE mode[,mode]...] [VMGROUP] [RSTD] */
int cp_cmd_defsys(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return define(req, true);
}

static bool mode_fits(const struct cp_user *user, const struct vm_segment *seg)
{
    return !seg->machmode || seg->machmode >> user->entry->machine & 1;
}

/* The number that QUERY NSS shows of what is saved under the name; 0: nothing is. */
static unsigned file_id(struct cp_request *req, const char *name)
{
    struct vm_segment seg;
    unsigned users;
    for (unsigned i = 0;
         req->cp->ports.vm->segment_row(req->cp->ports.vm_host, i, &seg, &users); i++)
        if (seg.saved && !seg.purged && !strcmp(seg.name, name))
            return i + 1;
    return 0;
}

/* A saving under way. Freed by `saved`. */
struct pending {
    struct cp *cp;
    struct cp_request *req;
    bool system;
    char name[sizeof((struct vm_segment *)0)->name];
};

static void saved(void *ctx, int status, const struct cause *cause)
{
    struct pending *p = ctx;
    struct cp_request *req = p->req;
    if (cp_waits(p->cp, req)) {
        int rc = 0;
        if (status)
            rc = cp_fail(req, MSG_NSD454E, kind_of(p->system), p->name, cause->text);
        else
            cp_fail(req, MSG_NSS440I, p->system ? "Named Saved System (NSS)" : "Saved segment",
                    p->name, file_id(req, p->name));
        cp_complete(req, rc);
    }
    free(p);
}

static int save_begin(struct cp_request *req, struct cp_user *user, const char *name,
                      bool system)
{
    struct cause cause;
    struct pending *p = calloc(1, sizeof *p);
    if (!p)
        return cp_fail(req, MSG_NSD454E, kind_of(system), name, "no memory");
    p->cp = req->cp;
    p->req = req;
    p->system = system;
    snprintf(p->name, sizeof p->name, "%s", name);
    if (req->cp->ports.vm->segment_save(user->vm, name, system, saved, p, &cause)) {
        free(p);
        return cp_fail(req, MSG_NSD454E, kind_of(system), name, cause.text);
    }
    cp_on_halt(req, cp_halt_still, NULL);
    return CP_LATER;
}

static int save(struct cp_request *req, bool system)
{
    struct vm_segment seg;
    struct cp_user *user = cp_own_machine(req);
    const char *name = cp_operand(req);
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!name)
        return cp_fail(req, MSG_CMD026E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    bool defined = req->cp->ports.vm->segment_defined(req->cp->ports.vm_host, name, &seg);
    if (!defined || seg.system != system)
        return cp_fail(req, MSG_NSS435E, kind_of(system), name);
    if (!mode_fits(user, &seg))
        return cp_fail(req, MSG_NSS453E, name, modes[user->entry->machine]);
    return save_begin(req, user, name, system);
}

/* SAVESEG name: out of the user's storage. */
int cp_cmd_saveseg(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return save(req, false);
}

/* SAVESYS name: out of the user's storage, with the state of its base CPU. */
int cp_cmd_savesys(struct cp_request *req, void *ctx)
{
    (void)ctx;
    return save(req, true);
}

static bool named(const struct dir_entry *entry, const char *name)
{
    for (unsigned i = 0; i < entry->namesave_count; i++)
        if (!strcmp(entry->namesave[i], name))
            return true;
    return false;
}

int cp_ipl_system_check(const struct cp_user *user, const struct vm_ipl *ipl,
                        char line[MSG_LINE_BYTES])
{
#define REFUSE(id, ...) return msg_format(line, MSG_LINE_BYTES, MSG_##id, __VA_ARGS__)
    const struct cp_ports *ports = &user->cp->ports;
    struct vm_segment seg;
    struct vm_info info;
    char need[CP_TIME_TEXT_BYTES], has[CP_TIME_TEXT_BYTES];
    size_t parm = ipl->parm ? strlen(ipl->parm) : 0;
    if (!ports->vm->segment_find(ports->vm_host, ipl->name, &seg) || !seg.saved || !seg.system)
        REFUSE(IPL440E, ipl->name);
    if (seg.restricted && !named(user->entry, ipl->name))
        REFUSE(IPL449E, ipl->name);
    if (!mode_fits(user, &seg))
        REFUSE(IPL453E, ipl->name, modes[user->entry->machine]);
    ports->vm->info(user->vm, &info);
    if (info.storage_bytes < seg.minsize)
        REFUSE(IPL454E, ipl->name, cp_size_text(seg.minsize, need),
               cp_size_text(info.storage_bytes, has));
    if (parm > 4 * (size_t)seg.parm_count)
        REFUSE(IPL455E, parm, ipl->name, 4 * (unsigned)seg.parm_count);
#undef REFUSE
    return 0;
}

bool cp_segment_here(const struct cp *cp, const char *name,
                     const u8 identity[VM_IDENTITY_BYTES])
{
    struct vm_segment seg;
    return cp->ports.vm->segment_find(cp->ports.vm_host, name, &seg) && seg.saved &&
           !memcmp(seg.identity, identity, VM_IDENTITY_BYTES);
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
        return cp_fail(req, MSG_NSS435E, kind_of(false), name);
    cp_line(req, "0000001 FILE  PURGED");
    return 0;
}

static const char *class_of(const struct vm_segment *seg)
{
    return !seg->saved ? "S" : seg->purged ? "P" : seg->restricted ? "R" : "A";
}

static const char *filetype_of(const struct vm_segment *seg)
{
    return seg->system ? "NSS" : *seg->space ? "DCSS-M" : "DCSS";
}

static void attributes_line(struct cp_request *req, const struct vm_segment *seg, unsigned id)
{
    cp_line(req, "%04u %-8s %-8s %s%s%s%s", id, seg->name, filetype_of(seg), class_of(seg),
            seg->loadnshr || seg->secure ? " " : "", seg->loadnshr ? " LOADNSHR" : "",
            seg->secure ? " SECURE" : "");
}

static void segment_lines(struct cp_request *req, const struct vm_segment *seg, unsigned id,
                          unsigned users)
{
    char minsize[24] = "N/A", parmregs[8] = "N/A", front[64] = "", behind[48] = "";
    const char *group = seg->system ? seg->vmgroup ? "YES" : "NO" : "N/A";
    if (seg->system) {
        unsigned last = seg->parm_first + seg->parm_count;
        snprintf(minsize, sizeof minsize, "%07lluK", (unsigned long long)seg->minsize >> 10);
        snprintf(parmregs, sizeof parmregs, "OMITTED");
        if (seg->parm_count)
            snprintf(parmregs, sizeof parmregs, "%02u-%02u", seg->parm_first, last - 1);
    }
    snprintf(front, sizeof front, "%04u %-8s %-8s %-8s", id, seg->name, filetype_of(seg),
             minsize);
    snprintf(behind, sizeof behind, " %-2s %05u  %-8s %s", class_of(seg), users, parmregs,
             group);
    for (unsigned i = 0; i < seg->ranges; i++)
        cp_line(req, "%-31s %05llX  %05llX  %-4s%s", i ? "" : front,
                (unsigned long long)seg->range[i].start >> PAGE_SHIFT,
                (unsigned long long)seg->range[i].end >> PAGE_SHIFT, types[seg->range[i].type],
                i ? "" : behind);
}

/* QUERY NSS [ALL | NAME name] [MAP | ATTRIBUTES] */
int cp_query_nss(struct cp_request *req, void *ctx)
{
    struct vm_segment seg;
    const char *name = NULL, *word;
    unsigned users, shown = 0;
    bool attributes = false;
    (void)ctx;
    while ((word = cp_operand(req)) != NULL) {
        if (!strcmp(word, "NAME"))
            name = cp_operand(req);
        else if (!strcmp(word, "ATTRIBUTES"))
            attributes = true;
        else if (strcmp(word, "MAP") != 0 && strcmp(word, "ALL") != 0)
            return cp_fail(req, MSG_CMD003E, word);
    }
    for (unsigned i = 0;
         req->cp->ports.vm->segment_row(req->cp->ports.vm_host, i, &seg, &users); i++) {
        if (name && strcmp(name, seg.name) != 0)
            continue;
        if (!shown++)
            cp_line(req, attributes ? "FILE FILENAME FILETYPE CL ATTRIBUTES"
                                    : "FILE FILENAME FILETYPE MINSIZE  BEGPAG ENDPAG TYPE CL "
                                      "#USERS PARMREGS VMGROUP");
        if (attributes)
            attributes_line(req, &seg, i + 1);
        else
            segment_lines(req, &seg, i + 1, users);
    }
    if (!shown)
        cp_line(req, "NO NSS FILES");
    return 0;
}
