/* Wire format of service LGR: header, rows of control messages, hashes.
 * Everything that is received is hostile until it went through these decoders. */
#ifndef ENDICOTT_LGR_LGR_WIRE_H
#define ENDICOTT_LGR_LGR_WIRE_H

#include "lgr/lgr_core.h"
#include "mem/base/codec.h"
#include "mem/storage.h"

/* id(8) version(1) stage(1) reserved(2) seq(4); seq counts the messages of one direction */
#define LGR_HEAD_BYTES 16
/* 2: chunks of encoded frames instead of batches of whole ones */
#define LGR_WIRE_VERSION 2
#define LGR_CODEC_LZ4 1u
#define LGR_CODEC_SPARSE 2u
#define LGR_STATE_PIECE_BYTES (256u << 10)
#define LGR_STATE_BYTES_MAX (512u << 20)
#define LGR_REASONS_MAX 32
#define LGR_REASON_BYTES 160

enum lgr_msg {
#define W(id, type, to, what) LGR_MSG_##id = type,
#include "lgr/lgr_wire.def"
#undef W
};

/** Name of a message type, or NULL when there is none. */
const char *lgr_msg_name(u16 type);
/** Does this type go from source to destination? */
bool lgr_msg_to_destination(u16 type);

struct lgr_head {
    u64 id;
    u8 version, stage;
    u32 seq;
};

void lgr_head_store(u8 out[LGR_HEAD_BYTES], const struct lgr_head *head);
bool lgr_head_load(const void *data, size_t len, struct lgr_head *head);

/** Reasons against a relocation: complete message lines. */
struct lgr_reasons {
    unsigned count;
    int number; /* of the first: the return code's second half */
    char line[LGR_REASONS_MAX][LGR_REASON_BYTES];
};
void lgr_reason_add(struct lgr_reasons *reasons, int number, const char *line);

/** Values of control messages; each message uses some. */
struct lgr_values {
    u16 pass;
    bool test, again;               /* OFFER: of VMRELOCATE TEST; once more before quiesce */
    bool synchronous, immediate;    /* SKELETON */
    u64 maxtotal_ms, maxquiesce_ms; /* SKELETON, LIMITS */
    unsigned force;
    u64 generation; /* OFFER: claim of the source; COMMIT: of the destination */
    u64 pages, zeros, messages, digest, bytes, hash;
    u64 keys;       /* FINISH: digest of all storage keys */
    u8 codecs;      /* SKELETON_OK: LGR_CODEC_ bits of what is understood */
    u64 resumed_ns; /* RESUMED: monotonic clock of the destination */
    /* VERDICT, SKELETON_OK: the clock of the destination's host when the question came and when
     * this goes; 0: it tells none. */
    u64 clock_in, clock_out;
    u8 code;
    char by[LGR_NAME_BYTES];
    char text[LGR_TEXT_BYTES];
    struct lgr_guest_info info;
    struct lgr_reasons *reasons; /* VERDICT: the caller's */
    struct lgr_fit fit;          /* VERDICT, PASS_ACK: the check that the destination made */
    bool has_fit;
    struct lgr_crowd crowd; /* SKELETON_OK, PASS_ACK: who computes at the destination */
    bool has_info;
    u8 veto; /* VERDICT: the only reason is what a CP exit has said, which is this code */
};

/** Rows of a message; what a type carries is in lgr_wire.c. */
void lgr_values_put(struct codec_out *out, u16 type, const struct lgr_values *v);
/** False: not acceptable. Values that the message lacks are 0. `reasons` may be NULL. */
bool lgr_values_get(const void *data, size_t len, u16 type, struct lgr_values *v,
                    struct lgr_reasons *reasons);

/** Hash of one frame's bytes, different for every frame number; 0 for zero bytes only. */
u64 lgr_frame_hash(u64 frame, const u8 *bytes);
/** Digest of all storage keys, the same for storage that has the same ones. */
u64 lgr_keys_digest(const struct storage *st);
/** Hash of a byte string. */
u64 lgr_bytes_hash(const u8 *p, size_t len);

#endif
