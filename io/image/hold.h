/* Reservation: several systems have a disk, and one of them keeps the others away for a while. A
 * group is of one volume; each system that has a part of it joins with its extent. Channel
 * programs begin and end; who reserves waits until no program of another system is under way in
 * the extent, and from then on none begins until the release. Who has to wait keeps no thread:
 * its watcher is told. Other programs that have the volume take part by locks on its file, from
 * hold_open to hold_close; those are looked for again while somebody waits for one. Any thread;
 * the watcher is called without a lock. */
#ifndef ENDICOTT_IO_IMAGE_HOLD_H
#define ENDICOTT_IO_IMAGE_HOLD_H

#include "mem/base/bytes.h"

#define HOLD_SEEN_MS 100u

struct hold_group;
struct hold;

enum hold_state { HOLD_NONE, HOLD_HERE, HOLD_ELSEWHERE };

struct hold_group *hold_group_create(void);
/** No member is left. */
void hold_group_destroy(struct hold_group *g);
/** NULL: no memory. */
struct hold *hold_join(struct hold_group *g, u64 first, u64 count);
/** What it held is free. NULL is nobody. */
void hold_leave(struct hold *h);
/** From now on programs elsewhere count, too, that use the volume at `path`; what it has reserved
 *  it has of them as soon as they let it. And from now on they do not. */
void hold_open(struct hold *h, const char *path);
void hold_close(struct hold *h);

/** `fn` is called when what was refused can be tried again; NULL: not any more, and no call is
 *  under way on return. */
void hold_watch(struct hold *h, void (*fn)(void *arg), void *arg);

/** While it is shut no channel program begins, as if the disk were reserved elsewhere: it may not
 *  be written yet, for want of others' consent. NULL is nobody. */
void hold_gate(struct hold *h, bool shut);

/* A system that nobody shares the disk with has NULL: everything is granted. */
/** A channel program begins. False: the disk is reserved elsewhere, or about to be. */
bool hold_begin(struct hold *h);
void hold_end(struct hold *h);
/** Reserve; `waiting`: the program that asks has begun, and is not counted while it waits. False:
 *  another system has it, or a program under way. */
bool hold_reserve(struct hold *h, bool waiting);
/** It had it reserved on the member that it comes from, and has it here, unless another system has
 *  it by now: then it has lost it. Programs elsewhere are waited for by its own ones. */
bool hold_keep(struct hold *h);
/** Take it from whoever has it, elsewhere too: that one lets it go when it sees so, after
 *  HOLD_SEEN_MS at the latest, and has lost it. Programs of others here that are under way are not
 *  waited for, those elsewhere are. False: it is not let go yet. */
bool hold_steal(struct hold *h);
/** Do programs elsewhere take part, by locks of a file of the host? NULL: no. */
bool hold_has_file(const struct hold *h);
/** How often it has lost a reservation that it had. */
u32 hold_losses(struct hold *h);
void hold_release(struct hold *h);
/** It does not wait to reserve any more. */
void hold_forget(struct hold *h);
enum hold_state hold_state(struct hold *h);

#endif
