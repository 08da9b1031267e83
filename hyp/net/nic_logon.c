/* Adapters that a user has from its directory entry, and those that move with it: what goes along
 * is what the adapter was told, not what its port may, which is the destination's to say. */
#include <string.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_net.h"

static int create(struct cp_user *user, const struct dir_nic *d, struct cp_nic **nic,
                  struct cause *cause)
{
    struct cp_nic like = {.vdev = d->vdev, .hipersockets = d->hipersockets};
    struct vswitches *all = cp_nets(user->cp);
    if (!all)
        return cause_set(cause, ST_NOMEM, "no memory");
    if (d->other)
        return cause_set(cause, ST_REFUSED, "adapters of types QDIO and HIPERSOCKETS are here");
    if (d->option) {
        like.option = *d->option;
        like.authorized = true;
    }
    like.port_wanted = d->port;
    like.authorized |= d->port != 0;
    if (d->has_macid)
        mac_pool_named(vswitches_macs(all), d->macid, like.mac);
    return cp_nic_create(user, &like, d->has_macid, false, nic, cause);
}

static void nicdef(struct cp_user *user, const struct dir_nic *d)
{
    struct cause cause = {0};
    struct cp_nic *nic = NULL;
    char text[NET_NAME_TEXT_BYTES];
    if (create(user, d, &nic, &cause)) {
        cp_user_tell(user, "NIC %04X not created; %s", d->vdev, cause.text);
        return;
    }
    cp_user_tell(user, "NIC %04X is created; devices %04X-%04X defined", d->vdev, d->vdev,
                 d->vdev + CP_NIC_DEVICES - 1);
    if (!d->lan[0])
        return;
    const char *owner = strcmp(d->owner, "*") ? d->owner : user->userid;
    struct vswitch *sw = vswitch_find(user->cp->nets, owner, d->lan);
    if (!sw)
        cp_user_tell(user, "NIC %04X not connected; %s %s %s does not exist", d->vdev,
                     strcmp(owner, NET_SYSTEM) ? "LAN" : "VSWITCH", owner, d->lan);
    else if (cp_nic_couple(user, nic, sw, &cause))
        cp_user_tell(user, "NIC %04X not connected; %s", d->vdev, cause.text);
    else
        cp_user_tell(user, "NIC %04X is connected to %s", d->vdev, vswitch_text(sw, text));
}

void cp_nics_logon(struct cp_user *user)
{
    for (unsigned i = 0; i < user->entry->nic_count; i++)
        nicdef(user, &user->entry->nics[i]);
}

/* --- relocation ------------------------------------------------------------------------------ */

#define NAME_BYTES 8u

/* Where what is in a row. */
enum nic_at {
    AT_VDEV = 0,
    AT_MAC = 2,
    AT_LAN = AT_MAC + MAC_BYTES, /* SYSTEM's: a virtual switch, or LAN of HiperSockets */
    AT_PORT = AT_LAN + NAME_BYTES,
    AT_KIND = AT_PORT + 2, /* 1: HiperSockets */
    AT_AUTHORIZED,
    AT_PROTECT,
    AT_OPTIONS, /* OPTION_... */
    AT_VLANS,   /* as lan.h has a set; there if OPTION_VLANS */
};
#define ROW_BYTES AT_VLANS
#define ROW_BYTES_MAX (AT_VLANS + sizeof(struct vlan_set))

enum {
    OPTION_TYPE = 1,
    OPTION_TRUNK = 2,
    OPTION_VLANS = 4,
    OPTION_PROMISCUOUS_TOLD = 8,
    OPTION_PROMISCUOUS = 16,
    OPTION_PRIORITY_SHIFT = 5,
};

static u8 options_of(const struct port_option *o)
{
    return (u8)((o->has_type ? OPTION_TYPE : 0) | (o->type == LAN_TRUNK ? OPTION_TRUNK : 0) |
                (o->has_vlans ? OPTION_VLANS : 0) |
                (o->has_promiscuous ? OPTION_PROMISCUOUS_TOLD : 0) |
                (o->promiscuous ? OPTION_PROMISCUOUS : 0) |
                o->priority << OPTION_PRIORITY_SHIFT);
}

static void options_put(u8 bits, struct port_option *o)
{
    o->has_type = bits & OPTION_TYPE;
    o->type = bits & OPTION_TRUNK ? LAN_TRUNK : LAN_ACCESS;
    o->has_vlans = bits & OPTION_VLANS;
    o->has_promiscuous = bits & OPTION_PROMISCUOUS_TOLD;
    o->promiscuous = bits & OPTION_PROMISCUOUS;
    o->priority = bits >> OPTION_PRIORITY_SHIFT & 3;
}

void cp_nics_save(struct cp_user *user, u16 tag, struct codec_out *out)
{
    for (const struct cp_nic *nic = user->nics; nic; nic = nic->next) {
        u8 p[ROW_BYTES_MAX] = {0};
        be16_store(p + AT_VDEV, nic->vdev);
        memcpy(p + AT_MAC, nic->mac, MAC_BYTES);
        if (nic->sw)
            memcpy(p + AT_LAN, nic->sw->name, strlen(nic->sw->name));
        be16_store(p + AT_PORT, nic->port_wanted);
        p[AT_KIND] = nic->hipersockets;
        p[AT_AUTHORIZED] = nic->authorized;
        p[AT_PROTECT] = nic->protect;
        p[AT_OPTIONS] = options_of(&nic->option);
        memcpy(p + AT_VLANS, &nic->option.vlans, sizeof nic->option.vlans);
        codec_put_bytes(out, tag, p, nic->option.has_vlans ? ROW_BYTES_MAX : ROW_BYTES);
    }
}

/* The adapter of a row, and the name of what it was coupled with, ""; false: the row is damaged. */
static bool row_read(const struct codec_row *row, struct cp_nic *nic, char *lan)
{
    char name[NAME_BYTES + 1] = "";
    const u8 *p = row->p;
    if (row->len != ROW_BYTES && row->len != ROW_BYTES_MAX)
        return false;
    memcpy(name, p + AT_LAN, NAME_BYTES);
    *lan = 0;
    if (*name && !scan_name(name, lan, NAME_BYTES))
        return false;
    *nic = (struct cp_nic){.vdev = be16_load(p + AT_VDEV),
                           .hipersockets = p[AT_KIND],
                           .authorized = p[AT_AUTHORIZED],
                           .port_wanted = be16_load(p + AT_PORT),
                           .protect = p[AT_PROTECT]};
    memcpy(nic->mac, p + AT_MAC, MAC_BYTES);
    options_put(p[AT_OPTIONS], &nic->option);
    if (nic->option.has_vlans != (row->len == ROW_BYTES_MAX))
        return false;
    if (nic->option.has_vlans)
        memcpy(&nic->option.vlans, p + AT_VLANS, sizeof nic->option.vlans);
    return nic->vdev && nic->vdev <= 0xffff - CP_NIC_DEVICES + 1 && p[AT_KIND] <= 1 &&
           p[AT_AUTHORIZED] <= 1 && nic->protect <= NET_ON &&
           nic->port_wanted <= VSWITCH_PORT_MAX && !mac_is_group(nic->mac);
}

int cp_nic_restore(struct cp_user *user, const struct codec_row *row, struct cause *cause)
{
    char lan[NAME_BYTES + 1];
    struct cp_nic like, *nic;
    if (!row_read(row, &like, lan))
        return cause_set(cause, ST_PROTO, "an adapter of %s is damaged", user->userid);
    struct vswitches *all = cp_nets(user->cp);
    struct vswitch *sw = all && *lan ? vswitch_find(all, NET_SYSTEM, lan) : NULL;
    if (*lan && !sw)
        return cause_set(cause, ST_NOENT, "%s SYSTEM %s is not here",
                         like.hipersockets ? "LAN" : "VSWITCH", lan);
    int rc = cp_nic_create(user, &like, true, false, &nic, cause);
    return rc || !sw ? rc : cp_nic_couple(user, nic, sw, cause);
}
