/* One directory for all members. Each change has a generation, and each version a digest; members
 * tell one another what they have, at a join and after a change, and who is behind takes the text
 * from who is ahead, over the link: it does not matter whether, and when, it sees the other's file.
 *
 * Invariants:
 *   [G1] Nobody takes a version that its own is not a predecessor of: who has changed the
 *        directory while it could not be seen is told apart, not overwritten.
 *   [G2] While a newer version is known and not yet online here, nobody logs on here.
 *   [G3] What a peer sends is online only when its digest is that which was told.
 *   [G4] A file that was edited and never put online is not the cluster's directory: who joins with
 *        one takes what is online there. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_directory.h"
#include "ssi/ssi.h"

#define PIECE_BYTES (256u << 10)

enum { TYPE_HAVE = CP_DIRECTORY_TYPES, TYPE_WANT, TYPE_TEXT };
enum {
    ROW_GENERATION = CODEC_MANDATORY | 1,
    ROW_DIGEST = CODEC_MANDATORY | 2,
    ROW_PAST = CODEC_MANDATORY | 3, /* generations and digests, in turns */
    ROW_TOTAL = CODEC_MANDATORY | 4,
    ROW_OFFSET = CODEC_MANDATORY | 5,
    ROW_BYTES = CODEC_MANDATORY | 6,
    ROW_BY_HAND = 7,
};

/* What another member has, and we do not yet. Located by cp->incoming; from a HAVE to the last
 * TEXT, or until that member is lost. */
struct cp_directory_incoming {
    char from[CONFIG_NAME_BYTES];
    struct dir_versions versions;
    char *text;
    u32 total, len;
};

/* --- which is newer --------------------------------------------------------------------------- */

enum relation { SAME, BEHIND, AHEAD, DIVERGED };

/* Was `old` online before `new`? Of what is from before all that is known, nobody can tell. */
static bool is_past(const struct dir_versions *new, const struct dir_versions *old)
{
    for (unsigned i = 0; i < new->past_count; i++)
        if (new->past[i].generation == old->now.generation &&new->past[i].digest ==
            old->now.digest)
            return true;
    return false;
}

static enum relation relation(const struct dir_versions *mine,
                              const struct dir_versions *theirs)
{
    if (mine->now.digest == theirs->now.digest)
        return SAME;
    if (mine->now.generation < theirs->now.generation)
        return is_past(theirs, mine) ? BEHIND : DIVERGED;
    if (mine->now.generation > theirs->now.generation)
        return is_past(mine, theirs) ? AHEAD : DIVERGED;
    return DIVERGED;
}

/* --- on the wire ---------------------------------------------------------------------------- */

static void put_version(struct codec_out *out, const struct dir_version *v)
{
    codec_put_u64(out, ROW_GENERATION, v->generation);
    codec_put_u64(out, ROW_DIGEST, v->digest);
}

static void put_have(struct codec_out *out, const struct cp *cp)
{
    const struct dir_versions *versions = &cp->online.versions;
    u64 past[2 * DIR_PAST_MAX];
    for (unsigned i = 0; i < versions->past_count; i++) {
        past[2 * i] = versions->past[i].generation;
        past[2 * i + 1] = versions->past[i].digest;
    }
    put_version(out, &versions->now);
    codec_put_array(out, ROW_PAST, past, 8, 2 * (size_t)versions->past_count);
    codec_put_u8(out, ROW_BY_HAND, cp->online.by_hand);
}

static void send(struct cp *cp, const char *member, u16 type, const struct codec_out *out)
{
    if (!out->failed && cp->cluster)
        cp->cluster->send(cp->cluster_ctx, member, type, out->data, out->len);
}

struct wire {
    struct dir_versions versions;
    u32 total, offset;
    const u8 *bytes;
    u32 len;
    u8 by_hand;
};

static bool take_past(struct dir_versions *versions, const struct codec_row *row)
{
    u64 past[2 * DIR_PAST_MAX];
    if (row->len % 16 || row->len > sizeof past || !codec_get_array(row, past, 8, row->len / 8))
        return false;
    versions->past_count = row->len / 16;
    for (unsigned i = 0; i < versions->past_count; i++)
        versions->past[i] = (struct dir_version){past[2 * i], past[2 * i + 1]};
    return true;
}

static bool take_row(void *ctx, const struct codec_row *row)
{
    struct wire *w = ctx;
    switch (row->tag) {
    case ROW_GENERATION: return codec_get_u64(row, &w->versions.now.generation);
    case ROW_DIGEST: return codec_get_u64(row, &w->versions.now.digest);
    case ROW_PAST: return take_past(&w->versions, row);
    case ROW_TOTAL: return codec_get_u32(row, &w->total);
    case ROW_OFFSET: return codec_get_u32(row, &w->offset);
    case ROW_BY_HAND: return codec_get_u8(row, &w->by_hand);
    case ROW_BYTES:
        w->bytes = row->p;
        w->len = row->len;
        return true;
    default: return !(row->tag & CODEC_MANDATORY);
    }
}

static bool decode(struct wire *w, const void *data, size_t len)
{
    *w = (struct wire){0};
    return codec_take_all(data, len, take_row, w);
}

/* --- telling ------------------------------------------------------------------------------- */

static bool takes_part(const struct cp *cp)
{
    return cp->directory_path[0] && cp->cluster;
}

static void tell_member(struct cp *cp, const char *member)
{
    struct codec_out out;
    codec_out_init(&out);
    put_have(&out, cp);
    send(cp, member, TYPE_HAVE, &out);
    codec_out_fini(&out);
}

void cp_directory_tell_all(struct cp *cp)
{
    struct cp_cluster_member m;
    for (unsigned i = 0; takes_part(cp) && cp->cluster->member(cp->cluster_ctx, i, &m); i++)
        if (m.name[0] && !m.local && m.reachable)
            tell_member(cp, m.name);
}

static void told(struct cp *cp, enum msg_id id, const char *member, const char *text)
{
    char line[MSG_LINE_BYTES];
    msg_format(line, sizeof line, id, member, text);
    cp_operator_tell(cp, "%s", line);
}

/* --- catching up ----------------------------------------------------------------------------- */

static void forget_incoming(struct cp *cp)
{
    struct cp_directory_incoming *in = cp->incoming;
    if (!in)
        return;
    if (in->text)
        explicit_bzero(in->text, in->len);
    free(in->text);
    free(in);
    cp->incoming = NULL;
}

bool cp_directory_behind(const struct cp *cp)
{
    return cp->incoming || cp->online.yields;
}

static void want(struct cp *cp, const char *member, const struct dir_versions *versions)
{
    struct codec_out out;
    forget_incoming(cp);
    cp->incoming = calloc(1, sizeof *cp->incoming);
    if (!cp->incoming)
        return;
    snprintf(cp->incoming->from, sizeof cp->incoming->from, "%s", member);
    cp->incoming->versions = *versions;
    codec_out_init(&out);
    put_version(&out, &versions->now);
    send(cp, member, TYPE_WANT, &out);
    codec_out_fini(&out);
}

/* The file is the same one, perhaps, and seen by now. */
static bool file_has(struct cp *cp, u64 digest)
{
    struct cause cause;
    char *text = scan_file(cp->directory_path, &cause);
    bool has = text && dir_text_digest(text) == digest;
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
    return has;
}

static void catch_up(struct cp *cp, const char *member, const struct dir_versions *theirs)
{
    struct cause cause;
    char number[24];
    if (file_has(cp, theirs->now.digest) && !cp_directory_load(cp, &cause) &&
        cp->online.versions.now.digest == theirs->now.digest) {
        cp->online.versions = *theirs;
        forget_incoming(cp);
        snprintf(number, sizeof number, "%llu", (unsigned long long)theirs->now.generation);
        told(cp, MSG_DRM606I, number, member);
        return;
    }
    want(cp, member, theirs);
}

static void take_have(struct cp *cp, const char *member, const struct wire *w)
{
    struct dir_versions *mine = &cp->online.versions;
    enum relation how = relation(mine, &w->versions);
    if (how != SAME && cp->online.yields)
        how = BEHIND; /* [G4] */
    else if (how == DIVERGED && w->by_hand)
        return; /* it takes ours */
    switch (how) {
    case SAME:
        cp->online.yields = false;
        if (w->versions.now.generation > mine->now.generation)
            *mine = w->versions;
        break;
    case BEHIND: catch_up(cp, member, &w->versions); break;
    case AHEAD: tell_member(cp, member); break;
    case DIVERGED: told(cp, MSG_DRM607E, member, CP_DIRECTORY_MEND); break;
    }
}

static void take_want(struct cp *cp, const char *member, const struct wire *w)
{
    const char *text = cp->online.text;
    size_t total = text ? strlen(text) : 0;
    if (w->versions.now.digest != cp->online.versions.now.digest) {
        tell_member(cp, member); /* it has changed meanwhile */
        return;
    }
    for (size_t at = 0; at < total; at += PIECE_BYTES) {
        struct codec_out out;
        codec_out_init(&out);
        put_version(&out, &cp->online.versions.now);
        codec_put_u32(&out, ROW_TOTAL, (u32)total);
        codec_put_u32(&out, ROW_OFFSET, (u32)at);
        codec_put_bytes(&out, ROW_BYTES, text + at,
                        total - at < PIECE_BYTES ? total - at : PIECE_BYTES);
        send(cp, member, TYPE_TEXT, &out);
        codec_out_fini(&out);
    }
}

/* All of it is here. [G3] */
static void complete(struct cp *cp, struct cp_directory_incoming *in)
{
    struct cause cause = {0};
    char number[24];
    int status = dir_text_digest(in->text) == in->versions.now.digest
                     ? cp_directory_take(cp, in->text, in->from, &in->versions, &cause)
                     : cause_set(&cause, ST_PROTO, "it came damaged");
    snprintf(number, sizeof number, "%llu", (unsigned long long)in->versions.now.generation);
    if (status)
        told(cp, MSG_DRM607E, in->from, cause.text);
    else
        told(cp, MSG_DRM606I, number, in->from);
    forget_incoming(cp);
}

static void take_text(struct cp *cp, const char *member, const struct wire *w)
{
    struct cp_directory_incoming *in = cp->incoming;
    if (!in || strcasecmp(in->from, member) != 0 ||
        in->versions.now.digest != w->versions.now.digest || w->offset != in->len || !w->len ||
        w->total > SCAN_FILE_BYTES_MAX || w->len > w->total - in->len ||
        (in->text && w->total != in->total))
        return;
    if (!in->text)
        in->text = calloc(1, (size_t)w->total + 1);
    if (!in->text)
        return;
    in->total = w->total;
    memcpy(in->text + in->len, w->bytes, w->len);
    in->len += w->len;
    if (in->len == in->total)
        complete(cp, in);
}

void cp_directory_receive(struct cp *cp, const char *member, u16 type, const void *data,
                          size_t len)
{
    struct wire w;
    if (!takes_part(cp) || !decode(&w, data, len))
        return;
    if (type == TYPE_HAVE)
        take_have(cp, member, &w);
    else if (type == TYPE_WANT)
        take_want(cp, member, &w);
    else if (type == TYPE_TEXT)
        take_text(cp, member, &w);
}

void cp_directory_lost(struct cp *cp, const char *member)
{
    if (cp->incoming && !strcasecmp(cp->incoming->from, member))
        forget_incoming(cp);
    cp->online.yields = false; /* there is nothing to be had */
}

void cp_directory_ssi_fini(struct cp *cp)
{
    forget_incoming(cp);
}

/* --- at a join -------------------------------------------------------------------------------- */

void cp_directory_export(struct cp *cp, struct codec_out *out)
{
    if (takes_part(cp))
        put_have(out, cp);
}

/* [G4] Of the two, is it the one that joins which has been edited by hand? */
static bool yields(struct cp *cp, const char *member, const struct wire *w)
{
    const char *mode = cp->cluster->mode(cp->cluster_ctx);
    bool joins = mode && !strcmp(mode, "Isolated"); /* this one does */
    if (!joins)
        return w->by_hand;
    cp->online.yields = cp->online.by_hand;
    if (cp->online.yields)
        told(cp, MSG_DRM608W, cp->config->member, member);
    return cp->online.yields;
}

int cp_directory_check(struct cp *cp, const char *member, const void *data, size_t len,
                       struct cause *cause)
{
    struct wire w;
    if (!takes_part(cp) || !len)
        return ST_OK; /* of a release that does not tell */
    if (!decode(&w, data, len))
        return cause_set(cause, ST_PROTO, "what %s tells of its directory is damaged", member);
    cp_directory_refresh(cp);
    if (relation(&cp->online.versions, &w.versions) != DIVERGED || yields(cp, member, &w))
        return ST_OK;
    return cause_set(cause, ST_REFUSED,
                     "user.direct of %s is not the directory that is online at the other "
                     "member of %s and %s, nor one that was; " CP_DIRECTORY_MEND,
                     member, member, cp->config->member);
}

void cp_directory_joined(struct cp *cp, const char *member)
{
    if (takes_part(cp))
        tell_member(cp, member);
}

static void service_export(void *ctx, struct codec_out *out)
{
    cp_directory_export(ctx, out);
}

static int service_check(void *ctx, const char *member, const void *data, size_t len,
                         struct cause *cause)
{
    return cp_directory_check(ctx, member, data, len, cause);
}

static void service_joined(void *ctx, const char *member)
{
    cp_directory_joined(ctx, member);
}

static void service_receive(void *ctx, const char *from, u16 type, const void *data, size_t len)
{
    (void)ctx, (void)from, (void)type, (void)data, (void)len; /* service CP has the messages */
}

int cp_directory_register(struct cp *cp, struct ssi *ssi)
{
    static const struct ssi_service service = {
        .id = CP_DIRECTORY_SERVICE,
        .name = "DIRECTORY",
        .export_join = service_export,
        .check_join = service_check,
        .member_joined = service_joined,
        .receive = service_receive,
    };
    return ssi_register_service(ssi, &service, cp);
}
