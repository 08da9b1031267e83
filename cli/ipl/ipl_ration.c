/* Stores that find tokens by chance: see ipl_ration.h. */
#include "cli/ipl/ipl_ration.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define TURN_SHIFTS 7 /* turns of 1 to 128 instructions; those up to 16 go one by one */

int ipl_ration_parse(const char *text, struct ipl_ration *ration)
{
    char *end;
    errno = 0;
    ration->random = strtoul(text, &end, 10);
    ration->turns = ULONG_MAX;
    if (*end == ',')
        ration->turns = strtoul(end + 1, &end, 10);
    return errno || *end || ration->random < 1 ? -1 : 0;
}

/* xorshift64*: a number below n. */
static u64 below(struct ipl_ration *ration, u64 n)
{
    ration->random ^= ration->random >> 12;
    ration->random ^= ration->random << 25;
    ration->random ^= ration->random >> 27;
    return (ration->random * 0x2545f4914f6cdd1dull >> 32) % n;
}

static void ration_end(struct vm_host *host, struct vm *vm)
{
    storage_ration_stop(vm_storage(vm));
    vm_stores_go_on(vm);
    vm_host_slice(host, 0);
}

bool ipl_ration_turn(struct ipl_ration *ration, struct vm_host *host, struct vm *vm)
{
    struct storage *st = vm_storage(vm);
    if (!ration->random || !ration->turns)
        return true;
    if (!ration->set)
        ration->set = calloc(1, storage_bitmap_bytes(st));
    if (!ration->set)
        return false;
    if (--ration->turns == 0) {
        ration_end(host, vm);
        return true;
    }
    vm_host_slice(host, 1 + (long)below(ration, 2u << below(ration, TURN_SHIFTS)));
    if (below(ration, 2))
        vm_epoch(vm, ration->set);
    storage_ration_start(st, STORAGE_RATION_LEAST); /* who waits tries again ... */
    vm_stores_go_on(vm);
    storage_ration_start(st, below(ration, 2) * below(ration, STORAGE_RATION_LEAST + 1));
    return true;
}

u64 ipl_ration_refused(struct vm *vm)
{
    return atomic_load(&vm_storage(vm)->ration.refused);
}

void ipl_ration_fini(struct ipl_ration *ration)
{
    free(ration->set);
}
