/* Relocation commands of CP, and what ties the engine to CP. Internal to lgr. */
#ifndef ENDICOTT_LGR_LGR_CMD_H
#define ENDICOTT_LGR_LGR_CMD_H

#include "hyp/cp.h"
#include "lgr/lgr_core.h"

/* Created by lgr_create, destroyed by lgr_destroy; the ctx of guests and commands. */
struct lgr_cmd {
    struct cp *cp;
    struct lgr *lgr;
};

int lgr_cmd_register(struct lgr_cmd *c);

/** Guests as CP has them; its functions' ctx is a struct lgr_cmd. */
extern const struct lgr_guests lgr_cp_guests;

/** CP exits in that table: lgr_cp_exit.c. */
bool lgr_exit_active(void *ctx, enum lgr_exit point);
void *lgr_exit_begin(void *ctx, enum lgr_exit point, const struct lgr_exit_facts *facts,
                     void (*done)(void *arg, enum lgr_code code, const char *text), void *arg);
void lgr_exit_forget(void *ctx, void *run);

/** QUERY and SET VMRELOCATE: lgr_set.c. */
int lgr_query_vmrelocate(struct cp_request *req, void *ctx);
int lgr_set_vmrelocate(struct cp_request *req, void *ctx);
/** SET RELOCATION and QUERY RELOCATION for one of its options: lgr_option.c. */
int lgr_set_relocation(struct cp_request *req, void *ctx);
int lgr_query_option(struct cp_request *req, void *ctx);
bool lgr_is_option(const char *word);
/** An optional noise word, then a name of at most 8 characters. */
bool lgr_take_name(struct cp_request *req, const char *noise, char out[LGR_NAME_BYTES]);
/** 0, or the number of the message about an operand too many. */
int lgr_no_more(struct cp_request *req);

/** Is the user logged on on another member? */
bool lgr_elsewhere(const struct lgr_cmd *c, const char *user, char member[LGR_NAME_BYTES]);
/** VMRELOCATE with all of its operands as typed, carried out there. CP_LATER or a number. */
int lgr_forward(struct cp_request *req, const char *member, const char *operands);

/** VMRELOCATE STATUS, behind the word STATUS; `all`: every operand, to be forwarded. */
int lgr_cmd_status(struct cp_request *req, struct lgr_cmd *c, const char *all);
/** ALL, INCOMING, OUTGOING or USER userid, and DETAILS. */
struct lgr_filter {
    char user[LGR_NAME_BYTES]; /* "" = all */
    bool given, incoming, outgoing, details;
};
/** The operands of that. 0, or the number of a message. */
int lgr_take_filter(struct cp_request *req, struct lgr_filter *f);
/** Is the relocation one of those; of whatever state. */
bool lgr_filtered(const struct lgr_filter *f, const struct lgr_view *v);

/** QUERY RELOCATION HISTORY: lgr_history.c. */
int lgr_query_relocation(struct cp_request *req, void *ctx);
/** DETAILS of one: options and limits, outcome, passes, and lgr_lines_more. */
void lgr_lines_details(struct cp_request *req, const struct lgr_view *v);
/** How pages were encoded, what convergence cost, capacity, the time of each step. */
void lgr_lines_more(struct cp_request *req, const struct lgr_view *v);
/** Lines about a finished relocation: times, and a table of passes. */
void lgr_lines_passes(struct cp_request *req, const struct lgr_view *v);

#endif
