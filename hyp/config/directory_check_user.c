/* What does not go together in one entry, and with others: device numbers, links, names,
 * passwords. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config.h"
#include "hyp/config/directory_check.h"

#define LINKS_FOLLOWED_MAX 8u /* as LINK follows them */
#define NIC_DEVICES 3u        /* read, write, data */

#define WARN(k, at, ...)                                                                       \
    faults_add((k)->faults, FAULT_WARNING, (k)->file, (at).line, (at).col, __VA_ARGS__)
#define NOTE(k, at, ...)                                                                       \
    faults_add((k)->faults, FAULT_NOTE, (k)->file, (at).line, (at).col, __VA_ARGS__)

static struct dir_place place_of_entry(const struct dir_entry *e)
{
    return (struct dir_place){e->line, e->col};
}

/* --- device numbers -------------------------------------------------------------------------- */

struct device {
    u16 vdev;
    struct dir_place at;
};

/* All devices of an entry; *n how many. NULL without memory. */
static struct device *devices_of(const struct dir_entry *e, unsigned *n)
{
    struct device *all =
        calloc(1u + DIR_SPOOLS_MAX + 2 * DIR_SPECIALS_MAX + NIC_DEVICES * DIR_NICS_MAX +
                   e->mdisk_count + e->link_count + e->dedicate_count,
               sizeof *all);
    *n = 0;
    if (!all)
        return NULL;
    if (e->has_console)
        all[(*n)++] = (struct device){e->console_vdev, e->console_at};
    for (unsigned i = 0; i < e->spool_count; i++)
        all[(*n)++] = (struct device){e->spools[i].vdev, e->spools[i].at};
    for (unsigned i = 0; i < e->special_count; i++)
        all[(*n)++] = (struct device){e->specials[i], e->special_at[i]};
    for (unsigned i = 0; i < e->ctca_count; i++)
        all[(*n)++] = (struct device){e->ctcas[i].vdev, e->ctcas[i].at};
    for (unsigned i = 0; i < e->nic_count * NIC_DEVICES; i++)
        all[(*n)++] = (struct device){(u16)(e->nics[i / NIC_DEVICES].vdev + i % NIC_DEVICES),
                                      e->nics[i / NIC_DEVICES].at};
    for (unsigned i = 0; i < e->mdisk_count; i++)
        all[(*n)++] = (struct device){e->mdisks[i].vdev, e->mdisks[i].at};
    for (unsigned i = 0; i < e->link_count; i++)
        all[(*n)++] = (struct device){e->links[i].vdev, e->links[i].at};
    for (unsigned i = 0; i < e->dedicate_count; i++)
        all[(*n)++] = (struct device){e->dedicates[i].vdev, e->dedicates[i].at};
    return all;
}

static int by_number(const void *a, const void *b)
{
    const struct device *x = a, *y = b;
    if (x->vdev != y->vdev)
        return x->vdev < y->vdev ? -1 : 1;
    return x->at.line < y->at.line ? -1 : x->at.line > y->at.line;
}

static void check_devices(struct dir_check *k, const struct dir_entry *e)
{
    unsigned n;
    struct device *all = devices_of(e, &n);
    bool ipl = !e->ipl.present || e->ipl.is_name;
    if (!all)
        return;
    qsort(all, n, sizeof *all, by_number);
    for (unsigned i = 0; i < n; i++) {
        ipl |= all[i].vdev == e->ipl.vdev;
        if (i && all[i].vdev == all[i - 1].vdev)
            WARN(k, all[i].at, "device %04X of %s is defined more than once (line %u)",
                 all[i].vdev, e->userid, all[i - 1].at.line);
    }
    if (!ipl)
        WARN(k, e->ipl.at, "%s has no device %04X to IPL from", e->userid, e->ipl.vdev);
    free(all);
}

/* --- links ------------------------------------------------------------------------------------ */

static bool has_mdisk(const struct dir_entry *e, u16 vdev)
{
    for (unsigned i = 0; i < e->mdisk_count; i++)
        if (e->mdisks[i].vdev == vdev)
            return true;
    return false;
}

/* Where a LINK leads; NULL: to a minidisk. */
static const char *link_fault(const struct directory *dir, const struct dir_entry *e,
                              const struct dir_link *l)
{
    for (unsigned depth = 0; depth < LINKS_FOLLOWED_MAX; depth++) {
        const struct dir_link *next = NULL;
        if (strcmp(l->owner, "*"))
            e = directory_find(dir, l->owner);
        if (!e)
            return depth ? "links lead to no user" : "there is no such user";
        if (has_mdisk(e, l->owner_vdev))
            return NULL;
        for (unsigned i = 0; i < e->link_count && !next; i++)
            next = e->links[i].vdev == l->owner_vdev ? &e->links[i] : NULL;
        if (!next)
            return depth ? "links lead to no minidisk" : "there is no such minidisk";
        l = next;
    }
    return "links lead in a circle or through too many users";
}

static void check_links(struct dir_check *k, const struct directory *dir,
                        const struct dir_entry *e)
{
    for (unsigned i = 0; i < e->link_count; i++) {
        const struct dir_link *l = &e->links[i];
        const char *fault = link_fault(dir, e, l);
        if (fault)
            WARN(k, l->at, "LINK of %s to %s %04X: %s", e->userid, l->owner, l->owner_vdev,
                 fault);
    }
}

/* --- names ------------------------------------------------------------------------------------ */

static void check_names(struct dir_check *k, const struct directory *dir,
                        const struct dir_entry *e)
{
    for (unsigned i = 0; i < e->xautolog_count; i++)
        if (!directory_find(dir, e->xautolog[i]))
            WARN(k, e->xautolog_at[i], "XAUTOLOG of %s: there is no user %s", e->userid,
                 e->xautolog[i]);
    for (unsigned i = 0; i < e->logonby_count; i++) {
        const struct dir_entry *by = directory_find(dir, e->logonby[i]);
        if (!by)
            WARN(k, e->logonby_at[i], "LOGONBY of %s: there is no user %s", e->userid,
                 e->logonby[i]);
        else if (by->logon != DIR_LOGON_PASSWORD)
            WARN(k, e->logonby_at[i], "LOGONBY of %s: %s has no password", e->userid,
                 by->userid);
    }
    if (e->console_again.line)
        WARN(k, e->console_again, "%s has a CONSOLE before this one, which counts no more",
             e->userid);
    const char *second = e->console_secuser[0] ? e->console_secuser : e->console_observer;
    if (*second && !directory_find(dir, second))
        WARN(k, e->console_at, "CONSOLE of %s: there is no user %s", e->userid, second);
}

static void check_password(struct dir_check *k, const struct dir_entry *e)
{
    if (e->logon == DIR_LOGON_LBYONLY && !e->logonby_count)
        WARN(k, place_of_entry(e), "nobody can log on %s: LBYONLY without LOGONBY", e->userid);
    if (e->logon == DIR_LOGON_NOPASS)
        NOTE(k, place_of_entry(e), "%s logs on without a password", e->userid);
    if (e->logon == DIR_LOGON_PASSWORD && !strcmp(e->password, e->userid))
        NOTE(k, place_of_entry(e), "the password of %s is its user id", e->userid);
    for (unsigned i = 0; i < e->mdisk_count; i++)
        if (!strcmp(e->mdisks[i].password[1], "ALL") ||
            !strcmp(e->mdisks[i].password[2], "ALL"))
            NOTE(k, e->mdisks[i].at, "everybody may write on minidisk %04X of %s",
                 e->mdisks[i].vdev, e->userid);
}

static void check_cpus(struct dir_check *k, const struct dir_entry *e)
{
    bool first = false;
    for (unsigned i = 0; i < e->cpu_count; i++)
        first |= e->cpus[i].addr == 0;
    if (!first)
        WARN(k, place_of_entry(e), "%s has no CPU 00: there are as many CPUs from 00 on",
             e->userid);
}

/* --- the member's configuration --------------------------------------------------------------- */

static void check_system(struct dir_check *k, const struct system_config *config,
                         const struct dir_entry *e)
{
    struct config_domain scratch;
    if (e->domain_at.line && !config_domain_find(config, e->domain, &scratch))
        WARN(k, e->domain_at, "VMRELOCATE of %s: there is no domain %s", e->userid, e->domain);
    for (unsigned i = 0; i < e->mdisk_count; i++)
        if (e->mdisks[i].kind == DIR_MDISK_EXTENT &&
            !config_volume_known(config, e->mdisks[i].volid))
            WARN(k, e->mdisks[i].at,
                 "minidisk %04X of %s: volume %s is in no volume list of %s", e->mdisks[i].vdev,
                 e->userid, e->mdisks[i].volid, config->member);
    for (unsigned i = 0; i < e->build_count; i++)
        if (config->in_ssi && strcmp(e->builds[i].member, "*") &&
            !config_slot_of(config, e->builds[i].member))
            WARN(k, e->builds[i].at, "BUILD ON of %s: there is no member %s", e->userid,
                 e->builds[i].member);
}

void dir_check_entry(struct dir_check *k, unsigned view, const struct dir_entry *e)
{
    const struct directory *dir = k->view[view];
    check_devices(k, e);
    check_links(k, dir, e);
    check_names(k, dir, e);
    check_password(k, e);
    check_cpus(k, e);
    if (k->whom[view].config)
        check_system(k, k->whom[view].config, e);
}
