/* A real printer or punch: it puts spool files out on host files, one at a time, and has a
 * program run when one is out. It does a little at each step and never waits. Loop thread. */
#ifndef ENDICOTT_HYP_SPOOL_REAL_OUTPUT_H
#define ENDICOTT_HYP_SPOOL_REAL_OUTPUT_H

#include "hyp/config.h"
#include "hyp/spool/spool.h"

struct real_output;

/** For a device of the hardware file, in the cluster's folder `dir`, both the caller's; not
 *  started. NULL: no memory. */
struct real_output *real_output_create(struct spool *spool, const char *dir,
                                       const struct config_device *config);
/** What it is putting out stays in the spool. A program that runs goes on. */
void real_output_destroy(struct real_output *o);

enum real_output_next {
    REAL_OUTPUT_IDLE,  /* nothing to do until a file comes or something is changed */
    REAL_OUTPUT_AGAIN, /* more to do */
    REAL_OUTPUT_WAIT,  /* for the program, or for room: again in a while */
};
/** A part of a file. */
enum real_output_next real_output_step(struct real_output *o);

/** Take files, of these classes and this form (NULL: as before). */
void real_output_start(struct real_output *o, const char *classes, const char *form);
/** Take no other file; the one that is being put out is finished. */
void real_output_drain(struct real_output *o);
/** The file is not put out any further: it goes, or stays in hold status. False: there is none. */
bool real_output_flush(struct real_output *o, bool hold);
/** `pages` back (a skip to channel 1 ends a page), or to the beginning. False: no file. */
bool real_output_backspace(struct real_output *o, u32 pages);

struct real_output_info {
    u16 devno;
    bool punch, started;
    const char *classes; /* "*" = all */
    const char *form;
    const struct spool_desc *file; /* NULL: none */
    u32 records;                   /* of it that are out */
    bool trouble;                  /* the host does not take them */
    bool program;                  /* one runs */
};
void real_output_info(const struct real_output *o, struct real_output_info *info);

#endif
