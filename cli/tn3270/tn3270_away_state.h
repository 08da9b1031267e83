/* What a terminal shows, as a row of a relocation stream: the screen as far as it is drawn, its
 * position in the console, MORE..., what RETRIEVE brings back. Loop thread. */
#ifndef ENDICOTT_CLI_TN3270_AWAY_STATE_H
#define ENDICOTT_CLI_TN3270_AWAY_STATE_H

#include "cli/tn3270/tn3270_screen.h"
#include "hyp/cp_terminal.h"

struct tn_conn;
struct tn_typed;

/** Decoded. Which terminal, how many keys are done and screens sent; and what it shows. */
struct tn_away_state {
    char home[9];
    u64 id, done, out;
    u16 dialed; /* a display of the machine; 0: CP's screen, or the console's display */
    bool extended, holding, warned, not_accepted, full, breakin, in_step;
    struct tn_size shown; /* of the display */
    char lu[9];
    struct tn_screen *screen; /* owned */
    struct tn_typed *typed;   /* owned */
};

void tn_away_save(struct tn_conn *c, u16 tag, struct codec_out *out);
/** False: damaged, and nothing is left in `state`. */
bool tn_away_decode(const u8 *row, size_t len, struct tn_away_state *state);
void tn_away_fini(struct tn_away_state *state);
/** Into a connection, for the user that has come; `all`: the terminal may show something else. */
void tn_away_restore(struct tn_conn *c, struct cp_user *user, const struct tn_away_state *state,
                     bool all);
/** The terminal is to be drawn anew, but for what is being typed. */
void tn_away_redraw(struct tn_conn *c);

#endif
