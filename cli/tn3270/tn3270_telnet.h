/* Telnet as TN3270 uses it: TN3270E (RFC 2355) where the client agrees; else (RFC 854, 855,
 * 885, 856, 1091, 1576, 1646) negotiation of terminal type, end of record and binary in both
 * directions. Then records. Every other option is refused. Pure: bytes in, callbacks out. */
#ifndef ENDICOTT_CLI_TN3270_TELNET_H
#define ENDICOTT_CLI_TN3270_TELNET_H

#include "cli/tn3270/tn3270_stream.h"

#define TELNET_RECORD_BYTES_MAX 8192
#define TELNET_PIECE_BYTES 8192
#define TELNET_SUBOPTION_BYTES_MAX 64
#define TELNET_LU_BYTES 9
#define TELNET_TYPES_MAX 8 /* terminal types asked for, one after another */

/** Callbacks. Each may call telnet_stop, none may free the telnet. */
struct telnet_ports {
    void *ctx;
    void (*send)(void *ctx, const u8 *bytes, size_t len);
    void (*ready)(void *ctx, struct tn_size size); /* once: it is a 3270 terminal now */
    void (*record)(void *ctx, const u8 *bytes, size_t len);
    void (*attention)(void *ctx); /* Break or Interrupt Process: the ATTN key */
    /* The client asks for a device by LU name ("": any). Sets the name that it gets; what it
     * returns is 0, or why it gets none (TN3270E reason code). NULL: names are as they come. */
    u8 (*device)(void *ctx, char lu[TELNET_LU_BYTES]);
    /* This can be no 3270 terminal, or breaks the protocol. Nothing is called after it. */
    void (*refuse)(void *ctx, const char *why);
};

enum telnet_option_bits {
    TELNET_ASKED_HIM = 1,
    TELNET_HIS = 2,
    TELNET_ASKED_ME = 4,
    TELNET_MINE = 8
};

struct telnet {
    struct telnet_ports ports;
    u8 state, command;
    bool ready, stopped;
    u8 type, eor, binary; /* telnet_option_bits */
    unsigned types_asked;
    struct tn_size size;
    bool extended; /* the terminal takes extended attributes (-E) */
    bool dynamic;  /* its size is asked for by a query */
    bool e;        /* TN3270E is agreed on: records have a header */
    bool agreed;   /* the classic options are */
    bool e_asked, e_typed;
    char lu[TELNET_LU_BYTES]; /* as asked for, or given by ports.device */
    u8 sub[TELNET_SUBOPTION_BYTES_MAX];
    size_t sub_len; /* more than fits: the suboption is ignored */
    char last_type[TELNET_SUBOPTION_BYTES_MAX];
    u8 record[TELNET_RECORD_BYTES_MAX];
    size_t record_len;
};

/** Begin: asks for TN3270E; who will not is asked for the terminal type. */
void telnet_begin(struct telnet *t, const struct telnet_ports *ports);
/** Bytes from the terminal. */
void telnet_feed(struct telnet *t, const u8 *bytes, size_t len);
/** Call nothing any more. */
void telnet_stop(struct telnet *t);
/** Send a record: IAC doubled, IAC EOR behind it. */
void telnet_send_record(struct telnet *t, const u8 *bytes, size_t len);

/** The screen of a device type: IBM-3277-2, IBM-3278-2 to -5, IBM-3279-2 to -5, with or without
 *  -E, any case; IBM-DYNAMIC counts as model 2 until it has been asked. False: no 3270. */
bool telnet_device_size(const char *type, struct tn_size *out);

#endif
