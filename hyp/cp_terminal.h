/* What a display terminal needs to know of the user whose console it shows. Loop thread. */
#ifndef ENDICOTT_HYP_CP_TERMINAL_H
#define ENDICOTT_HYP_CP_TERMINAL_H

#include "hyp/cp.h"

#define CP_PF_KEYS 24
#define CP_PF_BYTES_MAX 135
#define CP_RETRIEVE_LINES_MAX 15

enum cp_pf_kind { CP_PF_UNDEFINED, CP_PF_IMMED, CP_PF_DELAYED, CP_PF_RETRIEVE, CP_PF_FORWARD };

/** A PF key: what it types, at once or to go on with, or which typed line it brings back. */
struct cp_pf {
    enum cp_pf_kind kind;
    char text[CP_PF_BYTES_MAX + 1];
};

struct cp_terminal_view {
    unsigned ldev;        /* a number of its own for each LOGON and reconnection */
    bool connected;       /* by that LOGON, and not disconnected since */
    unsigned more_s;      /* TERMINAL MORE: until the alarm */
    unsigned more_warn_s; /* and from it until the screen is cleared */
    char linend;          /* #; 0 = off */
    bool cp_read;         /* input goes to CP */
    bool hold;            /* Enter at MORE... holds the screen */
    bool breakin_guest;   /* CP's lines wait until the guest's screen is left */
    int break_pf;         /* BRKKEY: this PF key, 0: PA1, -1: none */
};

struct cp_terminal_view cp_terminal_view(const struct cp_user *user);
/** Key `n`, from 1; valid until the user's next SET PF. */
const struct cp_pf *cp_terminal_pf(const struct cp_user *user, unsigned n);
/** A line typed at a display terminal: line editing (TERMINAL CHARDEL, LINEDEL, ESCAPE;
 *  SET LINEDIT), then as cp_console_input, for each of its logical lines up to one that cannot be
 *  taken: *left is it and what is behind it, in `text`. */
int cp_terminal_input(struct cp *cp, const char *userid, const char *text, const char **left);
/** Terminals as a relocation needs them. They stay connected to the member that they are on, their
 *  home, and are shown what a user of another member shows. */
struct cp_terminal_ops {
    /* The user's state is about to be saved: show all there is, then let keys wait. */
    void (*freeze)(void *ctx, struct cp_user *user);
    /* It stays here after all. */
    void (*thaw)(void *ctx, struct cp_user *user);
    /* A row of `tag` for each of its terminals. */
    void (*save)(void *ctx, struct cp_user *user, u16 tag, struct codec_out *out);
    /* It has gone to another member, and its session here ends. */
    void (*departed)(void *ctx, struct cp_user *user);
    /* It has come, and this is the row of one of its terminals. What cannot be connected is as a
     * terminal that was lost. */
    void (*arrived)(void *ctx, struct cp_user *user, const u8 *row, size_t len);
    /* Members that its terminals are connected to, by number; false: no more. */
    bool (*home)(void *ctx, const struct cp_user *user, unsigned i,
                 char member[CONFIG_NAME_BYTES]);
};
/** `ops` outlives the CP; NULL: there are none (any more). */
void cp_set_terminals(struct cp *cp, const struct cp_terminal_ops *ops, void *ctx);
/** Members that a terminal of the user is connected to; false: no more. */
bool cp_user_terminal_home(const struct cp_user *user, unsigned i,
                           char member[CONFIG_NAME_BYTES]);

/** Is it between two members: its state has been saved? */
bool cp_terminal_frozen(const struct cp *cp, const char *userid);
/** Is it this one, or one that things can be sent to? */
bool cp_member_is_reachable(struct cp *cp, const char *member);

/** The terminal of this user is gone without DISCONNECT or LOGOFF: the user is disconnected, and
 *  logged off after DISCONNECT_TIMEOUT unless somebody logs on again. */
void cp_terminal_lost(struct cp *cp, const char *userid);

#endif
