/* Saved segments and saved systems (DEFSEG, SAVESEG, DEFSYS, SAVESYS, DIAGNOSE X'64', IPL by name):
 * names, page ranges with types, and the saved pages in a file each, which guests map. The folder
 * may be of several members: what one saves the others have when they next look for it; what is
 * only defined is this member's. Loop thread. */
#ifndef ENDICOTT_HYP_SEGMENT_SEGMENT_H
#define ENDICOTT_HYP_SEGMENT_SEGMENT_H

#include "hyp/vm_needs.h"
#include "mem/base/status.h"

#define SEGMENTS_MAX 256

struct segments;
struct storage;

/** As X'64' tells of them. S: shared, E: exclusive; W: writable, R: read-only, N: no data saved,
 *  C: written by CP. */
enum segment_type { SEG_SW, SEG_EW, SEG_SR, SEG_ER, SEG_SN, SEG_EN, SEG_SC, SEG_TYPES };

struct segments *segments_create(const char *folder);
void segments_destroy(struct segments *s);

/** The saved one, or of a name that is only defined that; NULL: no such name. Good until somebody
 *  looks for another one. */
const struct vm_segment *segment_find(struct segments *s, const char *name);
/** What is defined on this member under the name and not saved yet; NULL. */
const struct vm_segment *segment_defined(struct segments *s, const char *name);
/** Is it what the name is saved as, as found by the last look? */
bool segment_current(struct segments *s, const struct vm_segment *loaded);
/** i-th of all, saved and defined ones; with 0 the folder is looked at. */
const struct vm_segment *segment_at(struct segments *s, unsigned i);
/** How many those are. */
unsigned segment_count(const struct segments *s);
/** ST_INVAL with cause for ranges that cannot be; ST_LIMIT. A definition of the same name that was
 *  not saved yet is replaced. */
int segment_define(struct segments *s, const struct vm_segment *what, struct cause *cause);
/** Save the pages of the definition and their keys out of a machine's storage, for a saved system
 *  also `status`, VM_STATUS_BYTES of a CPU: begun, done by any thread (`stop` ends it soon; nobody
 *  else changes what the storage is), and ended, which frees it. What was saved under the name is
 *  replaced then, who has loaded it keeps it; what fails leaves no file. ST_NOENT: not defined, not
 *  any more at the end, or a segment and `status`, a system and none; ST_BUSY: it is being saved;
 *  ST_REFUSED: it was stopped. */
struct segment_saving;
int segment_save_begin(struct segments *s, const char *name, const u8 *status,
                       struct segment_saving **out, struct cause *cause);
void segment_save_pages(struct segment_saving *saving, struct storage *st,
                        const _Atomic bool *stop);
int segment_save_end(struct segments *s, struct segment_saving *saving, bool stopped,
                     struct cause *cause);
/** All of that at once. */
int segment_save(struct segments *s, const char *name, struct storage *st, const u8 *status,
                 struct cause *cause);
/** Neither defined nor saved any more; false: it was not. */
bool segment_forget(struct segments *s, const char *name);

/** Map it into a machine; nothing of the machine runs. `exclusive`: all of it a copy of its own. */
int segment_load(struct segments *s, const char *name, bool exclusive, struct storage *st,
                 struct cause *cause);
/** As loaded into a machine that arrives from another member: its own pages are those that came
 *  with it, the others are mapped. ST_PROTO: those of its pages that nobody may store into are not
 *  what the file has. */
int segment_arrive(struct segments *s, const char *name, bool exclusive, struct storage *st,
                   struct cause *cause);
/** The CPU's state that is saved with a system. */
int segment_status(struct segments *s, const char *name, u8 out[VM_STATUS_BYTES],
                   struct cause *cause);
/** And take it out, as it was loaded: with these ranges. */
void segment_unload(struct segments *s, const struct vm_segment *loaded, bool exclusive,
                    struct storage *st);

/** Is this type stored into by several guests at a time; does a guest have it to itself? */
bool segment_type_shared(u32 type);
bool segment_type_own(u32 type);

#endif
