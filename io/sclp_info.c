/* SCLP: Read SCP Information and Read CPU Information.
 * Offsets as Linux's sclp_early and sclp_info read them. */
#include "io/sclp_internal.h"

#define INFO_BYTES_MIN 128u
#define CPU_ENTRY_BYTES 16u
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
#define FAC85_ESOP 0x02

static void store_cpus(const struct sclp *sclp, u8 *at)
{
    for (unsigned i = 0; i < sclp->config.cpus; i++, at += CPU_ENTRY_BYTES) {
        at[0] = (u8)i;
        memcpy(at + 1, sclp->config.cpu_feature, sizeof sclp->config.cpu_feature);
    }
}

u16 sclp_read_scp_info(struct sclp *sclp, u8 *sccb, u32 len)
{
    const struct sclp_config *c = &sclp->config;
    if (len < INFO_BYTES_MIN + c->cpus * CPU_ENTRY_BYTES)
        return RC_SHORT_SCCB;
    u64 increments = c->storage_bytes >> 20; /* of 1 MiB */
    memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
    if (increments < 0x10000)
        be16_store(sccb + INFO_RNMAX, (u16)increments);
    else
        be64_store(sccb + INFO_RNMAX2, increments);
    sccb[INFO_RNSIZE] = 1;
    be32_store(sccb + INFO_RNSIZE2, 0);
    be16_store(sccb + INFO_CPUS, (u16)c->cpus);
    be16_store(sccb + INFO_CPU_OFFSET, INFO_BYTES_MIN);
    ebcdic_pad(c->loadparm, 8, sccb + INFO_LOADPARM);
    be64_store(sccb + INFO_FACILITIES, FACILITY_CPU_INFO);
    be16_store(sccb + INFO_IBC, c->ibc_lowest);
    be16_store(sccb + INFO_IBC + 2, c->ibc_newest);
    sccb[INFO_FAC85] = c->esop ? FAC85_ESOP : 0;
    be16_store(sccb + INFO_HCPUA, (u16)(c->cpus_max ? c->cpus_max - 1 : 0));
    store_cpus(sclp, sccb + INFO_BYTES_MIN);
    return RC_NORMAL_READ;
}

u16 sclp_read_cpu_info(struct sclp *sclp, u8 *sccb, u32 len)
{
    unsigned n = sclp->config.cpus;
    u32 end = 16 + n * CPU_ENTRY_BYTES;
    if (len < end)
        return RC_SHORT_SCCB;
    memset(sccb + SCCB_HEADER, 0, len - SCCB_HEADER);
    be16_store(sccb + 8, (u16)n);
    be16_store(sccb + 10, 16);
    be16_store(sccb + 12, 0);
    be16_store(sccb + 14, (u16)end);
    store_cpus(sclp, sccb + 16);
    return RC_NORMAL_READ;
}
