/* Channel-to-channel adapters: DEFINE CTCA, COUPLE, UNCOUPLE, DETACH, QUERY VIRTUAL CTCA, SPECIAL
 * at logon. Operands, and what is said of pairs, are as VM/370's "CP Command Reference" and z/VM's
 * "CP Commands and Utilities Reference" have them; the wording of lines is from memory. UNCOUPLE of
 * a CTCA is ours, and so are numbers from 2793 on. */
#include "hyp/cp/cp_ctca.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"

static bool is_vdev(const char *word, u16 *vdev)
{
    u64 n;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xffff, &n) || !n)
        return false;
    *vdev = (u16)n;
    return true;
}

struct cp_ctca *cp_ctca_at(struct cp_user *user, u16 vdev)
{
    struct cp_ctca *c = user->ctcas;
    while (c && c->vdev != vdev)
        c = c->next;
    return c;
}

struct cp_ctca *cp_ctca_at_operand(struct cp_request *req, struct cp_user *user)
{
    u16 vdev;
    struct cp_ctca *c = is_vdev(cp_operand_peek(req), &vdev) ? cp_ctca_at(user, vdev) : NULL;
    if (c)
        cp_operand(req);
    return c;
}

struct ctca *cp_ctca_device(struct cp_ctca *c)
{
    return c->user->cp->ports.vm->ctca(c->user->vm, c->vdev);
}

bool cp_user_ctca(struct cp_user *user, unsigned i, u16 *vdev, bool *coupled)
{
    const struct cp_ctca *c = user->ctcas;
    while (c && i--)
        c = c->next;
    if (!c)
        return false;
    *vdev = c->vdev;
    *coupled = c->peer || c->link;
    return true;
}

/* --- life ----------------------------------------------------------------------------------- */

int cp_ctca_create(struct cp_user *user, u16 vdev, u8 type, const char *only, bool announce,
                   struct cause *cause)
{
    struct cp_ctca *c = calloc(1, sizeof *c);
    if (!c)
        return cause_set(cause, ST_NOMEM, "no memory for an adapter");
    *c = (struct cp_ctca){.user = user, .vdev = vdev, .type = type};
    snprintf(c->only, sizeof c->only, "%s", only);
    int rc = user->cp->ports.vm->ctca_attach(user->vm, vdev, type, announce, cause);
    if (rc) {
        free(c);
        return rc;
    }
    c->next = user->ctcas;
    user->ctcas = c;
    return ST_OK;
}

/* The pair, if there is one, is no more. */
static void part(struct cp_ctca *c)
{
    if (c->link)
        cp_ctc_drop(c->link);
    if (!c->peer)
        return;
    ctc_uncouple(ctca_side(cp_ctca_device(c)));
    c->peer->peer = NULL;
    c->peer = NULL;
}

/* The same, told to both; of the one on another member its own tells. */
static void part_and_tell(struct cp_request *req, struct cp_ctca *c)
{
    struct cp_ctca *peer = c->peer;
    const struct cp_user *user = c->user;
    char other[DIR_NAME_BYTES] = "";
    u16 vdev = 0;
    if (peer || c->link) {
        snprintf(other, sizeof other, "%s", peer ? peer->user->userid : cp_ctc_user(c->link));
        vdev = peer ? peer->vdev : cp_ctc_vdev(c->link);
    }
    part(c);
    if (!*other)
        return;
    if (req)
        cp_line(req, "CTCA %04X DROP FROM %s %04X", c->vdev, other, vdev);
    if (peer && peer->user != user)
        cp_user_tell(peer->user, "CTCA %04X DROP BY %s %04X", peer->vdev, user->userid,
                     c->vdev);
}

static void forget(struct cp_ctca *c)
{
    struct cp_ctca **at = &c->user->ctcas;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    free(c);
}

void cp_ctcas_leave(struct cp_user *user)
{
    for (struct cp_ctca *c = user->ctcas; c; c = c->next)
        part_and_tell(NULL, c);
}

void cp_ctcas_end(struct cp_user *user)
{
    while (user->ctcas)
        forget(user->ctcas);
}

void cp_ctcas_logon(struct cp_user *user)
{
    struct cause cause;
    for (unsigned i = 0; i < user->entry->ctca_count; i++) {
        const struct dir_ctca *d = &user->entry->ctcas[i];
        const char *only = strcmp(d->only, "*") ? d->only : user->userid;
        if (cp_ctca_create(user, d->vdev, d->type, only, false, &cause))
            cp_user_tell(user, "CTCA %04X not defined; %s", d->vdev, cause.text);
    }
}

/* vdev 2, type 1, who may couple with it 8 */
#define ROW_BYTES (3u + 8u)

void cp_ctcas_save(const struct cp_user *user, u16 tag, struct codec_out *out)
{
    for (const struct cp_ctca *c = user->ctcas; c; c = c->next) {
        u8 p[ROW_BYTES] = {0};
        be16_store(p, c->vdev);
        p[2] = c->type;
        memcpy(p + 3, c->only, strlen(c->only));
        codec_put_bytes(out, tag, p, sizeof p);
    }
}

int cp_ctca_restore(struct cp_user *user, const struct codec_row *row, struct cause *cause)
{
    char only[DIR_NAME_BYTES] = "";
    const u8 *p = row->p;
    bool good = row->len == ROW_BYTES && be16_load(p) && p[2] < CTCA_TYPES;
    if (good)
        memcpy(only, p + 3, 8);
    if (!good || (*only && !cp_userid_ok(only)))
        return cause_set(cause, ST_PROTO, "an adapter of %s is damaged", user->userid);
    return cp_ctca_create(user, be16_load(p), p[2], only, false, cause);
}

/* DEFINE CTCA [AS] vdev [USER {userid | *}] */
int cp_define_ctca(struct cp_request *req, struct cp_user *user, enum ctca_type type)
{
    const char *word = cp_operand(req), *only = "";
    struct cause cause;
    u16 vdev;
    if (word && !strcmp(word, "AS"))
        word = cp_operand(req);
    if (!is_vdev(word, &vdev))
        return cp_fail(req, MSG_DEF022E);
    word = cp_operand(req);
    if (word && cp_abbrev(word, "User")) {
        only = cp_operand(req);
        if (!only || (strcmp(only, "*") && !cp_userid_ok(only)))
            return cp_fail(req, MSG_CMD026E);
        only = strcmp(only, "*") ? only : user->userid;
        word = cp_operand(req);
    }
    if (word)
        return cp_fail(req, MSG_CMD003E, word);
    if (user->cp->ports.vm->subchannel(user->vm, vdev) >= 0)
        return cp_fail(req, MSG_DEF092E, vdev, vdev);
    if (cp_ctca_create(user, vdev, (u8)type, only, true, &cause))
        return cp_fail(req, MSG_DEF091E, vdev, cause.text);
    cp_line(req, "%s %04X DEFINED", ctca_type_name(type), vdev);
    return 0;
}

int cp_detach_ctca(struct cp_request *req, struct cp_ctca *c)
{
    struct cause cause;
    u16 vdev = c->vdev;
    part_and_tell(req, c);
    if (c->user->cp->ports.vm->device_detach(c->user->vm, vdev, true, &cause))
        return cp_fail(req, MSG_CPL2797E, vdev, cause.text);
    forget(c);
    cp_line(req, "CTCA %04X DETACHED", vdev);
    return 0;
}

/* --- pairs ---------------------------------------------------------------------------------- */

enum cp_ctc_no cp_ctc_check(struct cp *cp, const char *by, u8 type, const char *userid,
                            u16 vdev, struct cp_ctca **out)
{
    struct cp_user *user = cp_user_find(cp, userid);
    *out = NULL;
    if (!user)
        return CP_CTC_NOT_LOGGED_ON;
    struct cp_ctca *c = *out = cp_ctca_at(user, vdev);
    if (!c)
        return cp->ports.vm->subchannel(user->vm, vdev) < 0 ? CP_CTC_NO_DEVICE : CP_CTC_NO_CTCA;
    if (*c->only && strcmp(c->only, by))
        return CP_CTC_NOT_FOR;
    if (!ctca_types_fit((enum ctca_type)type, (enum ctca_type)c->type))
        return CP_CTC_NO_FIT;
    return c->peer || c->link ? CP_CTC_COUPLED : CP_CTC_OK;
}

int cp_ctc_refuse(struct cp_request *req, enum cp_ctc_no no, struct cp_ctca *c,
                  const char *userid, u16 vdev)
{
    char text[8];
    snprintf(text, sizeof text, "%04X", vdev);
    switch (no) {
    case CP_CTC_NOT_LOGGED_ON: return cp_fail(req, MSG_CPL045E, userid);
    case CP_CTC_NO_DEVICE: return cp_fail(req, MSG_CPL047E, userid, text);
    case CP_CTC_NO_CTCA: return cp_fail(req, MSG_CPL011E, userid, text);
    case CP_CTC_NOT_FOR: return cp_fail(req, MSG_CPL2793E, userid, vdev, req->userid);
    case CP_CTC_NO_FIT: return cp_fail(req, MSG_CPL2794E, c->vdev, userid, vdev);
    case CP_CTC_COUPLED: return cp_fail(req, MSG_CPL2795E, userid, vdev);
    case CP_CTC_NO_MEMORY: return cp_fail(req, MSG_CPL2797E, c->vdev, "no memory");
    case CP_CTC_OK: break;
    }
    return 0;
}

static int couple_here(struct cp_request *req, struct cp_ctca *c, const char *userid, u16 vdev)
{
    struct cp_ctca *other;
    enum cp_ctc_no no = cp_ctc_check(req->cp, c->user->userid, c->type, userid, vdev, &other);
    if (no == CP_CTC_OK && other == c)
        no = CP_CTC_COUPLED;
    if (no)
        return cp_ctc_refuse(req, no, c, userid, vdev);
    if (!ctc_couple(ctca_side(cp_ctca_device(c)), ctca_side(cp_ctca_device(other))))
        return cp_fail(req, MSG_CPL2795E, userid, vdev);
    c->peer = other;
    other->peer = c;
    cp_line(req, "CTCA %04X COUPLED TO %s %04X", c->vdev, userid, vdev);
    if (other->user != c->user)
        cp_user_tell(other->user, "CTCA %04X COUPLED BY %s %04X", vdev, c->user->userid,
                     c->vdev);
    return 0;
}

/* COUPLE vdev [TO] {userid | *} vdev: what it was coupled with, it is not any more. */
int cp_couple_ctca(struct cp_request *req, struct cp_ctca *c)
{
    const char *word = cp_operand(req);
    char userid[DIR_NAME_BYTES], member[CONFIG_NAME_BYTES] = "";
    struct cp *cp = req->cp;
    u16 vdev;
    if (word && !strcmp(word, "TO"))
        word = cp_operand(req);
    if (!word || (strcmp(word, "*") && !cp_userid_ok(word)))
        return cp_fail(req, MSG_CMD026E);
    snprintf(userid, sizeof userid, "%s", strcmp(word, "*") ? word : c->user->userid);
    word = cp_operand(req);
    int rc = 0;
    if (!is_vdev(word, &vdev))
        return cp_fail(req, MSG_CPL022E);
    if ((rc = cp_no_more(req)))
        return rc;
    if (*c->only && strcmp(c->only, userid))
        return cp_fail(req, MSG_CPL2793E, c->user->userid, c->vdev, userid);
    part_and_tell(req, c);
    bool away = !cp_user_find(cp, userid) && cp->cluster &&
                cp->cluster->locate(cp->cluster_ctx, userid, member) &&
                strcasecmp(member, cp->config->member) != 0;
    return away ? cp_ctc_ask(req, c, member, userid, vdev) : couple_here(req, c, userid, vdev);
}

/* UNCOUPLE vdev */
int cp_uncouple_ctca(struct cp_request *req, struct cp_ctca *c)
{
    int rc = cp_no_more(req);
    if (rc)
        return rc;
    if (!c->peer && !c->link)
        return cp_fail(req, MSG_CPL2796E, c->vdev);
    part_and_tell(req, c);
    return 0;
}

/* --- QUERY ---------------------------------------------------------------------------------- */

void cp_ctca_row(struct cp_request *req, struct cp_ctca *c)
{
    bool open = c->peer || (c->link && cp_ctc_open(c->link));
    char pair[40] = "NOT COUPLED";
    if (open)
        snprintf(pair, sizeof pair, "COUPLED TO %-8s %04X",
                 c->peer ? c->peer->user->userid : cp_ctc_user(c->link),
                 c->peer ? c->peer->vdev : cp_ctc_vdev(c->link));
    cp_line(req, "CTCA %04X %s %s SUBCHANNEL = %04X", c->vdev, pair,
            c->type == CTCA_3088 ? "3088" : ctca_type_name((enum ctca_type)c->type),
            (unsigned)c->user->cp->ports.vm->subchannel(c->user->vm, c->vdev) & 0xffff);
}

unsigned cp_ctca_rows(struct cp_request *req, struct cp_user *user)
{
    unsigned n = 0;
    for (u32 from = 0; from <= 0xffff; n++) {
        struct cp_ctca *next = NULL;
        for (struct cp_ctca *c = user->ctcas; c; c = c->next)
            if (c->vdev >= from && (!next || c->vdev < next->vdev))
                next = c;
        if (!next)
            break;
        cp_ctca_row(req, next);
        from = next->vdev + 1u;
    }
    return n;
}
