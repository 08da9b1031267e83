/* SET and QUERY LOADDEV: kept for IPL from SCSI disks, of which no member has any. As the directory
 * has it at logon; goes along with a relocation. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_internal.h"

#define COLUMNS 64
#define HEAD_BYTES 28 /* of a row: three numbers, the boot program */

/* {PORTNAME | LUN | BR_LBA} hex [hex], BOOTPROG n */
static int number(struct cp_request *req, struct loaddev *l, enum loaddev_operand operand)
{
    const char *word = cp_operand(req);
    u64 n;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (operand == LOADDEV_BOOTPROG) {
        if (!scan_number(word, 0, LOADDEV_BOOTPROG_MAX, &n))
            return cp_fail(req, MSG_CSE003E, word);
        l->bootprog = (unsigned)n;
        return 0;
    }
    unsigned taken = loaddev_number(word, cp_operand_peek(req), loaddev_field(l, operand));
    if (!taken)
        return cp_fail(req, MSG_CSE003E, word);
    if (taken == 2)
        cp_operand(req);
    return 0;
}

/* SCPDATA [NEW | APPEND] [HEX] text, which is the rest of the line. */
static int scpdata(struct cp_request *req, struct loaddev *l)
{
    const char *word = cp_operand_peek(req);
    bool append = word && !strcmp(word, "APPEND"), hex;
    if (append || (word && !strcmp(word, "NEW")))
        cp_operand(req);
    word = cp_operand_peek(req);
    hex = word && !strcmp(word, "HEX");
    if (hex)
        cp_operand(req);
    const char *text = cp_operand_rest(req);
    if (!append)
        l->scpdata[0] = 0;
    return *text && loaddev_scpdata(l, text, hex)
               ? 0
               : cp_fail(req, *text ? MSG_CSE003E : MSG_CMD026E, "SCPDATA");
}

/* SET LOADDEV {CLEAR | operand value ...} */
int cp_set_loaddev(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    const char *word = cp_operand(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    struct loaddev l = user->loaddev;
    int rc = 0;
    if (!strcmp(word, "CLEAR")) {
        l = (struct loaddev){0};
        word = cp_operand(req);
    }
    enum loaddev_operand operand = LOADDEV_NONE;
    while (word && !rc) {
        operand = loaddev_operand(word);
        if (operand == LOADDEV_NONE)
            return cp_fail(req, MSG_CSE003E, word);
        rc = operand == LOADDEV_SCPDATA ? scpdata(req, &l) : number(req, &l, operand);
        word = rc || operand == LOADDEV_SCPDATA ? NULL : cp_operand(req);
    }
    if (!rc)
        user->loaddev = l;
    return rc;
}

#define HALVES(n) (unsigned)((n) >> 32), (unsigned)(n)

int cp_query_loaddev(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    const struct loaddev *l = &user->loaddev;
    cp_line(req, "PORTNAME %08X %08X    LUN  %08X %08X    BOOTPROG %u", HALVES(l->portname),
            HALVES(l->lun), l->bootprog);
    cp_line(req, "BR_LBA   %08X %08X", HALVES(l->br_lba));
    if (l->scpdata[0])
        cp_line(req, "SCPDATA");
    for (size_t at = 0, n = strlen(l->scpdata); at < n; at += COLUMNS)
        cp_line(req, "  %04X   %.*s", (unsigned)at, COLUMNS, l->scpdata + at);
    return 0;
}

/* ---- relocation ---- */

void cp_loaddev_save(const struct cp_user *user, u16 tag, struct codec_out *out)
{
    const struct loaddev *l = &user->loaddev;
    u8 row[HEAD_BYTES + LOADDEV_SCPDATA_BYTES_MAX];
    size_t n = strlen(l->scpdata);
    be64_store(row, l->portname);
    be64_store(row + 8, l->lun);
    be64_store(row + 16, l->br_lba);
    be32_store(row + 24, l->bootprog);
    memcpy(row + HEAD_BYTES, l->scpdata, n);
    codec_put_bytes(out, tag, row, HEAD_BYTES + n);
}

bool cp_loaddev_take(struct cp_user *user, const struct codec_row *row)
{
    struct loaddev *l = &user->loaddev;
    if (row->len < HEAD_BYTES || row->len > HEAD_BYTES + LOADDEV_SCPDATA_BYTES_MAX ||
        be32_load(row->p + 24) > LOADDEV_BOOTPROG_MAX)
        return false;
    size_t n = row->len - HEAD_BYTES;
    l->portname = be64_load(row->p);
    l->lun = be64_load(row->p + 8);
    l->br_lba = be64_load(row->p + 16);
    l->bootprog = be32_load(row->p + 24);
    memcpy(l->scpdata, row->p + HEAD_BYTES, n);
    l->scpdata[n] = 0;
    return true;
}
