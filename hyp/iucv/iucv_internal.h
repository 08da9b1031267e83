/* Inside hyp/iucv: ends of paths, messages, interruptions that wait, and the parameter list.
 * struct iucv - Located by: vm->iucv. Created by the first DECLARE BUFFER, destroyed by
 * RETRIEVE BUFFER of the last, reset, end of the machine. Serialised by: the loop thread;
 * members marked so by host->lock. */
#ifndef ENDICOTT_HYP_IUCV_IUCV_INTERNAL_H
#define ENDICOTT_HYP_IUCV_IUCV_INTERNAL_H

#include "hyp/diag/diag.h"
#include "hyp/iucv/iucv.h"
#include "hyp/iucv/iucv_remote.h"

#define IUCV_BYTES 40 /* parameter list, interruption */
#define IUCV_USER_BYTES 16
#define IUCV_LIMIT_DEFAULT 10              /* messages on a path */
#define IUCV_OUTSTANDING_MAX 16384         /* messages of one machine */
#define IUCV_MESSAGE_BYTES_MAX (16u << 20) /* of one: copying is the loop thread's */
#define IUCV_LIST_ENTRIES_MAX 4096
#define PGM_PROTECTION_CODE 0x04

/** Offsets in parameter lists and interruptions. */
enum iucv_at {
    AT_PATH = 0,
    AT_MASK = 0,
    AT_FLAGS = 2,
    AT_RCODE = 3,
    AT_TYPE = 3,
    AT_LIMIT = 4,
    AT_MESSAGE = 4,
    AT_USERID = 8,
    AT_TARGET_CLASS = 8,
    AT_AUDIT = 8,
    AT_BUFFER = 12,
    AT_DATA = 12, /* 8 bytes */
    AT_LENGTH = 16,
    AT_USER = 16,
    AT_SOURCE_CLASS = 20,
    AT_TAG = 24,
    AT_ANSWER = 28,
    AT_ANSWER_LENGTH = 32,
    AT_SYSTEM = 32,
};

/** IPFLAGS1, which means something else for each function. */
enum iucv_flag {
    IUCV_ALL = 0x80,      /* SEVER, QUIESCE, RESUME: every path */
    IUCV_DATA = 0x80,     /* data in the parameter list; CONNECT, ACCEPT: may be */
    IUCV_QUIESCED = 0x40, /* CONNECT, ACCEPT */
    IUCV_LIST = 0x40,     /* the buffer is an address list */
    IUCV_PRIORITY = 0x20,
    IUCV_ONE_WAY = 0x10,
    IUCV_ANSWER_LIST = 0x08,
    IUCV_BY_MESSAGE = 0x04, /* what is searched for */
    IUCV_BY_PATH = 0x02,
    IUCV_BY_CLASS = 0x01,
    IUCV_LOCAL = 0x01, /* CONNECT: on this member */
};

/** IPRCODE. */
enum iucv_rc {
    IUCV_DONE = 0,
    IUCV_BAD_PATH = 1,
    IUCV_PATH_QUIESCED = 2,
    IUCV_LIMIT_REACHED = 3,
    IUCV_NO_PRIORITY = 4,
    IUCV_TOO_SHORT = 5,
    IUCV_OTHER_PROTECTION = 6, /* the other program's buffer */
    IUCV_OTHER_ADDRESSING = 7,
    IUCV_BAD_CLASS = 8,
    IUCV_BAD_LENGTH = 10,
    IUCV_NOT_LOGGED_ON = 11,
    IUCV_NO_BUFFER = 12,
    IUCV_NO_PATHS = 13,
    IUCV_NO_PATHS_THERE = 14,
    IUCV_NOT_AUTHORIZED = 15,
    IUCV_NO_SERVICE = 16,
    IUCV_DECLARED = 19,
    IUCV_GIVEN_UP = 20, /* ACCEPT: who connected has severed */
    IUCV_DATA_NOT_TAKEN = 21,
    IUCV_STORAGE = 92, /* of CP */
};
/** What else a function may come to. */
#define IUCV_CC(n) (-(n))
#define IUCV_PGM(code) (-(0x100 | (code)))

/** IPAUDIT, its first two bytes. */
enum iucv_audit {
    AUDIT_REPLY_TOO_LONG = 0x8000,
    AUDIT_SEND_PROTECTION = 0x4000,
    AUDIT_SEND_ADDRESSING = 0x2000,
    AUDIT_ANSWER_PROTECTION = 0x1000,
    AUDIT_ANSWER_ADDRESSING = 0x0800,
    AUDIT_REJECTED = 0x0400,
    AUDIT_DATA_NOT_TAKEN = 0x0200,
    AUDIT_SEVERED = 0x0008,
};

/** Interruptions by type: IPTYPE. */
enum iucv_type {
    IUCV_CONNECT_PENDING = 1,
    IUCV_CONNECTED = 2,
    IUCV_SEVERED = 3,
    IUCV_WAS_QUIESCED = 4,
    IUCV_RESUMED = 5,
    IUCV_COMPLETE_PRIORITY = 6,
    IUCV_COMPLETE = 7,
    IUCV_PENDING_PRIORITY = 8,
    IUCV_PENDING = 9,
};

struct iucv_path;

/** An interruption that waits. */
struct iucv_item {
    struct iucv_item *next;
    struct iucv_path *path; /* which it is about: of the machine that gets it */
    bool counts;            /* a message that is outstanding until then */
    bool tells;             /* with it the message has been received */
    struct vm *vm;          /* in the note about that */
    u8 data[IUCV_BYTES];
};

/** What one CPU gets. */
struct iucv_cpu {
    bool declared;
    u8 mask, control; /* SET MASK, SET CONTROL MASK */
    u32 at;           /* the buffer: a real address */
};

struct iucv {
    struct vm *vm;
    /* guarded by host->lock: written by the loop thread and with it */
    struct iucv_cpu cpu[VM_CPUS_MAX];
    struct iucv_item *first, **end; /* end NULL: as &first */
    unsigned priorities;            /* of those, about priority messages */
    u32 outstanding;                /* messages it has sent; as in its paths */
    /* [loop] */
    unsigned declared; /* CPUs */
    unsigned path_max;
    struct iucv_path **path; /* by number */
    u32 last_message;
    u64 arrivals; /* messages that have come */
};

enum iucv_state {
    IUCV_ASKED, /* it has connected; the other has to accept */
    IUCV_ASKS,  /* the other has connected, it has to accept */
    IUCV_OPEN,
    IUCV_CUT, /* the other has severed; it has to, too */
};

enum iucv_kind { IUCV_TO_GUEST, IUCV_TO_MESSAGES /* *MSG */, IUCV_TO_MEMBER };

/** One end of a path. Located by own->path; ends by its SEVER. */
struct iucv_path {
    struct iucv *own;
    u16 id;
    enum iucv_state state;
    enum iucv_kind kind;
    struct iucv_path *peer; /* on this member; NULL: there is none (any more) */
    char other[VM_NAME_BYTES];
    bool takes_data,
        quiesced; /* this end: data in parameter lists; nothing may be sent to it */
    bool priority;
    u16 limit;       /* of messages that it has sent and that are outstanding */
    u32 outstanding; /* guarded by host->lock, too */
    struct iucv_message *in, **in_end;   /* to it; end NULL: as &in */
    struct iucv_message *out, **out_end; /* from it */
    /* IUCV_TO_MEMBER */
    char member[IUCV_MEMBER_BYTES];
    u32 link;   /* with `member` and `asked` it tells the path from others */
    bool asked; /* the other end has connected */
    bool peer_takes_data, peer_quiesced;
    u32 sent_bytes, held_bytes; /* of text that waits there, here */
    u32 held_count;
};

/** Located by from->out and to->in; one of them may be NULL. */
struct iucv_message {
    struct iucv_message *in_next, *out_next;
    struct iucv_path *from, *to;
    u64 arrival;
    u32 id, target_class, source_class, tag;
    u8 flags;
    u8 key;         /* of who has sent it, 0xK0 */
    u32 at, length; /* without `bytes`: in the sender's storage */
    u32 answer, answer_length;
    u32 got;       /* so much of it has been received */
    bool received; /* all of it: it waits for its reply */
    u8 data[8];    /* IUCV_DATA */
    u8 *bytes;
    u32 held;        /* bytes that count for a path to another member */
    const u8 *reply; /* while it ends: for the sender's member; not its own */
    u32 reply_length;
};

/** One execution of the instruction. `p` is stored back with condition codes 0 and 1. */
struct iucv_call {
    struct vcpu *v;
    struct iucv *u; /* NULL: DECLARE BUFFER has not been issued */
    u8 key;
    bool stored; /* the list is stored with another condition code, too */
    u8 p[IUCV_BYTES];
};

/** 0, an iucv_rc, IUCV_CC or IUCV_PGM [loop]. */
typedef int iucv_function(struct iucv_call *c);
#define F(code, list, buffer, handler, title) int handler(struct iucv_call *c);
#include "hyp/iucv/iucv_function.def"
#undef F

/* --- iucv.c; [loop] --- */
/** The first buffer is about to be declared. NULL: no memory. */
struct iucv *iucv_create(struct vm *vm);

/* --- iucv_interrupt.c; [loop] --- */
/** One more; `message`: of how many are outstanding until it is presented. NULL: no memory. */
struct iucv_item *iucv_item_make(struct iucv_path *path, enum iucv_type type);
void iucv_item_queue(struct iucv_item *item);
/** A control interruption; user NULL: zeros. Without memory the path's program is not told. */
void iucv_tell(struct iucv_path *path, enum iucv_type type, u8 flags, const u8 *user);
/** Forget those about a path, or about the pending message of a path. */
void iucv_items_drop(struct iucv_path *path);
bool iucv_item_drop_pending(struct iucv_path *path, u32 message);
/** The first that is one of types `first` to `last` and fits the list's search; unlinked if `take`.
 *  Its data. */
typedef bool iucv_fits(const struct iucv_item *item, const struct iucv_call *c);
bool iucv_item_find(struct iucv_call *c, enum iucv_type first, enum iucv_type last,
                    iucv_fits *fits, bool take, u8 data[IUCV_BYTES]);

/** What waits, as TEST MESSAGE tells it; 0: nothing, -1: no buffer is declared. Any thread. */
enum { IUCV_HAS_MESSAGES = 1, IUCV_HAS_COMPLETIONS = 2 };
int iucv_waiting(struct vm *vm);

/* --- iucv_path.c; [loop] --- */
struct iucv_path *iucv_path_find(const struct iucv *u, u16 id);
/** NULL: no number is free, or no memory. */
struct iucv_path *iucv_path_create(struct iucv *u, const char *other, enum iucv_kind kind);
/** With that number, which is free. */
struct iucv_path *iucv_path_create_at(struct iucv *u, u16 id, const char *other,
                                      enum iucv_kind kind);
/** This end is gone, the other one is told. */
void iucv_path_sever(struct iucv_path *path, const u8 *user);
void iucv_sever_all(struct iucv *u);
/** A user of another member connects, authorized by a statement of his own (`by`) or not: the new
 *  end here, or an iucv_rc. */
int iucv_path_asked(struct vm_host *host, const char *user, const char *from, bool by,
                    struct iucv_path **out);

/* --- iucv_message.c; [loop] --- */
/** A message into the list of its receiver, whose program is told. False: no memory; it is
 *  freed. */
bool iucv_message_arrive(struct iucv_message *m, struct iucv_path *to);
/** It is over: its sender is told, or not when the path ends there. */
void iucv_message_end(struct iucv_message *m, u16 audit, u32 residual, const u8 *data);
/** Without telling anybody. */
void iucv_message_free(struct iucv_message *m);
/** An interruption has handed over the message. */
void iucv_message_shown(struct vm *vm, u16 path, u32 message);

/* --- iucv_service.c; [loop] --- */
/** A one-way message of CP, of which `got` bytes have been received; a copy. False: no memory. */
bool iucv_message_queue(struct iucv_path *to, u32 id, u32 target_class, const u8 *bytes,
                        u32 length, u32 got);

/* --- iucv_remote.c; [loop] --- */
/** False: the member is not there. */
bool iucv_remote_connect(struct iucv_path *path, bool by, u8 flags, const u8 *user);
/** The other end is told: CONNECTED, SEVERED, WAS_QUIESCED, RESUMED. */
void iucv_remote_tell(struct iucv_path *path, enum iucv_type type, u8 flags, const u8 *user);
/** Its text is taken and goes there. An iucv_rc; the message is the caller's then. */
int iucv_remote_send(struct iucv_message *m);
/** A message from there has been received, or its end; it is forgotten there. */
void iucv_remote_done(const struct iucv_message *m, u16 audit, u32 residual, const u8 *data);
void iucv_remote_purge(const struct iucv_message *m);

/* --- iucv_storage.c; any thread --- */
/** A buffer or an address list of a machine; absolute addresses. */
struct iucv_area {
    struct vm *vm;
    u8 key; /* 0xK0 */
    bool list;
    u32 at, length;
};
/** Bytes from `from` on; all or nothing. 0, or the code of a program interruption. */
int iucv_area_load(const struct iucv_area *area, u32 from, void *out, u32 length);
int iucv_area_store(const struct iucv_area *area, const void *in, u32 length);
/** May a program with that key store there? */
int iucv_storage_check(struct vm *vm, u64 at, u32 length, u8 key, bool store);

#endif
