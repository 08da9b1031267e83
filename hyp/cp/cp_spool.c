/* Spool commands: PURGE, CHANGE and CLOSE of the own virtual reader's files.
 * Files belong to a user id; while logged on they stand in its virtual reader. */
#include <stdio.h>
#include <stdlib.h>
#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

int cp_cmd_purge(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct cp *cp = req->cp;
    int count = 0;
    u64 id;
    (void)ctx;
    if (!word || (!cp_abbrev(word, "Reader") && strcmp(word, "RDR") && strcmp(word, "ALL")))
        return cp_fail(req, MSG_CMD002E, word ? word : "PURGE");
    bool all = !strcmp(word, "ALL");
    word = cp_operand(req);
    if (!all && !word)
        return cp_fail(req, MSG_CMD026E);
    if (all || !strcmp(word, "ALL")) {
        count = cp->ports.vm->spool_purge(cp->ports.vm_host, req->userid, 0);
        word = NULL;
    }
    for (; word; word = cp_operand(req)) {
        if (!scan_number(word, 1, 9999, &id))
            return cp_fail(req, MSG_CMD002E, word);
        if (cp->ports.vm->spool_purge(cp->ports.vm_host, req->userid, (u16)id) < 1)
            return cp_fail(req, MSG_RLO003E, word);
        count++;
    }
    if (count > 0)
        cp_line(req, "%07d FILE%s PURGED", count, count == 1 ? "" : "S");
    else
        cp_line(req, "NO FILES PURGED");
    return 0;
}

/** CHANGE READER ALL [KEEP | NOKEEP] [HOLD | NOHOLD], as the Linux loader issues it. */
int cp_cmd_change(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct cp *cp = req->cp;
    int keep = -1, hold = -1;
    (void)ctx;
    if (!word || (!cp_abbrev(word, "Reader") && strcmp(word, "RDR")))
        return cp_fail(req, MSG_CMD002E, word ? word : "CHANGE");
    word = cp_operand(req);
    if (!word || strcmp(word, "ALL"))
        return cp_fail(req, MSG_CMD002E, word ? word : "CHANGE READER");
    while ((word = cp_operand(req))) {
        if (!strcmp(word, "KEEP") || !strcmp(word, "NOKEEP"))
            keep = word[0] == 'K';
        else if (cp_abbrev(word, "HOld") || cp_abbrev(word, "NOHold"))
            hold = word[0] == 'H';
        else
            return cp_fail(req, MSG_CMD002E, word);
    }
    int count = cp->ports.vm->spool_change(cp->ports.vm_host, req->userid, keep, hold);
    if (count > 0)
        cp_line(req, "%07d FILE%s CHANGED", count, count == 1 ? "" : "S");
    else
        cp_line(req, "NO FILES CHANGED");
    return 0;
}

/** CLOSE {READER | vdev}: the file being read is closed; the next read starts another. */
int cp_cmd_close(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    (void)ctx;
    if (!word || (!cp_abbrev(word, "Reader") && strcmp(word, "RDR") && strcmp(word, "00C") &&
                  strcmp(word, "C") && strcmp(word, "000C")))
        return cp_fail(req, MSG_CMD002E, word ? word : "CLOSE");
    req->cp->ports.vm->spool_close(req->cp->ports.vm_host, req->userid);
    return 0;
}
