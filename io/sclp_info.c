/* SCLP: Read SCP Information and Read CPU Information.
 * Offsets as Linux's sclp_early and sclp_info read them. */
#include "io/sclp_internal.h"

#define INFO_BYTES_MIN 128u
#define CPU_ENTRY_BYTES 16u
#define CPU_TYPE 14 /* in an entry */
#define INFO_RNMAX 8
#define INFO_RNSIZE 10
#define INFO_CPUS 16
#define INFO_CPU_OFFSET 18
#define INFO_LOADPARM 24
#define INFO_FACILITIES 48
#define INFO_IBC 76
#define INFO_FAC85 85
#define INFO_RNSIZE2 100
#define INFO_RNMAX2 104
#define INFO_HCPUA 120
#define FACILITY_CPU_INFO 0x0800000000000000ull
#define FACILITY_CPU_RECONFIG 0x0400000000000000ull
#define FACILITY_CHP_INFO 0x8000000000000000ull
#define FACILITY_CHP_RECONFIG 0x2000000000000000ull
#define FACILITY_ELEMENTS 0x0000e00000000000ull /* storage elements: read, attach, assign */
#define FAC85_ESOP 0x02

unsigned sclp_cpus(const struct sclp *sclp, u64 *standby)
{
    *standby = 0;
    return sclp->ports->cpus ? sclp->ports->cpus(sclp->ctx, standby) : sclp->config.cpus;
}

u64 sclp_cpus_undefined(const struct sclp *sclp)
{
    return sclp->ports->cpus_undefined ? sclp->ports->cpus_undefined(sclp->ctx) : 0;
}

static u8 *store_cpu(const struct sclp *sclp, unsigned cpu, u8 *at)
{
    at[0] = (u8)cpu;
    memcpy(at + 1, sclp->config.cpu_feature, sizeof sclp->config.cpu_feature);
    if (sclp->ports->cpu_type)
        at[CPU_TYPE] = sclp->ports->cpu_type(sclp->ctx, cpu);
    return at + CPU_ENTRY_BYTES;
}

/* Entries of the configured CPUs, then of those in standby; the number of the latter. */
static unsigned store_cpus(const struct sclp *sclp, unsigned n, u64 standby, u8 *at)
{
    u64 waiting = standby & ~sclp_cpus_undefined(sclp);
    for (unsigned i = 0; i < n; i++)
        if (!(standby >> i & 1))
            at = store_cpu(sclp, i, at);
    for (unsigned i = 0; i < n; i++)
        if (waiting >> i & 1)
            at = store_cpu(sclp, i, at);
    return (unsigned)__builtin_popcountll(waiting);
}

/* Number and size of the increments. Without standby storage their size is 1 MiB. */
static void store_increments(const struct sclp *sclp, u8 *sccb)
{
    const struct sclp_config *c = &sclp->config;
    u64 unit = c->standby_bytes ? sclp->storage->increment_bytes : 1u << 20;
    u64 increments = (c->storage_bytes + c->standby_bytes) / unit;
    u64 units = unit >> 20;
    if (increments < 0x10000)
        be16_store(sccb + INFO_RNMAX, (u16)increments);
    else
        be64_store(sccb + INFO_RNMAX2, increments);
    if (units < 0x100)
        sccb[INFO_RNSIZE] = (u8)units;
    else
        be32_store(sccb + INFO_RNSIZE2, (u32)units);
}

u16 sclp_read_scp_info(struct sclp *sclp, u8 *sccb, u32 len)
{
    const struct sclp_config *c = &sclp->config;
    u64 standby;
    unsigned cpus = sclp_cpus(sclp, &standby);
    unsigned configured = cpus - (unsigned)__builtin_popcountll(standby);
    if (len < INFO_BYTES_MIN + cpus * CPU_ENTRY_BYTES)
        return RC_SHORT_SCCB;
    memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
    store_increments(sclp, sccb);
    be16_store(sccb + INFO_CPUS, (u16)configured);
    be16_store(sccb + INFO_CPU_OFFSET, INFO_BYTES_MIN);
    ebcdic_pad(c->loadparm, 8, sccb + INFO_LOADPARM);
    be64_store(sccb + INFO_FACILITIES,
               FACILITY_CPU_INFO | (sclp->ports->cpu_configure ? FACILITY_CPU_RECONFIG : 0) |
                   (c->css ? FACILITY_CHP_INFO | FACILITY_CHP_RECONFIG : 0) |
                   (c->standby_bytes ? FACILITY_ELEMENTS : 0));
    be16_store(sccb + INFO_IBC, c->ibc_lowest);
    be16_store(sccb + INFO_IBC + 2, c->ibc_newest);
    sccb[INFO_FAC85] = c->esop ? FAC85_ESOP : 0;
    be16_store(sccb + INFO_HCPUA, (u16)(c->cpus_max ? c->cpus_max - 1 : 0));
    store_cpus(sclp, cpus, standby, sccb + INFO_BYTES_MIN);
    return RC_NORMAL_READ;
}

u16 sclp_read_cpu_info(struct sclp *sclp, u8 *sccb, u32 len)
{
    u64 standby;
    unsigned n = sclp_cpus(sclp, &standby);
    if (len < 16 + n * CPU_ENTRY_BYTES)
        return RC_SHORT_SCCB;
    memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
    unsigned configured = n - (unsigned)__builtin_popcountll(standby);
    unsigned waiting = store_cpus(sclp, n, standby, sccb + 16);
    be16_store(sccb + 8, (u16)configured);
    be16_store(sccb + 10, 16);
    be16_store(sccb + 12, (u16)waiting);
    be16_store(sccb + 14, (u16)(16 + configured * CPU_ENTRY_BYTES));
    return RC_NORMAL_READ;
}
