/* Frames on an SSI link: header, HELLO, reasons of refusal; pure functions over bytes. Header,
 * big-endian: magic 4, version 2, type 2, service 2, mtype 2, length 4, seq 4, crc32 4. A type with
 * SSI_WIRE_CHECKED: behind the header, counted in length, the CRC-32C (4) of the payload. */
#ifndef ENDICOTT_SSI_SSI_WIRE_H
#define ENDICOTT_SSI_SSI_WIRE_H

#include "ssi/ssi_ports.h"

#define SSI_WIRE_MAGIC 0x45535349u /* "ESSI" */
/* HELLO and REFUSE are the same in all versions, and have this one in their headers; what follows
 * is in the greatest version that both sides speak. 1: one connection. 2: bulk streams. 3: checked
 * payloads on connections without TLS, but for bytes that are kept (ssi_stream_send). */
#define SSI_WIRE_BASE 1
#define SSI_WIRE_VERSION_MIN 1
#define SSI_WIRE_VERSION_MAX 3
#define SSI_WIRE_VERSION_STREAMS 2
#define SSI_WIRE_VERSION_CHECKS 3
#define SSI_WIRE_HEADER_BYTES 24
#define SSI_WIRE_CHECKED 0x8000u
#define SSI_WIRE_CHECK_BYTES 4
#define SSI_WIRE_HEAD_BYTES_MAX (SSI_WIRE_HEADER_BYTES + SSI_WIRE_CHECK_BYTES)
#define SSI_HELLO_BYTES_MAX 1024

enum wire_type {
#define W(id, code, min, max, states) WIRE_##id = code,
#include "ssi/ssi_wire.def"
};

enum wire_reason {
#define R(id, code, again, text) REASON_##id = code,
#include "ssi/ssi_wire.def"
};

/* PURPOSE_STREAM: one more connection of a link that both sides know. */
enum wire_purpose { PURPOSE_JOIN = 1, PURPOSE_HEAL = 2, PURPOSE_STREAM = 3 };

/** A decoded header; `payload` points into the receive buffer. `type` and `length` are without the
 *  check. */
struct wire_frame {
    u16 version, type, service, mtype;
    u32 length, seq, check;
    bool checked;
    const u8 *payload;
};

struct wire_hello {
    char cluster[SSI_NAME_BYTES], member[SSI_NAME_BYTES];
    u8 slot, purpose;
    u32 digest;
    u64 incarnation, expected;
    u8 binding[SSI_BINDING_BYTES]; /* of the TLS session; zeros without */
    u16 version_min, version_max;  /* zeros: 1, of a member before there were two */
    u64 link;                      /* number of this link, drawn by the side that calls */
    u8 streams;                    /* bulk streams wanted; in an answer: those of this link */
    u8 stream;                     /* PURPOSE_STREAM: which */
};

enum wire_parse { WIRE_MORE, WIRE_FRAME, WIRE_BAD };

/**
 * Look for one frame in `len` bytes. WIRE_MORE: `*need` bytes make it complete. WIRE_BAD:
 * `*why` says what broke. `payload_max` bounds what is believed of the length.
 */
enum wire_parse ssi_wire_parse(const u8 *p, size_t len, u32 payload_max,
                               struct wire_frame *frame, size_t *need, const char **why);

/** Header, and the check of a frame that has one; the number of bytes. */
size_t ssi_wire_header(u8 out[SSI_WIRE_HEAD_BYTES_MAX], const struct wire_frame *frame);

/** Name of a type, "HELLO"; NULL when there is none. */
const char *ssi_wire_name(u16 type);
/** May this type come in this link state, with this length? NULL or what is wrong. */
const char *ssi_wire_check(const struct wire_frame *frame, unsigned link_state);

void ssi_hello_encode(struct codec_out *out, const struct wire_hello *hello);
/** ST_PROTO when a row is missing, doubled, malformed, or unknown and mandatory. */
int ssi_hello_decode(struct wire_hello *hello, const u8 *p, size_t len);

const char *ssi_reason_text(u16 reason);
bool ssi_reason_again(u16 reason);

#endif
