/* VMDUMP: the user's machine into a file of the host, in the member's folder for dumps. The command
 * ends when the dump is written; the machine stands still until then.
 * Source: VM/370 "CP Command Reference for General Users", which has the operands. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

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
static int room_check(struct cp_request *req, const struct vm_info *info)
{
    char text[96];
    struct statvfs fs;
    const char *folder = req->cp->dump_folder;
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
    char userid[DIR_NAME_BYTES];
    char path[CONFIG_PATH_BYTES + 64];
};

static void dumped(void *ctx, int status, const struct cause *cause)
{
    struct pending *p = ctx;
    if (cp_waits(p->cp, p->req)) {
        int rc = status ? cp_fail(p->req, MSG_VMD440E, cause->text) : 0;
        if (!rc)
            cp_line(p->req, "%s dumped to %s", p->userid, p->path);
        cp_complete(p->req, rc);
    }
    free(p);
}

static int begin(struct cp_request *req, struct cp_user *user, struct operands *o)
{
    struct cp *cp = req->cp;
    struct cause cause = {0};
    struct pending *p = calloc(1, sizeof *p);
    if (!p)
        return cp_fail(req, MSG_VMD440E, "no memory");
    p->cp = cp;
    p->req = req;
    strcpy(p->userid, user->userid);
    snprintf(o->text, sizeof o->text, "VMDUMP of %s on %s, TO %s FORMAT %s %s%s", user->userid,
             cp_system_name(cp), o->to, *o->format ? o->format : "-", o->dumpid ? "*" : "",
             o->dumpid ? o->dumpid : "");
    o->what.text = o->text;
    o->what.path = p->path;
    bool own = !strcmp(o->to, user->userid);
    snprintf(p->path, sizeof p->path, "%s/%s.%04u%s%s", cp->dump_folder, user->userid,
             o->number, own ? "" : ".", own ? "" : o->to);
    if (cp->ports.vm->dump(user->vm, &o->what, dumped, p, &cause)) {
        free(p);
        return cp_fail(req, MSG_VMD440E, cause.text);
    }
    cp_on_halt(req, cp_halt_still, NULL);
    return CP_LATER;
}

/* VMDUMP [range] ... [TO {userid | * | SYSTEM}] [FORMAT vmtype] [DSS] [*dumpid] */
int cp_cmd_vmdump(struct cp_request *req, void *ctx)
{
    struct cp *cp = req->cp;
    struct cp_user *user = cp_own_machine(req);
    struct operands o = {0};
    struct vm_info info = {0};
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    strcpy(o.to, user->userid);
    cp->ports.vm->info(user->vm, &info);
    int rc = operands_take(req, info.storage_bytes + info.standby_bytes, &o);
    if (rc)
        return rc;
    if (!cp->dump_folder[0] || (mkdir(cp->dump_folder, 0777) && errno != EEXIST))
        return cp_fail(req, MSG_VMD440E, "there is no folder for it");
    unsigned there = dumps_of(cp->dump_folder, user->userid, &o.number);
    if (there >= DUMPS_OF_USER_MAX)
        return cp_fail(req, MSG_VMD441E, user->userid, there, cp->dump_folder);
    rc = room_check(req, &info);
    return rc ? rc : begin(req, user, &o);
}
