/* Relocation to where the machine is already: see ipl_move.h. Storage frames that were ever stored
 * into first, then the state, as a relocation does it; the old machine goes when the new one has
 * everything. */
#include "cli/ipl/ipl_move.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "mem/base/log.h"

int ipl_move_parse(const char *text, struct ipl_move *move)
{
    char *end;
    errno = 0;
    move->insns = strtol(text, &end, 10);
    move->times = ULONG_MAX;
    if (*end == ',')
        move->times = strtoul(end + 1, &end, 10);
    return errno || *end || move->insns < 1 ? -1 : 0;
}

static void storage_copy(struct storage *to, struct storage *from)
{
    for (u64 f = storage_frame_next(from, 0); f < from->frames;
         f = storage_frame_next(from, f + 1)) {
        u64 abs = f << FRAME_SHIFT;
        if (!storage_frame_touched(from, f) || !storage_holds(from, abs, FRAME_BYTES))
            continue;
        storage_write(to, abs, storage_host(from, abs, FRAME_BYTES), FRAME_BYTES);
    }
}

static int state_copy(struct vm *to, struct vm *from, struct cause *cause)
{
    struct codec_out out;
    struct codec_in in;
    codec_out_init(&out);
    int rc = vm_save(from, &out, cause);
    codec_in_init(&in, out.data, out.len);
    if (rc == ST_OK)
        rc = vm_restore(to, &in, cause);
    codec_out_fini(&out);
    return rc;
}

/* Both are quiesced. Adapters are coupled before they have state, as where a guest arrives. */
static struct vm *machine_move(struct vm_host *host, struct vm *from, struct ipl_nets *nets,
                               struct cause *cause)
{
    struct vm *to;
    if (vm_create(host, vm_configuration(from), &to, cause))
        return NULL;
    if (!vm_quiesce(to)) {
        vm_destroy(to);
        return NULL;
    }
    ipl_nets_machine(nets, to);
    storage_copy(vm_storage(to), vm_storage(from));
    if (state_copy(to, from, cause)) {
        ipl_nets_machine(nets, NULL); /* it ends */
        vm_destroy(to);
        return NULL;
    }
    return to;
}

bool ipl_move_turn(struct ipl_move *move, struct vm_host *host, struct vm **vm)
{
    struct cause cause = {0};
    u64 now = vm_instructions(*vm);
    u64 turn = (u64)move->insns * vm_configuration(*vm)->cpus; /* each CPU has its slice */
    if (!move->insns || !move->times || now - move->last < turn || !vm_quiesce(*vm))
        return true;
    struct vm *to = machine_move(host, *vm, move->nets, &cause);
    if (!to) {
        log_line("relocate-every: %s", cause.text);
        return false;
    }
    vm_destroy(*vm);
    *vm = to;
    move->last = now;
    if (--move->times == 0)
        vm_host_slice(host, 0);
    vm_unquiesce(to);
    return true;
}
