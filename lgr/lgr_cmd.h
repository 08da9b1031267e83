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

/** VMRELOCATE STATUS, behind the word STATUS. */
int lgr_cmd_status(struct cp_request *req, struct lgr_cmd *c);
/** Lines about a finished relocation: times, and a table of passes. */
void lgr_lines_passes(struct cp_request *req, const struct lgr_view *v);

#endif
