/* A machine's state as blocks of rows, change-recording epochs, and quiescing.
 * Guarantees: between vm_quiesce and vm_unquiesce nothing of the machine changes: no CPU runs,
 * no device works, no CP command is outstanding for it. */
#include "hyp/iucv/iucv_service.h"
#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"
#include "mem/storage_source.h"

#define STATE_VERSION 1
#define WARM_CPUS 4u
#define TAG_CPUS 0x9001
#define TAG_CSS 0x9002
#define TAG_SCLP 0x9003
#define TAG_MACHINE 0x9005
#define TAG_TOUCHED 0x9006
#define TAG_SEGMENT 0x9007       /* one for each; before VM_TAG_KEYS */
#define TAG_SPOOL 0x1007         /* who does not know it has files without descriptions */
#define TAG_SPOOL_OPTIONS 0x1009 /* who does not know it has the defaults */
#define TAG_IUCV 0x9031          /* behind TAG_CPUS */
#define TAG_ARCH 0x1030 /* who does not know it shows its own machine; before TAG_CPUS */
#define ROW_IPLED 0x9011
#define ROW_SIGNALLED 0x9012
#define ROW_PARKED 0x9013
#define ROW_STORAGE 0x9014
#define ROW_STANDBY 0x9015 /* bytes behind element 0 */
#define ROW_IPL_BLOCK 0x9017
#define ROW_CPU_TYPES 0x9018
#define ROW_CONMODE 0x9019      /* the console is a 3270 display */
#define ROW_BLOCKS 0x901b       /* an environment of block I/O */
#define ROW_BLOCK_DONE 0x901c   /* an interruption of it that waits */
#define ROW_PFAULT 0x901a       /* CPU, where the token is, select and compare masks */
#define ROW_PFAULT_CAME 0x9021  /* CPU and token of a page fault to be told to be over */
#define ROW_ABSENT 0x9016       /* a word of the bitmap of increments that are not there */
#define ROW_RESERVED 0x901e     /* bytes of reserved storage; 0: not there */
#define ROW_TRACED 0x901f       /* TRACE COUNT; traps are CP's, behind this block */
#define ROW_TRAP 0x9020         /* how often one of them has matched */
#define ROW_VMCF 0x9022         /* CPU, address and length of the buffer, QUIESCE */
#define ROW_VMCF_MESSAGE 0x9023 /* one that waits: number, user, text; behind ROW_VMCF */
#define ROW_UNDEFINED 0x901d    /* CPUs before the last that are not defined; 0: not there */

u64 vm_epoch(struct vm *vm, u64 *set)
{
    vm_hold(vm);
    u64 n = storage_epoch(vm->st, set);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        cpu_request_flush_stores(vm->vcpu[i].cpu);
    vm_release(vm);
    return n;
}

bool vm_quiesce(struct vm *vm)
{
    vm_hold(vm);
    if (atomic_load(&vm->blocked) || vm->still || vm->quiesced) {
        vm_release(vm);
        return false;
    }
    vm_settle_blocks(vm);
    css_quiesce(vm->css);
    vm->quiesced = true;
    return true;
}

bool vm_waits_for_cp(struct vm *vm)
{
    return atomic_load(&vm->blocked);
}

void vm_abandon(struct vm *vm)
{
    vm->quiesced = false;
}

void vm_warm(struct vm *vm)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus) && i < WARM_CPUS; i++)
        cpu_warm(vm->vcpu[i].cpu);
}

void vm_unquiesce(struct vm *vm)
{
    vm->quiesced = false;
    css_resume(vm->css);
    if (vm->config.console)
        vm_console_poll_input(vm);
    vm_release(vm);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        vcpu_wake(&vm->vcpu[i]);
    vm_early_end(vm);
}

static bool left_behind(u16 tag)
{
    return tag == ROW_PFAULT || tag == ROW_BLOCKS || tag == ROW_BLOCK_DONE ||
           tag == ROW_TRACED || tag == ROW_TRAP || tag == ROW_PFAULT_CAME || tag == ROW_VMCF ||
           tag == ROW_VMCF_MESSAGE;
}

/* What DIAGNOSE codes and TRACE have left behind. */
static bool left_restore(struct vm *vm, const struct codec_row *row)
{
    switch (row->tag) {
    case ROW_BLOCKS: return block_io_restore_environment(&vm->block, row);
    case ROW_BLOCK_DONE: return block_io_restore_done(&vm->block, row);
    case ROW_TRACED: return trace_restore_count(vm, row);
    case ROW_TRAP: return trace_restore_live(vm, row);
    case ROW_PFAULT_CAME: return pfault_restore_came(vm, row);
    case ROW_VMCF: return vmcf_restore(vm, row);
    case ROW_VMCF_MESSAGE: return vmcf_restore_message(vm, row);
    default: return pfault_restore_token(vm, row);
    }
}

static void machine_save(struct vm *vm, struct codec_out *out)
{
    codec_begin(out, TAG_MACHINE, STATE_VERSION);
    codec_put_u64(out, ROW_STORAGE, vm->st->size);
    codec_put_u8(out, ROW_IPLED, vm->ipled);
    codec_put_u8(out, ROW_SIGNALLED, vm->shutdown_signalled);
    codec_put_u8(out, ROW_CONMODE, vm->config.console_3270);
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++)
        codec_put_u8(out, ROW_PARKED, vm->vcpu[i].parked);
    codec_put_bytes(out, ROW_CPU_TYPES, vm->config.cpu_type, cpu_set_count(vm->cpus));
    if (vm->has_ipl_block)
        codec_put_bytes(out, ROW_IPL_BLOCK, vm->ipl_block, sizeof vm->ipl_block);
    if (vm->undefined)
        codec_put_u64(out, ROW_UNDEFINED, vm->undefined);
    trace_save(vm, ROW_TRACED, ROW_TRAP, out);
    pfault_save(vm, ROW_PFAULT, ROW_PFAULT_CAME, out);
    block_io_save(&vm->block, ROW_BLOCKS, ROW_BLOCK_DONE, out);
    vmcf_save(vm, ROW_VMCF, ROW_VMCF_MESSAGE, out);
    if (vm->config.reserved_bytes)
        codec_put_u64(out, ROW_RESERVED, vm->config.reserved_bytes);
    if (vm->config.standby_bytes) {
        codec_put_u64(out, ROW_STANDBY, vm->config.standby_bytes);
        codec_put_array(out, ROW_ABSENT, (const void *)vm->st->absent, 8,
                        ARRAY_LEN(vm->st->absent));
    }
    codec_end(out);
}

/* Standby and reserved storage. */
static bool standby_restore(struct vm *vm, const struct codec_row *row)
{
    u64 v = 0, absent[ARRAY_LEN(vm->st->absent)];
    if (row->tag == ROW_RESERVED)
        return codec_get_u64(row, &vm->config.reserved_bytes) &&
               vm->config.reserved_bytes <= STORAGE_BYTES_MAX;
    if (row->tag == ROW_STANDBY) {
        if (!codec_get_u64(row, &v) || v >= vm->st->size || v % vm->st->increment_bytes)
            return false;
        vm_standby_restored(vm, v);
        return true;
    }
    if (!codec_get_array(row, absent, 8, ARRAY_LEN(absent)) || absent[0] & 1)
        return false;
    for (u64 i = 0; i < storage_increments(vm->st); i++)
        storage_increment_set(vm->st, i, !(absent[i / 64] >> i % 64 & 1));
    return true;
}

static bool machine_restore(struct vm *vm, struct codec_in *in)
{
    struct codec_row row;
    unsigned cpu = 0;
    vm->undefined = 0; /* no row: all are defined */
    while (codec_next(in, &row)) {
        u8 flag = 0;
        u64 size = 0;
        if (row.tag == ROW_STORAGE) {
            if (!codec_get_u64(&row, &size) || size != vm->st->size)
                return false;
            continue;
        }
        if (row.tag == ROW_CPU_TYPES) {
            if (!codec_get_array(&row, vm->config.cpu_type, 1, cpu_set_count(vm->cpus)))
                return false;
            continue;
        }
        if (row.tag == ROW_IPL_BLOCK) {
            vm->has_ipl_block = codec_get_array(&row, vm->ipl_block, 1, IPL_BLOCK_BYTES) &&
                                ipl_block_valid(vm->ipl_block);
            if (!vm->has_ipl_block)
                return false;
            ipl_block_loadparm(vm);
            continue;
        }
        if (row.tag == ROW_UNDEFINED) {
            if (!codec_get_u64(&row, &size) || !vm_undefined_restored(vm, size))
                return false;
            continue;
        }
        if (left_behind(row.tag)) {
            if (!left_restore(vm, &row))
                return false;
            continue;
        }
        if (row.tag == ROW_STANDBY || row.tag == ROW_ABSENT || row.tag == ROW_RESERVED) {
            if (!standby_restore(vm, &row))
                return false;
            continue;
        }
        if (!codec_get_u8(&row, &flag))
            return false;
        if (row.tag == ROW_IPLED)
            vm->ipled = flag;
        else if (row.tag == ROW_SIGNALLED)
            vm->shutdown_signalled = flag;
        else if (row.tag == ROW_PARKED && cpu < cpu_set_count(vm->cpus))
            vm->vcpu[cpu++].parked = flag;
        else if (row.tag == ROW_CONMODE &&
                 (!flag || vm->config.console_vdev)) /* before TAG_CSS */
            vm_console_mode(vm, flag, NULL);
        else
            return false;
    }
    return !in->failed;
}

/* The files of its readers are their state (TAG_CSS); what QUERY RDR shows of them is CP's, and
 * so are the options of its spooled devices. */
static int descriptions_save(struct vm *vm, struct codec_out *out, struct cause *cause)
{
    struct spool *spool = vm->host->spool;
    codec_begin(out, TAG_SPOOL_OPTIONS, STATE_VERSION);
    int rc = spool_devices_save(spool, vm->config.name, out, cause);
    codec_end(out);
    if (rc || !spool_reader(spool, vm->config.name, 0))
        return rc;
    spool_sync(spool, vm->config.name);
    codec_begin(out, TAG_SPOOL, STATE_VERSION);
    spool_save(spool, vm->config.name, out);
    codec_end(out);
    return ST_OK;
}

static bool descriptions_restore(struct vm *vm, const struct codec_row *row)
{
    struct codec_in block;
    struct spool *spool = vm->host->spool;
    return codec_open(row, &block) &&
           (row->tag == TAG_SPOOL ? spool_restore
                                  : spool_devices_restore)(spool, vm->config.name, &block);
}

/* What came behind the last check of eligibility. */
static int stays(struct vm *vm, struct cause *cause)
{
    struct spool *spool = vm->host->spool;
    struct spool_device *dev = NULL;
    u16 id;
    struct vm_segment seg;
    const char *why;
    if (storage_source_state(vm->st) == STORAGE_LOST)
        return cause_set(cause, ST_IO, "its snapshot is damaged");
    for (unsigned i = 0; vm_segment_get(vm, i, &seg, &why); i++)
        if (why)
            return cause_set(cause, ST_REFUSED, "saved segment %s %s", seg.name, why);
    while ((dev = spool_device_next(spool, vm->config.name, dev)))
        if (!spool_opens_move(spool) && spool_device_open(dev, &id))
            return cause_set(cause, ST_REFUSED, "device %04X has an open spool file",
                             spool_device_vdev(dev));
    return ST_OK;
}

int vm_save(struct vm *vm, struct codec_out *out, struct cause *cause)
{
    vm_early_end(vm);
    return vm_save_rest(vm, out, cause);
}

int vm_save_rest(struct vm *vm, struct codec_out *out, struct cause *cause)
{
    int rc = stays(vm, cause);
    if (rc)
        return rc;
    machine_save(vm, out);
    codec_begin(out, TAG_ARCH, STATE_VERSION);
    vm_arch_save(vm, out);
    codec_end(out);
    vm_segments_save(vm, TAG_SEGMENT, out);
    dispatch_settle(vm);
    cpu_set_save(vm->cpus, out, TAG_CPUS);
    iucv_save(vm, TAG_IUCV, out);
    rc = css_save(vm->css, TAG_CSS, out, cause);
    if (rc)
        return rc;
    sclp_save(vm->sclp, TAG_SCLP, out);
    vm_frames_save(vm, out);
    return descriptions_save(vm, out, cause);
}

static int block_restore(struct vm *vm, const struct codec_row *row, struct vm_frames *frames,
                         struct cause *cause)
{
    struct codec_in block;
    bool ok;
    switch (row->tag) {
    case VM_TAG_KEYS:
    case VM_TAG_USAGE:
    case VM_TAG_KEYS_CHANGED:
    case VM_TAG_USAGE_CHANGED:
    case VM_TAG_FRAMES_SUM: ok = vm_frames_restore(vm, row, frames); break;
    case TAG_IUCV: ok = codec_open(row, &block) && iucv_restore(vm, &block); break;
    case TAG_MACHINE: ok = codec_open(row, &block) && machine_restore(vm, &block); break;
    case TAG_SPOOL:
    case TAG_SPOOL_OPTIONS: ok = descriptions_restore(vm, row); break;
    case TAG_SEGMENT:
        return codec_open(row, &block) ? vm_segment_restore(vm, &block, cause) : ST_PROTO;
    case TAG_ARCH:
        return codec_open(row, &block) ? vm_arch_restore(vm, &block, cause) : ST_PROTO;
    case TAG_CPUS:
        return codec_open(row, &block) ? cpu_set_restore(vm->cpus, &block, cause) : ST_PROTO;
    case TAG_CSS:
        return codec_open(row, &block) ? css_restore(vm->css, &block, cause) : ST_PROTO;
    case TAG_SCLP:
        return codec_open(row, &block) ? sclp_restore(vm->sclp, &block, cause) : ST_PROTO;
    default: ok = !(row->tag & CODEC_MANDATORY); break;
    }
    if (!ok)
        return cause_set(cause, ST_PROTO, "machine state: block X'%04X' is not acceptable",
                         row->tag);
    return ST_OK;
}

int vm_restore(struct vm *vm, struct codec_in *in, struct cause *cause)
{
    struct codec_row row;
    struct vm_frames frames = {0};
    if (!vm->told_bytes)
        storage_usage_reset(vm->st);
    while (codec_next(in, &row)) {
        int rc = block_restore(vm, &row, &frames, cause);
        if (rc)
            return rc;
    }
    struct reader *reader = spool_reader(vm->host->spool, vm->config.name, 0);
    if (in->failed || !vm_frames_complete(vm, &frames) || (reader && reader_awaits(reader, 0)))
        return cause_set(cause, ST_PROTO, "machine state is incomplete");
    if (vm->block.count ||
        atomic_load(&vm->page_faults
                         .count)) /* the thread that ended a request tells of it afterwards */
        cpu_set_service_signal(vm->cpus);
    return ST_OK;
}
