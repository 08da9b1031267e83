/* Reservations between programs: locks of an open file description on the file of a volume, behind
 * all that is in it, by extent. A program that works in an extent shares it, who has it reserved is
 * alone. Nobody is told when one goes: it is looked for again (hold.c). Any thread. */
#ifndef ENDICOTT_IO_IMAGE_HOLD_FILE_H
#define ENDICOTT_IO_IMAGE_HOLD_FILE_H

#include "mem/base/bytes.h"

enum hold_file { HOLD_FILE_FREE, HOLD_FILE_SHARED, HOLD_FILE_ALONE };

/** The file of an image (as image_open takes it), to be locked and nothing else; -1: it is none of
 *  this host, or cannot be opened. Closing gives back what it has. */
int hold_file_open(const char *path);
void hold_file_close(int fd);
/** Have the extent so from now on, instead of how it was had. False: others have it. */
bool hold_file_lock(int fd, u64 first, u64 count, enum hold_file how);
/** Could it be had so? */
bool hold_file_may(int fd, u64 first, u64 count, enum hold_file how);
/** Somebody waits to be alone: others do not begin to share. Say so, and is it so elsewhere? */
void hold_file_want(int fd, u64 first, u64 count, bool on);
bool hold_file_wanted(int fd, u64 first, u64 count);
/** Somebody takes it by force from who has it alone, who lets it go when he sees that. The same. */
void hold_file_take(int fd, u64 first, u64 count, bool on);
bool hold_file_taken(int fd, u64 first, u64 count);

#endif
