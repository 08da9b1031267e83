/* A machine's state as blocks of rows, change-recording epochs, and quiescing.
 * Guarantees: between vm_quiesce and vm_unquiesce nothing of the machine changes: no CPU runs,
 * no device works, no CP command is outstanding for it. */
#include "hyp/spool/spool_device.h"
#include "hyp/vm_internal.h"

#define STATE_VERSION 1
#define TAG_CPUS 0x9001
#define TAG_CSS 0x9002
#define TAG_SCLP 0x9003
#define TAG_KEYS 0x9004
#define TAG_MACHINE 0x9005
#define TAG_TOUCHED 0x9006
#define TAG_SEGMENT 0x9007       /* one for each; before TAG_KEYS */
#define TAG_USAGE 0x1008         /* who does not know it takes all frames for stable */
#define TAG_SPOOL 0x1007         /* who does not know it has files without descriptions */
#define TAG_SPOOL_OPTIONS 0x1009 /* who does not know it has the defaults */
#define ROW_IPLED 0x9011
#define ROW_SIGNALLED 0x9012
#define ROW_PARKED 0x9013
#define ROW_STORAGE 0x9014
#define ROW_STANDBY 0x9015 /* bytes behind element 0 */
#define ROW_IPL_BLOCK 0x9017
#define ROW_CPU_TYPES 0x9018
#define ROW_CONMODE 0x9019    /* the console is a 3270 display */
#define ROW_BLOCKS 0x901b     /* an environment of block I/O */
#define ROW_BLOCK_DONE 0x901c /* an interruption of it that waits */
#define ROW_PFAULT 0x901a     /* CPU, where the token is, select and compare masks */
#define ROW_ABSENT 0x9016     /* a word of the bitmap of increments that are not there */
#define ROW_RESERVED 0x901e   /* bytes of reserved storage; 0: not there */
#define ROW_UNDEFINED 0x901d  /* CPUs before the last that are not defined; 0: not there */

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
    if (atomic_load(&vm->blocked) || vm->still) {
        vm_release(vm);
        return false;
    }
    vm_settle_blocks(vm);
    css_quiesce(vm->css);
    vm->quiesced = true;
    return true;
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
}

/* A byte per frame, run-length coded: (count 4, byte 1) pairs. */
static void runs_save(const struct vm *vm, const _Atomic u8 *map, u16 tag,
                      struct codec_out *out)
{
    u8 runs[5 * 1024];
    size_t n = 0;
    u64 frames = vm->st->frames;
    for (u64 f = 0; f < frames;) {
        u64 end = f;
        u8 v = atomic_load_explicit(&map[f], memory_order_relaxed);
        while (end < frames && atomic_load_explicit(&map[end], memory_order_relaxed) == v)
            end = v ? end + 1 : storage_frame_next(vm->st, end + 1);
        be32_store(runs + n, (u32)(end - f));
        runs[n + 4] = v;
        n += 5;
        if (n == sizeof runs || end == frames) {
            codec_put_bytes(out, tag, runs, n);
            n = 0;
        }
        f = end;
    }
}

/* The runs of one row, from *frame on; `set` puts a byte. */
static bool runs_restore(struct vm *vm, const struct codec_row *row, u64 *frame,
                         void set(struct storage *st, u64 abs, u8 v))
{
    if (row->len % 5)
        return false;
    for (u32 i = 0; i < row->len; i += 5) {
        u32 count = be32_load(row->p + i);
        if (count > vm->st->frames - *frame)
            return false;
        u8 v = row->p[i + 4];
        u64 end = *frame + count;
        for (u64 f = *frame; f < end; f = v ? f + 1 : storage_frame_next(vm->st, f + 1))
            if (v || storage_frame_next(vm->st, f) == f)
                set(vm->st, f << FRAME_SHIFT, v);
        *frame = end;
    }
    return true;
}

/* As ESSA has set it; nothing is said when all frames are stable. */
static void usage_save(const struct vm *vm, struct codec_out *out)
{
    for (u64 f = storage_frame_next(vm->st, 0); f < vm->st->frames;
         f = storage_frame_next(vm->st, f + 1))
        if (storage_usage_get(vm->st, f << FRAME_SHIFT)) {
            runs_save(vm, vm->st->usage, TAG_USAGE, out);
            return;
        }
}

static void usage_put(struct storage *st, u64 abs, u8 v)
{
    if (v || storage_usage_get(st, abs))
        storage_usage_set(st, abs, v & (STORAGE_USAGE | STORAGE_NO_DAT));
}

/* Tokens of DIAGNOSE X'258'. */
static void pfault_save(const struct vm *vm, struct codec_out *out)
{
    for (unsigned i = 0; i < cpu_set_count(vm->cpus); i++) {
        const struct pfault *p = &vm->vcpu[i].pfault;
        const u64 row[] = {i, p->token_at, p->select, p->compare};
        if (p->set)
            codec_put_array(out, ROW_PFAULT, row, 8, ARRAY_LEN(row));
    }
}

static bool pfault_restore(struct vm *vm, const struct codec_row *row)
{
    u64 v[4];
    if (!codec_get_array(row, v, 8, ARRAY_LEN(v)) || v[0] >= cpu_set_count(vm->cpus) ||
        v[1] % 8 || !storage_holds(vm->st, v[1], 8))
        return false;
    vm->vcpu[v[0]].pfault = (struct pfault){true, v[1], v[2], v[3]};
    return true;
}

/* What DIAGNOSE codes have left behind. */
static bool diag_restore(struct vm *vm, const struct codec_row *row)
{
    switch (row->tag) {
    case ROW_BLOCKS: return block_io_restore_environment(&vm->block, row);
    case ROW_BLOCK_DONE: return block_io_restore_done(&vm->block, row);
    default: return pfault_restore(vm, row);
    }
}

static void machine_save(const struct vm *vm, struct codec_out *out)
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
    pfault_save(vm, out);
    block_io_save(&vm->block, ROW_BLOCKS, ROW_BLOCK_DONE, out);
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
        if (row.tag == ROW_PFAULT || row.tag == ROW_BLOCKS || row.tag == ROW_BLOCK_DONE) {
            if (!diag_restore(vm, &row))
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
static void descriptions_save(struct vm *vm, struct codec_out *out)
{
    struct spool *spool = vm->host->spool;
    codec_begin(out, TAG_SPOOL_OPTIONS, STATE_VERSION);
    spool_devices_save(spool, vm->config.name, out);
    codec_end(out);
    if (!spool_reader(spool, vm->config.name, 0))
        return;
    spool_sync(spool, vm->config.name);
    codec_begin(out, TAG_SPOOL, STATE_VERSION);
    spool_save(spool, vm->config.name, out);
    codec_end(out);
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
    for (unsigned i = 0; vm_segment_get(vm, i, &seg, &why); i++)
        if (why)
            return cause_set(cause, ST_REFUSED, "saved segment %s %s", seg.name, why);
    if (trace_any(vm))
        return cause_set(cause, ST_REFUSED, "trace traps are set");
    while ((dev = spool_device_next(spool, vm->config.name, dev)))
        if (spool_device_open(dev, &id))
            return cause_set(cause, ST_REFUSED, "device %04X has an open spool file",
                             spool_device_vdev(dev));
    return ST_OK;
}

int vm_save(struct vm *vm, struct codec_out *out, struct cause *cause)
{
    int rc = stays(vm, cause);
    if (rc)
        return rc;
    machine_save(vm, out);
    vm_segments_save(vm, TAG_SEGMENT, out);
    dispatch_settle(vm);
    cpu_set_save(vm->cpus, out, TAG_CPUS);
    rc = css_save(vm->css, TAG_CSS, out, cause);
    if (rc)
        return rc;
    sclp_save(vm->sclp, TAG_SCLP, out);
    runs_save(vm, vm->st->skey, TAG_KEYS, out);
    usage_save(vm, out);
    descriptions_save(vm, out);
    return ST_OK;
}

/** Frames whose byte has come. */
struct restored_frames {
    u64 keys, usage;
};

static int block_restore(struct vm *vm, const struct codec_row *row,
                         struct restored_frames *frames, struct cause *cause)
{
    struct codec_in block;
    bool ok;
    switch (row->tag) {
    case TAG_KEYS: ok = runs_restore(vm, row, &frames->keys, storage_key_set); break;
    case TAG_USAGE: ok = runs_restore(vm, row, &frames->usage, usage_put); break;
    case TAG_MACHINE: ok = codec_open(row, &block) && machine_restore(vm, &block); break;
    case TAG_SPOOL:
    case TAG_SPOOL_OPTIONS: ok = descriptions_restore(vm, row); break;
    case TAG_SEGMENT:
        return codec_open(row, &block) ? vm_segment_restore(vm, &block, cause) : ST_PROTO;
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
    struct restored_frames frames = {0};
    storage_usage_reset(vm->st);
    while (codec_next(in, &row)) {
        int rc = block_restore(vm, &row, &frames, cause);
        if (rc)
            return rc;
    }
    if (in->failed || frames.keys != vm->st->frames)
        return cause_set(cause, ST_PROTO, "machine state is incomplete");
    if (vm->block.count) /* the thread that ended a request tells of it afterwards */
        cpu_set_service_signal(vm->cpus);
    return ST_OK;
}
