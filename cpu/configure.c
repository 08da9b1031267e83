/* The configuration of a set while its machine exists: CPUs that come and go, CPUs in standby,
 * another size of storage, the topology that programs ask for (PoP chapter 4, "CPU States"; SCLP
 * configure and deconfigure CPU).
 * Guarantees: adding, removing and resizing are for a held machine and change everything or
 * nothing; a deconfigured CPU is reset by its own thread and refuses SIGP at once. */
#include "cpu/insn/control.h"
#include "cpu/jit/jit.h"

/* ---- topology ---- */

enum { TOPOLOGY_VERTICAL = 1, TOPOLOGY_CHANGED = 2 }; /* of set->topology */
enum { PTF_HORIZONTAL, PTF_VERTICAL, PTF_CHECK };
#define PTF_ALREADY 0x100u /* reason code 1: polarized as asked already */

bool cpu_set_vertical(const struct cpu_set *set)
{
    return atomic_load(&set->topology) & TOPOLOGY_VERTICAL;
}

static void topology_changed(struct cpu_set *set)
{
    atomic_fetch_or(&set->topology, TOPOLOGY_CHANGED);
}

int topology_perform(struct cpu *c, unsigned r1)
{
    u64 function = c->gr[r1];
    _Atomic u32 *topology = &c->set->topology;
    if (function > PTF_CHECK)
        return PGM_SPECIFICATION;
    if (function == PTF_CHECK) { /* and the report is no longer pending */
        c->cc = atomic_fetch_and(topology, ~(u32)TOPOLOGY_CHANGED) & TOPOLOGY_CHANGED ? 1 : 0;
    } else if (cpu_set_vertical(c->set) == (function == PTF_VERTICAL)) {
        c->gr[r1] |= PTF_ALREADY;
        c->cc = 2;
    } else {
        atomic_fetch_xor(topology, TOPOLOGY_VERTICAL);
        topology_changed(c->set);
        c->cc = 0;
    }
    return 0;
}

/* ---- CPUs and storage ---- */

static void reset_one(struct cpu *c)
{
    cpu_reset_registers(c, true, true);
    c->state = CPU_STATE_STOPPED;
    cpu_registers_changed(c);
}

int cpu_set_add(struct cpu_set *set, struct cause *cause)
{
    if (set->count == CPUS_MAX)
        return cause_set(cause, ST_LIMIT, "%d CPUs are the most", CPUS_MAX);
    struct cpu *c = cpu_create(set, set->count);
    if (!c)
        return cause_set(cause, ST_NOMEM, "no memory for CPU %02X", set->count);
    reset_one(c);
    for (unsigned i = 0; i < set->count; i++)
        jit_forget(set->cpus[i]); /* code for one CPU alone is not interlocked */
    set->cpus[set->count] = c;
    topology_changed(set);
    __atomic_store_n(&set->count, set->count + 1, __ATOMIC_RELEASE);
    return ST_OK;
}

void cpu_set_remove_last(struct cpu_set *set)
{
    unsigned last = set->count - 1;
    PRE(last > 0);
    __atomic_store_n(&set->count, last, __ATOMIC_RELEASE);
    code_forget(set->cpus[last]);
    storage_forget_observers(set->st);
    for (unsigned i = 0; i < last; i++)
        code_observe(set->cpus[i]);
    cpu_destroy(set->cpus[last]);
    set->cpus[last] = NULL;
    atomic_fetch_and(&set->standby, ~(1ull << last));
}

int cpu_set_resize_storage(struct cpu_set *set, u64 bytes, struct cause *cause)
{
    void *maps[CPUS_MAX] = {0};
    u64 reach = set->st->reach > set->st->size ? set->st->reach : bytes;
    u64 frames = (reach > bytes ? reach : bytes) / FRAME_BYTES;
    bool ok = true;
    for (unsigned i = 0; i < set->count; i++)
        ok &= (maps[i] = code_frames_create(frames)) != NULL;
    for (unsigned i = 0; i < set->count; i++)
        code_forget(set->cpus[i]);
    int rc = ok ? storage_resize(set->st, bytes, cause)
                : cause_set(cause, ST_NOMEM, "no memory for %llu frames",
                            (unsigned long long)frames);
    for (unsigned i = 0; i < set->count; i++) {
        if (rc) {
            code_frames_destroy(maps[i], frames);
            continue;
        }
        set->cpus[i]->storage = set->st->base;
        code_frames_take(set->cpus[i], maps[i], frames);
        cpu_registers_changed(set->cpus[i]);
    }
    return rc;
}

bool cpu_set_configured(const struct cpu_set *set, unsigned address)
{
    return address < set->count && !(atomic_load(&set->standby) >> address & 1);
}

u64 cpu_set_standby(const struct cpu_set *set)
{
    return atomic_load(&set->standby);
}

void cpu_set_configure(struct cpu_set *set, unsigned address, bool on)
{
    u64 bit = 1ull << address;
    PRE(address > 0 && address < set->count);
    topology_changed(set);
    if (on) {
        atomic_fetch_and(&set->standby, ~bit);
        return;
    }
    atomic_fetch_or(&set->standby, bit);
    cpu_kick(set->cpus[address], REQ_INITIAL_RESET);
}

void cpu_set_purge(struct cpu_set *set)
{
    for (unsigned i = 0; i < set->count; i++)
        atomic_fetch_or(&set->cpus[i]->requests, REQ_FLUSH_TLB);
}
