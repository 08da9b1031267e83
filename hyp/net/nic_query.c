/* QUERY NIC and QUERY VIRTUAL NIC. Forms of answers: tools of Linux read them (lsqeth, lszdev, and
 * Feilong); what those do not read is from memory. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "hyp/cp/cp_net.h"

static void counter_rows(struct cp_request *req, const struct vm_nic_info *c,
                         const char *indent)
{
    cp_line(req, "%sRX Packets: %-10llu Discarded: %-10llu Errors: 0", indent,
            (unsigned long long)c->received, (unsigned long long)c->no_room);
    cp_line(req, "%sTX Packets: %-10llu Discarded: %-10llu Errors: %llu", indent,
            (unsigned long long)c->sent, (unsigned long long)c->discarded,
            (unsigned long long)c->errors);
    cp_line(req, "%sRX Bytes: %-20llu TX Bytes: %llu", indent,
            (unsigned long long)c->received_bytes, (unsigned long long)c->sent_bytes);
}

static void addresses(struct cp_request *req, struct cp_user *user, const struct cp_nic *nic,
                      bool group, const char *indent)
{
    char text[MAC_TEXT_BYTES];
    u8 mac[MAC_BYTES];
    for (unsigned i = 0; req->cp->ports.vm->nic_address(user->vm, nic->vdev, group, i, mac);
         i++) {
        if (!i)
            cp_line(req, "%s  %s MAC Addresses:", indent, group ? "Multicast" : "Unicast");
        cp_line(req, "%s    %s", indent, mac_text(mac, text));
    }
}

static void ip_addresses(struct cp_request *req, struct cp_user *user, const struct cp_nic *nic,
                         const char *indent)
{
    static const u8 v4[12] = {[10] = 0xff, 0xff};
    char text[INET6_ADDRSTRLEN], mac[MAC_TEXT_BYTES];
    u8 ip[16];
    for (unsigned i = 0; req->cp->ports.vm->nic_ip(user->vm, nic->vdev, i, ip); i++) {
        bool is4 = !memcmp(ip, v4, sizeof v4);
        inet_ntop(is4 ? AF_INET : AF_INET6, is4 ? ip + sizeof v4 : ip, text, sizeof text);
        if (!i)
            cp_line(req, "%s  Unicast IP Addresses:", indent);
        cp_line(req, "%s    %-22s MAC: %s", indent, text, mac_text(nic->mac, mac));
    }
}

static void port_rows(struct cp_request *req, const struct cp_nic *nic, const char *indent)
{
    char vlans[VLAN_TEXT_BYTES];
    u16 at = 0;
    if (!nic->sw || !nic->sw->vlan_aware)
        return;
    cp_line(req, "%sPorttype: %s", indent, nic->rules.type == LAN_TRUNK ? "Trunk" : "Access");
    cp_line(req, "%sVLAN: %s", indent, vlan_line(&nic->rules.allowed, &at, vlans));
    while (at)
        cp_line(req, "%s      %s", indent, vlan_line(&nic->rules.allowed, &at, vlans));
}

static const char *promiscuous(const struct cp_nic *nic, const struct vm_nic_info *info)
{
    if (!info->promiscuous)
        return nic->rules.promiscuous ? "Authorized" : "Not authorized";
    return nic->rules.promiscuous ? "Active" : "Requested, not authorized";
}

void cp_nic_details(struct cp_request *req, struct cp_user *user, const struct cp_nic *nic,
                    const char *indent)
{
    struct vm_nic_info info;
    if (!req->cp->ports.vm->nic_info(user->vm, nic->vdev, &info))
        return;
    counter_rows(req, &info, indent);
    cp_line(req, "%sDevice: %04X  Unit: 002   Role: DATA       Port: %04u", indent,
            nic->vdev + 2, nic->sw ? nic->port : 0);
    port_rows(req, nic, indent);
    if (nic->sw)
        cp_line(req, "%sPromiscuous mode: %s  MAC Protection: %s", indent,
                promiscuous(nic, &info), nic->rules.protect ? "ON" : "OFF");
    if (!info.started)
        return;
    cp_line(req, "%sOptions: %s", indent,
            info.layer == 3 ? "Broadcast Multicast IPv6 IPv4 VLAN" : "Ethernet Broadcast");
    addresses(req, user, nic, false, indent);
    ip_addresses(req, user, nic, indent);
    addresses(req, user, nic, true, indent);
}

static void nic_rows(struct cp_request *req, struct cp_user *user, const struct cp_nic *nic,
                     bool details)
{
    char mac[MAC_TEXT_BYTES];
    const struct vswitch *sw = nic->sw;
    cp_line(req, "Adapter %04X.P00 Type: %-9s Name: any         Devices: 3", nic->vdev,
            nic->hipersockets ? "HIPERS" : "QDIO");
    mac_text(nic->mac, mac);
    if (sw)
        cp_line(req, "  MAC: %s         %s: %s %s", mac, sw->guest_lan ? "LAN" : "VSWITCH",
                sw->owner, sw->name);
    else
        cp_line(req, "  MAC: %s         LAN: *   None", mac);
    if (details)
        cp_nic_details(req, user, nic, "    ");
}

int cp_nic_query(struct cp_request *req, struct cp_user *user, const char *word)
{
    bool all = !word || !strcmp(word, "ALL") || cp_abbrev(word, "ACTive");
    bool details = word && cp_abbrev(word, "DETails");
    const char *more = all || !details ? cp_operand(req) : NULL;
    struct cp_nic *one = NULL;
    u16 vdev;
    if (!all && !details && cp_nic_vdev(word, &vdev))
        one = cp_nic_at(user, vdev);
    if (more && !cp_abbrev(more, "DETails"))
        return cp_fail(req, MSG_CMD003E, more);
    if (!all && !details && !one)
        return cp_fail(req, MSG_QVD040E, word);
    if (!user->nics)
        cp_line(req, "No network adapters are defined.");
    for (struct cp_nic *nic = user->nics; nic; nic = nic->next)
        if (!one || nic == one)
            nic_rows(req, user, nic, details || more);
    return 0;
}

bool cp_nic_place(struct cp *cp, const char *userid, u16 vdev, struct vm_nic_place *out)
{
    struct cp_user *user = cp_user_find(cp, userid);
    const struct cp_nic *nic = user ? cp_nic_at(user, vdev) : NULL;
    if (!nic)
        return false;
    *out = (struct vm_nic_place){.base = nic->vdev};
    memcpy(out->mac, nic->mac, MAC_BYTES);
    if (!nic->sw)
        return true;
    strcpy(out->owner, nic->sw->owner);
    strcpy(out->lan, nic->sw->name);
    out->layer = nic->rules.layer;
    out->port = nic->port;
    return true;
}

/* QUERY NIC [USER userid] [ALL | vdev] [DETAILS]: another user's needs class B */
int cp_query_nic(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    struct cp_user *user;
    (void)ctx;
    if (!word || !cp_abbrev(word, "USERid") || !(req->classes & CP_CLASS('B'))) {
        user = cp_own_machine(req);
        return user ? cp_nic_query(req, user, word) : msg_number(MSG_CMD045E);
    }
    word = cp_operand(req);
    user = word ? cp_user_find(req->cp, word) : NULL;
    if (!user)
        return word ? cp_fail(req, MSG_CMD045E, word) : cp_fail(req, MSG_CMD026E);
    return cp_nic_query(req, user, cp_operand(req));
}
