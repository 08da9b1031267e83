/* A member and its cluster: what of the configuration ssi needs, joining, leaving, expulsion.
 * The orderly end and the failed start meet in member_left (member.c). */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/member_internal.h"
#include "hyp/event.h"
#include "mem/base/log.h"

static void on_message(void *ctx, const char *text)
{
    struct member *m = ctx;
    if (m->cp && cp_user_find(m->cp, m->config->features.operator_userid))
        cp_operator_tell(m->cp, "%s", text); /* the log shows the operator's console */
    else
        log_line("%s", text);
}

/* Others declared us down: the names we held may be taken elsewhere, so nothing may run here. */
static void on_expelled(void *ctx, const struct cause *cause)
{
    struct member *m = ctx;
    log_line("declared down by the cluster: %s; all virtual machines end", cause->text);
    m->status = EXIT_INTERNAL;
    member_shutdown(m, true, "SSI");
}

/* SET SSI SLOT, here or elsewhere: what everything else takes from system.config follows. */
static void on_slots(void *ctx)
{
    struct member *m = ctx;
    struct ssi_view view;
    ssi_query(ssi_uv_ssi(m->ssi), &view);
    for (unsigned i = 0; i < SSI_SLOTS_MAX && i < CONFIG_SLOTS_MAX; i++)
        if (strcmp(view.slots[i].name, m->config->slots[i].member) != 0)
            config_slot_set(m->config, i + 1, view.slots[i].name);
}

static void post(const struct member *m, struct event *what)
{
    snprintf(what->cluster, sizeof what->cluster, "%s", m->config->ssi_name);
    if (m->cp)
        events_post(cp_events(m->cp), what);
}

static void on_mode(void *ctx, enum ssi_mode before, enum ssi_mode now)
{
    struct event what = {.id = EVENT_MODE, .before = (u8)before, .now = (u8)now};
    post(ctx, &what);
}

static void on_state(void *ctx, const char *member, enum ssi_state before, enum ssi_state now)
{
    struct event what = {.id = EVENT_STATE, .before = (u8)before, .now = (u8)now};
    snprintf(what.system, sizeof what.system, "%s", member);
    post(ctx, &what);
}

static const struct ssi_events events = {.expelled = on_expelled,
                                         .slots_changed = on_slots,
                                         .mode_changed = on_mode,
                                         .state_changed = on_state};

static void ssi_times(const struct config_ssi_links *links, struct ssi_config *sc)
{
    const struct {
        unsigned seconds, *ms;
    } times[] = {{links->heartbeat_s, &sc->heartbeat_ms},
                 {links->silence_s, &sc->silence_ms},
                 {links->keepalive_s, &sc->keepalive_ms},
                 {links->handshake_s, &sc->handshake_ms},
                 {links->join_s, &sc->join_ms}};
    for (unsigned i = 0; i < ARRAY_LEN(times); i++)
        if (times[i].seconds)
            *times[i].ms = times[i].seconds * 1000;
    if (links->streams_set)
        sc->streams = links->streams;
}

/* DIR/keys: when it is there, links are in TLS. */
static int ssi_keys(const struct system_config *k, struct ssi_config *sc, struct cause *cause)
{
    int n = snprintf(sc->keys_dir, sizeof sc->keys_dir, "%s/keys", k->dir);
    if (n >= (int)sizeof sc->keys_dir)
        return cause_set(cause, ST_CONFIG, "%s/keys: too long", k->dir);
    if (access(sc->keys_dir, F_OK) == 0 || errno != ENOENT)
        return ST_OK;
    if (k->ssi_links.tls)
        return cause_set(cause, ST_CONFIG,
                         "SSI_LINKS TLS: %s is not there: endicott cluster keys %s makes it",
                         sc->keys_dir, k->dir);
    sc->keys_dir[0] = 0;
    return ST_OK;
}

static int ssi_settings(const struct member *m, struct ssi_config *sc, struct cause *cause)
{
    const struct system_config *k = m->config;
    bool v6 = strchr(k->hardware.ssi_host, ':') != NULL;
    ssi_config_init(sc);
    memcpy(sc->cluster, k->ssi_name, sizeof sc->cluster);
    memcpy(sc->member, k->member, sizeof sc->member);
    sc->slot = k->slot - 1u;
    for (unsigned i = 0; i < SSI_SLOTS_MAX && i < CONFIG_SLOTS_MAX; i++)
        memcpy(sc->slots[i], k->slots[i].member, sizeof sc->slots[i]);
    int n = snprintf(sc->listen, sizeof sc->listen, v6 ? "[%s]:%u" : "%s:%u",
                     k->hardware.ssi_host, k->hardware.ssi_port);
    if (n >= (int)sizeof sc->listen)
        return cause_set(cause, ST_CONFIG, "%s: the host of SSIPORT is too long",
                         k->hardware.path);
    if (snprintf(sc->advertise, sizeof sc->advertise, "%s", k->hardware.ssi_published) >=
        (int)sizeof sc->advertise - 8)
        return cause_set(cause, ST_CONFIG, "%s: the second host of SSIPORT is too long",
                         k->hardware.path);
    memcpy(sc->pdr_path, k->pdr_path, sizeof sc->pdr_path);
    sc->repair = m->opt.repair;
    ssi_times(&k->ssi_links, sc);
    return ssi_keys(k, sc, cause);
}

int member_ssi_open(struct member *m, struct cause *cause)
{
    struct ssi_config sc;
    int rc = ssi_settings(m, &sc, cause);
    if (rc)
        return rc;
    m->ssi = ssi_uv_open(&m->loop, &sc, on_message, m, cause);
    if (!m->ssi)
        return cause->status;
    ssi_set_events(ssi_uv_ssi(m->ssi), &events, m);
    rc = cp_attach_ssi(m->cp, ssi_uv_ssi(m->ssi), cause);
    return rc ? rc : member_lgr_open(m, cause);
}

static void on_joined(void *ctx, int status, const struct cause *cause)
{
    struct member *m = ctx;
    bool host = status == ST_PERM || status == ST_NOMEM || status == ST_IO;
    if (status == ST_OK)
        member_joined(m);
    else if (m->phase != MEMBER_STOPPING)
        member_failed(m, host ? EXIT_RESOURCE : EXIT_JOIN, cause->text);
}

void member_ssi_join(struct member *m)
{
    ssi_join(ssi_uv_ssi(m->ssi), on_joined, m);
}

static void on_left(void *ctx, int status, const struct cause *cause)
{
    struct member *m = ctx;
    if (status != ST_OK)
        log_line("leaving the cluster: %s", cause->text);
    member_left(m);
}

void member_ssi_leave(struct member *m)
{
    ssi_leave(ssi_uv_ssi(m->ssi), on_left, m);
}

static void on_closed(void *ctx)
{
    struct member *m = ctx;
    m->ssi = NULL;
    member_closed(m);
}

void member_ssi_close(struct member *m)
{
    ssi_uv_close(m->ssi, on_closed, m);
}
