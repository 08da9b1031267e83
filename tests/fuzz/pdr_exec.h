/* A PDR's bytes as a fuzzer has them: pieces of the input, a medium that begins as zeros each time.
 * What an input is: pdr_exec.c. */
#ifndef ENDICOTT_TESTS_FUZZ_PDR_EXEC_H
#define ENDICOTT_TESTS_FUZZ_PDR_EXEC_H

#include "ssi/ssi_lease.h"

struct input {
    const u8 *p, *end;
};

u8 pdr_take(struct input *in);
u16 pdr_take16(struct input *in);

/** A file or disk in memory, kept over executions; `dirty`: its pages that are not zeros. */
struct medium {
    u8 *bytes;
    size_t size;
    u8 *is_dirty;
    u32 *dirty;
    u32 n_dirty;
};

/** Map it at the first call, make it zeros at each. */
void medium_begin(struct medium *m, size_t size);
void medium_write(struct medium *m, u64 at, const void *data, size_t len);

/** What was spoiled last, so that it can be made good: while nobody has written there. */
struct spoiled {
    u64 at;
    u8 len, before[255], after[255];
};

/** Change bytes of the `size` at `area` as the input says: offset(2), length(1), bytes; `set`:
 * these, else by exclusive or. The four bytes from `keep` on stay, so that no checksum is found by
 * chance (KEEP_NOTHING: all change). *done may be NULL. */
#define KEEP_NOTHING ((size_t)-4)
void pdr_spoil(u8 *bytes, u64 area, size_t size, bool set, size_t keep, struct input *in,
               struct spoiled *done);
void pdr_heal(u8 *bytes, const struct spoiled *spoiled);

/** The areas of a record that an operation's byte names: header, block, claims, heartbeat. */
enum pdr_area { AREA_HEADER, AREA_BLOCK, AREA_CLAIMS, AREA_BEAT };
u64 pdr_area_at(enum pdr_area area, unsigned which, size_t *size);
/** Where its checksum is, or KEEP_NOTHING. */
size_t pdr_area_crc(enum pdr_area area);
/** Right checksums for what was changed there; of claims also in their header. */
void pdr_area_seal(u8 *file, enum pdr_area area, unsigned which);

/** The kinds of input, each with what it begins with. */
void pdr_record_exec(struct input *in);
void pdr_lease_exec(struct input *in);
void pdr_members_exec(struct input *in);

#endif
