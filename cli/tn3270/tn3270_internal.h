/* Inside of the TN3270 server: connections and what they show.
 *
 *   NEGOTIATING --3270--> LOGO --LOGON--> LOGGING_ON --well--> CONSOLE
 *        |                 ^                  |                  | LOGOFF, DISCONNECT,
 *   (too many) NOTICE      +-----refused------+                  | LOGON HERE elsewhere
 *                          +-------------------------------------+
 *
  * A connection that ends in CONSOLE disconnects its user. In CONSOLE the terminal shows CP's
  * screen, or (`full`) the guest's 3270 display. AWAY: the user has been relocated, and another
  * member makes the screens (tn3270_away.h). Without a member there is neither logon nor
  * CP: DISPLAY shows a display of the machine, from negotiation to the end. */
#ifndef ENDICOTT_CLI_TN3270_INTERNAL_H
#define ENDICOTT_CLI_TN3270_INTERNAL_H

#include <uv.h>

#include "cli/member_internal.h"
#include "cli/tn3270/tn3270.h"
#include "cli/tn3270/tn3270_away.h"
#include "cli/tn3270/tn3270_screen.h"
#include "cli/tn3270/tn3270_telnet.h"
#include "cli/tn3270/tn3270_tls.h"
#include "hyp/cp_terminal.h"
#include "io/con3270.h"

enum tn_mode {
    TN_NEGOTIATING,
    TN_NOTICE,
    TN_LOGO,
    TN_LOGGING_ON,
    TN_CONSOLE,
    TN_DISPLAY,
    TN_AWAY
};

struct tn_logon; /* tn3270_logon.c */

/* A LOGON whose password is asked for. */
struct tn_ask {
    bool waits;
    char userid[CONFIG_NAME_BYTES], by[CONFIG_NAME_BYTES]; /* by "": with its own password */
    bool here, noipl;
};

/* What was typed at a terminal, for RETRIEVE: the newest is line (count - 1) of the ring. */
struct tn_typed {
    char line[CP_RETRIEVE_LINES_MAX][TN_INPUT_BYTES];
    unsigned count, back; /* lines ever typed; how far the keys have gone back */
};

/* One terminal. Located by: tn3270->conns. Created by on_connection, destroyed when its handle
 * has closed. Serialised by the loop thread. */
struct tn_conn {
    struct tn_conn *next;
    struct tn3270 *server;
    uv_tcp_t tcp;
    uv_timer_t clock;
    unsigned handles; /* open ones of the two */
    bool closing;
    bool goodbye;     /* close when all is sent */
    bool turned_away; /* more than TN3270_TERMINALS_MAX */
    struct telnet telnet;
    struct tn_tls *tls; /* NULL: in clear */
    bool begun;         /* negotiation: at once, or after the handshake */
    struct tn_size size;
    enum tn_mode mode;
    bool timer; /* `clock` runs: of negotiation or notice, or MORE... */
    void (*fire)(struct tn_conn *c);
    struct tn_logon *logon;
    unsigned bad_logons;
    bool form; /* Clear: commands are asked for, not USERID and PASSWORD */
    struct tn_ask ask;
    /* CONSOLE: */
    char user[DIR_NAME_BYTES];
    unsigned ldev; /* the user is ours as long as this is its terminal */
    struct console *console;
    u64 observer;
    struct tn_screen screen;
    bool dirty;         /* the console has news, or the screen could not be sent */
    bool holding;       /* Enter at MORE... */
    bool warned;        /* the alarm of MORE... was sounded */
    bool not_accepted;  /* shown until the next key */
    const char *status; /* that was shown, but for MORE... */
    bool full;          /* the guest's display is shown, not CP's screen */
    bool breakin;       /* CP wrote while the display was shown: until Clear, or MORE */
    struct tn_typed typed;
    /* a display is shown: */
    unsigned display;     /* DISPLAY: which one of the server's, from 1; 0: none */
    u16 dialed;           /* DISPLAY of a member: device of `user`'s machine; 0: none */
    u64 cursor;           /* what of its writes has been sent */
    struct tn_size shown; /* its size when it was last drawn */
    struct tn_away away;  /* the other end, when the user is on another member */
};

struct tn3270 {
    struct tn3270_config config;
    struct member *member; /* of config */
    uv_tcp_t listener;
    bool closing, listener_closed;
    unsigned port;
    struct tn_tls_server *tls; /* NULL: in clear */
    struct tn_conn *conns;
    unsigned conn_count;
    unsigned last_lu;         /* given to a terminal that asked for none */
    u64 last_id;              /* of connections: never the same for two */
    struct ssi *ssi;          /* NULL: no cluster */
    struct tn_unsent *unsent; /* to other members; the oldest first */
    size_t unsent_bytes;
    u8 plain[4096], cipher[16384]; /* on their way through TLS */
    u8 in[16384];                  /* what libuv reads into: one connection at a time */
    u8 record[1 + CON3270_RECORD_BYTES_MAX]; /* of a display, on its way to telnet */
};

/* ---- tn3270.c: connections ---- */
void tn_conn_send(struct tn_conn *c, const struct tn_out *out);
void tn_conn_send_record(struct tn_conn *c, const u8 *bytes, size_t len);
/** Unsent bytes of a terminal that is slow. */
size_t tn_conn_backlog(const struct tn_conn *c);
void tn_conn_close(struct tn_conn *c);
void tn_conn_timer(struct tn_conn *c, u64 ms, void (*fire)(struct tn_conn *c));
/** A screen that says something, and the end of the connection some seconds later. */
void tn_conn_notice(struct tn_conn *c, const char *text);
void tn_conn_timer_stop(struct tn_conn *c);
/** A key, or ATTN (`record` NULL): what it does. */
void tn_conn_key(struct tn_conn *c, const u8 *record, size_t len);
/** Show what is new. */
void tn_conn_recheck(struct tn_conn *c);
/** A connection for a terminal of another member; NULL: no memory. */
struct tn_conn *tn_conn_standin(struct tn3270 *s);

/* ---- tn3270_logon.c: the logon screen ---- */
void tn_logo_show(struct tn_conn *c, const char *message, bool alarm);
void tn_logo_key(struct tn_conn *c, const struct tn_in *in);
/** The connection closes while LOGON is under way: who logs on is disconnected at once. */
void tn_logon_abandon(struct tn_conn *c);

/* ---- tn3270_display.c: a guest's 3270 display ---- */
/** The machine's display for this terminal: the one with its LU name, or one that is free. */
void tn_display_begin(struct tn_conn *c);
/** The LU name of the display that the terminal will get, by the name it asked for ("": any).
 * False: none is free. */
bool tn_display_name(const struct tn_conn *c, char lu[TN3270_LU_BYTES]);
/** DIAL: a display of the user's machine that has no terminal, `vdev` or (0) any. False, with
 * what is to be said (MSG_LINE_BYTES). */
bool tn_display_dial(struct tn_conn *c, const char *userid, u16 vdev, char *text);
/** Has the display that was dialed gone? Then the logon screen is shown. */
bool tn_display_dropped(struct tn_conn *c);
bool tn_display_known(const struct tn3270 *s, const char *lu);
/** The display this terminal shows, or may show; NULL: none, or no more. */
struct con3270 *tn_display_of(struct tn_conn *c);
/** Send what the guest has written since. */
void tn_display_show(struct tn_conn *c);
void tn_display_key(struct tn_conn *c, const u8 *record, size_t len);
void tn_display_end(struct tn_conn *c);

/* ---- tn3270_console.c: CP's screen ---- */
/** `userid` has been logged on, or reconnected, by this terminal. */
void tn_console_begin(struct tn_conn *c, struct cp_user *user);
/** `user` has come with this terminal, whose screen is known. */
void tn_console_resume(struct tn_conn *c, struct cp_user *user);
void tn_console_key(struct tn_conn *c, const struct tn_in *in);
/** The user's guest has written to its display: is it to be shown now? */
bool tn_console_full(struct tn_conn *c);
/** Is this the key that leaves the guest's screen for CP (TERMINAL BRKKEY)? */
bool tn_console_break_key(struct tn_conn *c, u8 aid);
/** The ATTN key. */
void tn_console_attention(struct tn_conn *c);
/** Is the user still ours? Show what is new. */
void tn_console_recheck(struct tn_conn *c);
/** The connection closes: let go of the console, and disconnect the user if CP lives on. */
void tn_console_end(struct tn_conn *c, bool disconnect);
/** DISCONNECT as `userid`. */
void tn_disconnect(struct member *m, const char *userid);

#endif
