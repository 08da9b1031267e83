/* VMDUMP: the user's machine into a spool file of class V in a reader, or with HOSTFILE into a file
 * of the host, in the member's folder for dumps. The command ends when the dump is written; the
 * machine stands still until then.
 * Source: VM/370 "CP Command Reference for General Users", which has the operands; HOSTFILE is
 * ours; class, name and type of the spool file are from memory. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_spool.h"

#define DUMPS_OF_USER_MAX 16
#define DUMPID_BYTES_MAX 100
#define HEAD_ROOM (1ull << 20) /* beyond the guest's pages */

void cp_set_dump_folder(struct cp *cp, const char *path)
{
    snprintf(cp->dump_folder, sizeof cp->dump_folder, "%s", path);
}

struct operands {
    struct vm_dump what;
    char to[DIR_NAME_BYTES], format[16];
    const char *dumpid;
    unsigned number; /* of the file */
    bool host;
    char text[256 + DUMPID_BYTES_MAX];
};

/* ---- operands ---- */

static bool hex_or(const char *text, u64 otherwise, u64 *out)
{
    if (*text)
        return scan_hex(text, ~0ull >> 1, out);
    *out = otherwise;
    return true;
}

/* hexloc1{- | :}[hexloc2 | END], hexloc1.[count | END], hexloc: whole pages of these. */
static int range_take(struct cp_request *req, const char *word, u64 size, struct operands *o)
{
    char text[48];
    u64 first, last, end = size - 1;
    if (o->what.ranges == VM_DUMP_RANGES_MAX || strlen(word) >= sizeof text)
        return cp_fail(req, MSG_CMD003E, word);
    strcpy(text, word);
    char *mark = strpbrk(text, "-:.");
    char how = mark ? *mark : 0;
    if (mark)
        *mark++ = 0;
    if (mark && !strcmp(mark, "END"))
        *mark = 0;
    if (!hex_or(text, 0, &first) ||
        !hex_or(mark ? mark : text, how == '.' ? size - first : end, &last))
        return cp_fail(req, MSG_CMD003E, word);
    if (how == '.' && (last == 0 || first > ~0ull - last))
        return cp_fail(req, MSG_CMD002E, word);
    last = how == '.' ? first + last - 1 : last;
    if (last < first)
        return cp_fail(req, MSG_CMD002E, word);
    if (last > end)
        return cp_fail(req, MSG_VMD160E, word);
    o->what.range[o->what.ranges].first = first & ~0xfffull;
    o->what.range[o->what.ranges++].last = last | 0xfff;
    return 0;
}

static int to_take(struct cp_request *req, const char *word, struct operands *o)
{
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "*"))
        word = req->userid;
    else if (!strcmp(word, "SYSTEM"))
        word = "OPERATOR";
    if (!directory_find(req->cp->directory, word))
        return cp_fail(req, MSG_VMD053E, word);
    snprintf(o->to, sizeof o->to, "%s", word);
    return 0;
}

static int format_take(struct cp_request *req, const char *word, struct operands *o)
{
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strlen(word) >= sizeof o->format)
        return cp_fail(req, MSG_CMD002E, word);
    strcpy(o->format, word);
    return 0;
}

static int operands_take(struct cp_request *req, u64 size, struct operands *o)
{
    int rc = 0;
    for (const char *word; rc == 0 && (word = cp_operand_peek(req)) != NULL;) {
        if (*word == '*') {
            o->dumpid = cp_operand_rest(req) + 1;
            return strlen(o->dumpid) <= DUMPID_BYTES_MAX ? 0
                                                         : cp_fail(req, MSG_CMD002E, "*dumpid");
        }
        word = cp_operand(req);
        if (!strcmp(word, "TO"))
            rc = to_take(req, cp_operand(req), o);
        else if (!strcmp(word, "FORMAT"))
            rc = format_take(req, cp_operand(req), o);
        else if (!strcmp(word, "DSS"))
            o->what.segments = true;
        else if (!strcmp(word, "HOSTFILE"))
            o->host = true;
        else
            rc = range_take(req, word, size, o);
    }
    return rc;
}

/* ---- the file ---- */

/* How many the user has made, whoever they are for, and the first number that none has. */
static unsigned dumps_of(const char *folder, const char *userid, unsigned *number)
{
    unsigned count = 0;
    bool taken[DUMPS_OF_USER_MAX + 1] = {false};
    size_t n = strlen(userid);
    DIR *dir = opendir(folder);
    for (struct dirent *d; dir && (d = readdir(dir)) != NULL;) {
        if (strncmp(d->d_name, userid, n) != 0 || d->d_name[n] != '.')
            continue;
        unsigned long its = strtoul(d->d_name + n + 1, NULL, 10);
        if (its && its <= ARRAY_LEN(taken))
            taken[its - 1] = true;
        count++;
    }
    if (dir)
        closedir(dir);
    for (*number = 1; *number < ARRAY_LEN(taken) && taken[*number - 1];)
        ++*number;
    return count;
}

/* Is there room for what the guest has in storage? */
static int room_check(struct cp_request *req, const struct vm_info *info, const char *path)
{
    char text[128], folder[CONFIG_PATH_BYTES + 64];
    struct statvfs fs;
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (statvfs(folder, &fs))
        return 0; /* the write will tell */
    u64 room = (u64)fs.f_bavail * fs.f_frsize, need = info->resident_bytes + HEAD_ROOM;
    if (need <= room)
        return 0;
    snprintf(text, sizeof text, "it may need %lluM, the host has %lluM",
             (unsigned long long)need >> 20, (unsigned long long)room >> 20);
    return cp_fail(req, MSG_VMD440E, text);
}

/* A dump that is being written. Freed by `dumped`. */
struct pending {
    struct cp *cp;
    struct cp_request *req;
    char userid[DIR_NAME_BYTES], to[DIR_NAME_BYTES];
    bool host;
    char path[CONFIG_PATH_BYTES + 64]; /* of a file of the host */
    struct spool_temporary pages;      /* else */
};

static int spooled(struct pending *p)
{
    struct spool_desc desc;
    struct spool_file *file;
    struct cause cause = {0};
    spool_desc_init(&desc, p->to, SPOOL_RDR);
    strcpy(desc.origin, p->userid);
    strcpy(desc.device, SPOOL_DEVICE_DUMP);
    strcpy(desc.name, "VMDUMP");
    strcpy(desc.type, "FILE");
    desc.class_ = 'V';
    if (spool_add_dump(cp_spool(p->cp), &desc, &p->pages, &file, &cause))
        return cp_fail(p->req, MSG_VMD440E, cause.text);
    u16 id = spool_desc(file)->id;
    cp_spool_sent(p->req, spool_desc(file), SPOOL_RDR, id);
    return 0;
}

static void dumped(void *ctx, int status, const struct cause *cause)
{
    struct pending *p = ctx;
    bool waits = cp_waits(p->cp, p->req);
    if (!waits && !status && !p->host)
        unlink(p->pages.path);
    if (waits) {
        int rc = status ? cp_fail(p->req, MSG_VMD440E, cause->text) : p->host ? 0 : spooled(p);
        if (!rc && p->host)
            cp_line(p->req, "%s dumped to %s", p->userid, p->path);
        cp_complete(p->req, rc);
    }
    free(p);
}

static int begin(struct cp_request *req, struct cp_user *user, struct operands *o,
                 struct pending *p)
{
    struct cp *cp = req->cp;
    struct cause cause = {0};
    snprintf(o->text, sizeof o->text, "VMDUMP of %s on %s, TO %s FORMAT %s %s%s", user->userid,
             cp_system_name(cp), o->to, *o->format ? o->format : "-", o->dumpid ? "*" : "",
             o->dumpid ? o->dumpid : "");
    o->what.text = o->text;
    o->what.path = p->host ? p->path : p->pages.path;
    o->what.spool = !p->host;
    o->what.bytes_max = SPOOL_DATA_BYTES_MAX;
    int rc = cp->ports.vm->dump(user->vm, &o->what, dumped, p, &cause);
    if (rc)
        return cp_fail(req, MSG_VMD440E, cause.text);
    cp_on_halt(req, cp_halt_still, NULL);
    return CP_LATER;
}

/* Where a file of the host goes. */
static int host_path(struct cp_request *req, struct operands *o, struct pending *p)
{
    struct cp *cp = req->cp;
    if (!cp->dump_folder[0] || (mkdir(cp->dump_folder, 0777) && errno != EEXIST))
        return cp_fail(req, MSG_VMD440E, "there is no folder for it");
    unsigned there = dumps_of(cp->dump_folder, p->userid, &o->number);
    if (there >= DUMPS_OF_USER_MAX)
        return cp_fail(req, MSG_VMD441E, p->userid, there, cp->dump_folder);
    bool own = !strcmp(o->to, p->userid);
    snprintf(p->path, sizeof p->path, "%s/%s.%04u%s%s", cp->dump_folder, p->userid, o->number,
             own ? "" : ".", own ? "" : o->to);
    return 0;
}

static int prepare(struct cp_request *req, struct cp_user *user, struct operands *o,
                   const struct vm_info *info)
{
    struct pending *p = calloc(1, sizeof *p);
    if (!p)
        return cp_fail(req, MSG_VMD440E, "no memory");
    p->cp = req->cp;
    p->req = req;
    p->host = o->host;
    strcpy(p->userid, user->userid);
    strcpy(p->to, o->to);
    spool_temporary(cp_spool(req->cp), &p->pages);
    int rc = p->host ? host_path(req, o, p) : 0;
    rc = rc ? rc : room_check(req, info, p->host ? p->path : p->pages.path);
    rc = rc ? rc : begin(req, user, o, p);
    if (rc != CP_LATER)
        free(p);
    return rc;
}

/* VMDUMP [range] ... [TO {userid | * | SYSTEM}] [FORMAT vmtype] [DSS] [HOSTFILE] [*dumpid] */
int cp_cmd_vmdump(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct operands o = {0};
    struct vm_info info = {0};
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    strcpy(o.to, user->userid);
    req->cp->ports.vm->info(user->vm, &info);
    int rc = operands_take(req, info.storage_bytes + info.standby_bytes, &o);
    return rc ? rc : prepare(req, user, &o, &info);
}
