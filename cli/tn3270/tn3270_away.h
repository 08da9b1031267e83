/* Terminals of users on other members. A terminal stays connected to the member that it is on, its
 * home. When its user is relocated, a stand-in at the user's member goes on with the screen, from
 * where its state says; records go between the two over the SSI links (service TERMINAL).
 *
 *   home:    CONSOLE or DISPLAY --frozen--> AWAY --stand-in's HERE--> AWAY, attached
 *                    ^                |       |                             |
 *                    +--it stays------+       +-------the user is back------+
 *   stand-in: frozen until ATTACHED, then CONSOLE or DISPLAY; frozen again when the user goes on.
 *
 * [F1] Keys are numbered at home and kept there until the user's end says that they were carried
 * out, as does the state that is relocated: each is carried out once, in order. [F2] Screens
 * are numbered by the user's end; when home has not had all of them, all is drawn again, the input
 * area too: who pressed a key may still wait for it.
 * [F3] `epoch`, the generation of the claim on the user id, grows with each move: what comes from a
 * member that the user has left is not heard. [F4] What is drawn while keys wait does not unlock
 * the keyboard, which the terminal locked with the last of them: their answers do.
 * [F5] What a link cannot take waits, in order, until it can or is lost; when there is no link, or
 * too much waits, home shows the logon screen, and a stand-in closes. Loop thread. */
#ifndef ENDICOTT_CLI_TN3270_AWAY_H
#define ENDICOTT_CLI_TN3270_AWAY_H

#include "hyp/cp_terminal.h"

struct tn_conn;
struct tn3270;
struct ssi;

#define TN_AWAY_SERVICE 12                  /* of the cluster */
#define TN_AWAY_KEYS_MAX 256                /* that wait at home */
#define TN_AWAY_WAIT_MS 30000               /* for the member that the user goes to to say so */
#define TN_AWAY_UNSENT_BYTES_MAX (8u << 20) /* that wait for links with too much to send */
#define TN_AWAY_UNSENT_LAST_BYTES (1u << 20) /* more, for the words that an end is no more */

struct tn_key; /* typed, and not known to be carried out */

/** Part of a connection. */
struct tn_away {
    bool standin;         /* no terminal of its own: this is the user's end */
    bool frozen;          /* the user is between members, or the other end is being asked */
    char peer[9];         /* the member of the other end; "": none, or not known yet */
    u64 id;               /* home's number of the terminal */
    u64 epoch;            /* of the latest HERE */
    u64 typed, done, out; /* keys typed; carried out; screens */
    u64 awaited;          /* stand-in: the last key that home kept for it; ATTN is none */
    u64 given, taken;     /* bytes of screens; stand-in: what home has, and its terminal took */
    struct tn_key *keys;  /* home: behind `done` */
    unsigned key_count;
};

void tn_away_close(struct tn3270 *s);

/** A key of a terminal, or (`record` NULL) ATTN. True: it is not for now and here, and kept. */
bool tn_away_key(struct tn_conn *c, const u8 *record, size_t len);
/** A record for a stand-in's terminal. */
void tn_away_send(struct tn_conn *c, const u8 *record, size_t len);
/** Does a key that locked the terminal's keyboard wait to be carried out? */
bool tn_away_key_waits(const struct tn_conn *c);
/** The terminal has taken all that home had for it. */
void tn_away_sent(struct tn_conn *c);
/** Stand-in: the terminal gets the logon screen (c->goodbye: for good). */
void tn_away_leave(struct tn_conn *c, const char *text, bool alarm);
/** Home: nothing is far away any more; the connection shows the logon screen or ends. */
void tn_away_forget(struct tn_conn *c);
/** The connection closes: the other end is told. */
void tn_away_end(struct tn_conn *c);

#endif
