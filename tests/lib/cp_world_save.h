/* Of cp_world's fake machines: what is written of their storage, dumps and segments, in numbers
 * only. Rows of struct vm_ops. */
#ifndef ENDICOTT_TESTS_LIB_CP_WORLD_SAVE_H
#define ENDICOTT_TESTS_LIB_CP_WORLD_SAVE_H

#include "hyp/vm_needs.h"

int fake_dump(struct vm *vm, const struct vm_dump *what, vm_done *done, void *ctx,
              struct cause *cause);
void fake_still_stop(struct vm *vm);
int fake_segment_define(void *host, const struct vm_segment *what, struct cause *cause);
int fake_segment_save(struct vm *vm, const char *name, bool system, vm_done *done, void *ctx,
                      struct cause *cause);
bool fake_segment_find(void *host, const char *name, struct vm_segment *out);
bool fake_segment_defined(void *host, const char *name, struct vm_segment *out);
bool fake_segment_forget(void *host, const char *name);
bool fake_segment_row(void *host, unsigned i, struct vm_segment *out, unsigned *users);

/** A new world: no segment, no dump or save under way. */
void fake_saves_forget(void);

#endif
