/* What a member lists of itself for the rows of ssi_check.def. Of commands that changed something
 * since the start the effect is listed: networks, prefixes and CP-owned volumes as they are now. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/cp/cp_disk.h"
#include "hyp/cp/cp_net.h"
#include "hyp/cp/cp_ssi_check.h"

/* SSI statement: what it is called, where its PDR is. */
void ssi_list_cluster(struct cp *cp, struct ssi_check_list *out)
{
    ssi_check_add(out, false, "name", "%s", cp->config->ssi_name);
    ssi_check_add(out, false, "PDR_VOLUME", "%s", cp->config->pdr_volid);
}

/* As the cluster has them now: SSI statement, and what was set since. */
void ssi_list_slots(struct cp *cp, struct ssi_check_list *out)
{
    struct cp_cluster_member m;
    char key[16];
    for (unsigned i = 0; cp->cluster && cp->cluster->member(cp->cluster_ctx, i, &m); i++) {
        snprintf(key, sizeof key, "SLOT %u", i + 1);
        if (m.name[0])
            ssi_check_add(out, false, key, "%s", m.name);
    }
}

void ssi_list_identity(struct cp *cp, struct ssi_check_list *out)
{
    ssi_check_add(out, true, "System name", "%s", cp->config->member);
    ssi_check_add(out, true, "SSI slot", "slot %u", cp->config->slot);
}

/* USER DIRECT as it is online: each USER, IDENTITY, SUBCONFIG and PROFILE, and a digest of its
 * statements. */
void ssi_list_directory(struct cp *cp, struct ssi_check_list *out)
{
    const struct dir_digest *d;
    for (unsigned i = 0; (d = directory_digest_at(cp->directory, i)); i++)
        ssi_check_add(out, false, d->name, "%016llx", (unsigned long long)d->digest);
}

static bool has_spool(const struct rdev *d)
{
    bool spool = false;
    for (unsigned i = 0; d && i < d->alloc.count; i++)
        spool |= d->alloc.extent[i].type == ALLOC_SPOL;
    return spool;
}

/* Marked: volumes with spool space, which have the same slot everywhere, as spool files are found
 * by it. Others may be a member's own (z/VM: "CP Planning and Administration", CP_OWNED). */
void ssi_list_volumes(struct cp *cp, struct ssi_check_list *out)
{
    struct rdevs *r = cp_rdevs(cp);
    char key[16];
    bool shared;
    for (unsigned slot = 1; r && slot <= CPOWNED_SLOTS_MAX; slot++) {
        const char *volid = rdev_owned_slot(r, slot, &shared);
        snprintf(key, sizeof key, "SLOT %u", slot);
        if (*volid)
            ssi_check_add(out, has_spool(rdev_volume(r, volid)), key, "%s", volid);
    }
}

void ssi_list_prefixes(struct cp *cp, struct ssi_check_list *out)
{
    const struct mac_pool *macs = cp_nets(cp) ? vswitches_macs(cp->nets) : NULL;
    if (!macs)
        return;
    ssi_check_add(out, true, "MACPREFIX", "%06X", mac_pool_prefix(macs));
    ssi_check_add(out, false, "USERPREFIX", "%06X", mac_pool_user_prefix(macs));
}

void ssi_list_user_prefix(struct cp *cp, struct ssi_check_list *out)
{
    if (cp_nets(cp))
        ssi_check_add(out, false, "USERPREFIX", "%06X",
                      mac_pool_user_prefix(vswitches_macs(cp->nets)));
}

/* Switches of one name are one network over the members, so that what they do with a frame is not
 * to depend on where it passes. Uplinks, grants and limits may differ. */
void ssi_list_vswitches(struct cp *cp, struct ssi_check_list *out)
{
    const struct vswitch *sw = cp->nets ? vswitch_next(cp->nets, NULL) : NULL;
    char vlan[48] = "VLAN UNAWARE";
    for (; sw; sw = vswitch_next(cp->nets, sw)) {
        if (sw->guest_lan)
            continue;
        if (sw->vlan_aware)
            snprintf(vlan, sizeof vlan, "VLAN %u NATIVE %u PORTTYPE %s", sw->default_vlan,
                     sw->native_vlan, sw->default_type == LAN_TRUNK ? "TRUNK" : "ACCESS");
        else
            strcpy(vlan, "VLAN UNAWARE");
        ssi_check_add(out, false, sw->name, "%s %s%s%s%s", sw->ip ? "IP" : "ETHERNET", vlan,
                      sw->isolated ? " ISOLATION" : "", sw->vepa ? " VEPA" : "",
                      sw->port_based ? " PORTBASED" : "");
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void list_domain(const struct config_domain *domain, bool marked,
                        struct ssi_check_list *out)
{
    struct config_domain d = *domain;
    char text[SSI_CHECK_VALUE_BYTES] = "";
    qsort(d.members, d.member_count, sizeof d.members[0], by_name);
    for (unsigned k = 0; k < d.member_count; k++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", k ? " " : "",
                 d.members[k]);
    ssi_check_add(out, marked, d.name, "%s", text);
}

/* Those of system.config. Marked: those that DEFINE RELODOMAIN has made or changed, which members
 * tell one another (service DOMAIN), whatever system.config says. */
void ssi_list_domains(struct cp *cp, struct ssi_check_list *out)
{
    const struct config_domain_list *more = cp->config->defined_domains;
    for (unsigned i = 0; more && i < more->count; i++)
        list_domain(&more->domain[i], true, out);
    for (unsigned i = 0; i < cp->config->domain_count; i++) {
        const struct config_domain *d = &cp->config->domains[i];
        struct config_domain scratch;
        if (config_domain_find(cp->config, d->name, &scratch) == d)
            list_domain(d, false, out);
    }
}

/* "3390 1113 VOL001", of each device that is not like one before it. */
static void eqid_text(struct rdevs *r, const char *eqid, const struct system_config *config,
                      char out[SSI_CHECK_VALUE_BYTES])
{
    out[0] = 0;
    for (unsigned i = 0; i < config->eqid_count; i++) {
        const struct config_eqid *e = &config->eqids[i];
        struct rdev *d;
        if (strcmp(e->eqid, eqid) != 0)
            continue;
        for (unsigned k = 0; (d = rdev_at(r, k)); k++) {
            char one[40];
            if (d->devno < e->first || d->devno > e->last)
                continue;
            snprintf(one, sizeof one, "%04X %llu %s", d->type, (unsigned long long)d->units,
                     d->volid);
            if (!strstr(out, one))
                snprintf(out + strlen(out), SSI_CHECK_VALUE_BYTES - strlen(out), "%s%s",
                         *out ? ", " : "", one);
        }
    }
}

/* What the devices of an EQID are: type, size, label. */
void ssi_list_eqids(struct cp *cp, struct ssi_check_list *out)
{
    const struct system_config *config = cp->config;
    for (unsigned i = 0; cp_rdevs(cp) && i < config->eqid_count; i++) {
        char text[SSI_CHECK_VALUE_BYTES];
        bool again = false;
        for (unsigned k = 0; k < i; k++)
            again |= !strcmp(config->eqids[k].eqid, config->eqids[i].eqid);
        if (again)
            continue;
        eqid_text(cp_rdevs(cp), config->eqids[i].eqid, config, text);
        if (text[0])
            ssi_check_add(out, false, config->eqids[i].eqid, "%s", text);
    }
}

/* Guests keep their TOD clocks when they are relocated: those of members are to be in step. */
void ssi_list_clock(struct cp *cp, struct ssi_check_list *out)
{
    ssi_check_add(out, false, "TOD clock", "%llu ms",
                  (unsigned long long)(cp_now(cp) / 1000000u));
}
