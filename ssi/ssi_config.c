/* The configuration of a member: defaults, checks, and the digest that all members must share.
 * The digest covers what never changes while members are up: slots do (ssi_slot.c). */
#include "ssi/ssi_internal.h"

#include <zlib.h>

void ssi_config_init(struct ssi_config *config)
{
    memset(config, 0, sizeof *config);
    memcpy(config->listen, "127.0.0.1:0", sizeof "127.0.0.1:0");
    config->heartbeat_ms = 1000;
    config->silence_ms = 10000;
    config->pdr_beat_ms = 2000;
    config->handshake_ms = 5000;
    config->join_ms = 30000;
    config->leave_ms = 3000;
    config->pdr_lock_ms = 1000;
    config->keepalive_ms = 5000;
    config->streams = 2;
}

bool ssi_name_ok(const char name[SSI_NAME_BYTES])
{
    size_t len = strnlen(name, SSI_NAME_BYTES);
    if (len == 0 || len == SSI_NAME_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= '0' && name[i] <= '9') ||
              strchr("$#@_-:+", name[i])))
            return false;
    return true;
}

static int slots_check(const struct ssi_config *config, struct cause *cause)
{
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const char *name = config->slots[i];
        if (name[0] && !ssi_name_ok(name))
            return cause_set(cause, ST_CONFIG, "the name in slot %u is not valid", i + 1);
        for (unsigned j = 0; j < i && name[0]; j++)
            if (strcmp(name, config->slots[j]) == 0)
                return cause_set(cause, ST_CONFIG, "%s is in slots %u and %u", name, j + 1,
                                 i + 1);
    }
    if (config->slot >= SSI_SLOTS_MAX || strcmp(config->slots[config->slot], config->member))
        return cause_set(cause, ST_CONFIG, "%s is not in its slot of SSI cluster %s",
                         config->member, config->cluster);
    return ST_OK;
}

int ssi_config_check(const struct ssi_config *config, struct cause *cause)
{
    if (!ssi_name_ok(config->cluster) || !ssi_name_ok(config->member))
        return cause_set(cause, ST_CONFIG, "the name of the cluster or system is not valid");
    if (!config->pdr_path[0] || !config->listen[0])
        return cause_set(cause, ST_CONFIG, "the PDR or the listen address is missing");
    if (!config->heartbeat_ms || config->silence_ms < 2 * config->heartbeat_ms ||
        !config->pdr_beat_ms || !config->handshake_ms || !config->join_ms || !config->leave_ms)
        return cause_set(cause, ST_CONFIG, "the time limits of the cluster do not make sense");
    if (config->streams > SSI_STREAMS_MAX)
        return cause_set(cause, ST_CONFIG, "a link has at most %d bulk streams",
                         SSI_STREAMS_MAX);
    return slots_check(config, cause);
}

u32 ssi_config_digest(const struct ssi_config *config)
{
    return (u32)crc32(0, (const Bytef *)config->cluster, (uInt)strlen(config->cluster));
}
