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

/** What a guest's machine has: FACILITY_BYTES. */
struct vm_config;
void lgr_facilities_of(const struct vm_config *vc, u8 *out);
/** QUERY and SET VMRELOCATE: lgr_set.c. */
int lgr_query_vmrelocate(struct cp_request *req, void *ctx);
int lgr_set_vmrelocate(struct cp_request *req, void *ctx);
/** An optional noise word, then a name of at most 8 characters. */
bool lgr_take_name(struct cp_request *req, const char *noise, char out[LGR_NAME_BYTES]);

/** VMRELOCATE STATUS, behind the word STATUS. */
int lgr_cmd_status(struct cp_request *req, struct lgr_cmd *c);
/** Lines about a finished relocation: times, and a table of passes. */
void lgr_lines_passes(struct cp_request *req, const struct lgr_view *v);

#endif
