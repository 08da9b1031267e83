/* Channel-to-channel adapters of the fake machines, which are real ones: for cp_world.c. */
#ifndef ENDICOTT_TESTS_LIB_CP_WORLD_CTCA_H
#define ENDICOTT_TESTS_LIB_CP_WORLD_CTCA_H

#include "hyp/cp.h"

int fake_ctca_attach(struct vm *vm, u16 vdev, u8 type, bool announce, struct cause *cause);
struct ctca *fake_ctca(struct vm *vm, u16 vdev);
void fake_ctca_set_remote(struct vm *vm, u16 vdev, struct ctc_remote *remote);
struct ctc_hub *fake_ctc_hub(void *host);
void fake_ctca_detach(struct vm *vm, u16 vdev);
void fake_ctcas_end(struct vm *vm);
void fake_ctcas_setup(void);
void fake_ctcas_teardown(void);

#endif
