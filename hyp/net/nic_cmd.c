/* Commands about the adapters of virtual machines: DEFINE NIC, DETACH NIC, SET NIC, COUPLE and
 * UNCOUPLE; and how commands about networks read their operands. */
#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"
#include "hyp/cp/cp_ctca.h"
#include "hyp/cp/cp_net.h"

int cp_net_words(struct cp_request *req, struct cp_net_words *w)
{
    const char *word;
    w->n = w->at = 0;
    while ((word = cp_operand(req))) {
        if (w->n == CP_NET_WORDS_MAX)
            return cp_fail(req, MSG_CMD003E, word);
        w->word[w->n++] = word;
    }
    return 0;
}

const char *cp_net_next(struct cp_net_words *w)
{
    return w->at < w->n ? w->word[w->at++] : NULL;
}

bool cp_nic_vdev(const char *word, u16 *vdev)
{
    u64 n;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0x10000 - CP_NIC_DEVICES, &n) || !n)
        return false;
    *vdev = (u16)n;
    return true;
}

/* An adapter of a user, by its first device; NULL with *rc set. */
static struct cp_nic *which_nic(struct cp_request *req, struct cp_user *user, int *rc)
{
    const char *word = cp_operand(req);
    u16 vdev;
    if (!cp_nic_vdev(word, &vdev)) {
        *rc = cp_fail(req, MSG_DEF022E);
        return NULL;
    }
    struct cp_nic *nic = cp_nic_at(user, vdev);
    if (!nic || nic->vdev != vdev) {
        *rc = cp_fail(req, MSG_QVD040E, word);
        return NULL;
    }
    return nic;
}

/* --- DEFINE, DETACH --------------------------------------------------------------------------- */

static int define_operand(struct cp_request *req, struct cp_nic *like, const char *word)
{
    bool type = !strcmp(word, "TYPE"), hipers = scan_abbrev(word, "HIPERsockets");
    const char *value;
    u64 n;
    if (!type && (hipers || !strcmp(word, "QDIO"))) {
        like->hipersockets = hipers;
        return 0;
    }
    if (!type && !cp_abbrev(word, "DEVices") && strcmp(word, "CHPID") != 0)
        return cp_fail(req, MSG_CMD003E, word);
    value = cp_operand(req);
    if (!value)
        return cp_fail(req, MSG_CMD026E);
    if (!strcmp(word, "CHPID")) {
        if (!scan_hex(value, 0xff, &n))
            return cp_fail(req, MSG_CMD003E, value);
        cp_line(req, "CHPID %s has no effect: all adapters have one channel path", value);
        return 0;
    }
    if (!type)
        return strcmp(value, "3") ? cp_fail(req, MSG_CMD003E, value) : 0;
    like->hipersockets = scan_abbrev(value, "HIPERsockets");
    return like->hipersockets || !strcmp(value, "QDIO") ? 0 : cp_fail(req, MSG_CMD003E, value);
}

/* DEFINE NIC vdev [[TYPE] {QDIO | HIPERSOCKETS}] [DEVICES 3] [CHPID nn] */
int cp_define_nic(struct cp_request *req, struct cp_user *user)
{
    const char *word = cp_operand(req);
    struct cp_nic like = {0}, *nic;
    struct cause cause;
    int rc = 0;
    if (!cp_nic_vdev(word, &like.vdev))
        return cp_fail(req, MSG_DEF022E);
    while (!rc && (word = cp_operand(req)))
        rc = define_operand(req, &like, word);
    if (rc)
        return rc;
    if (cp_nic_create(user, &like, false, true, &nic, &cause))
        return cp_fail(req, MSG_NIC2783E, like.vdev, cause.text);
    cp_line(req, "NIC %04X is created; devices %04X-%04X defined", nic->vdev, nic->vdev,
            nic->vdev + CP_NIC_DEVICES - 1);
    return 0;
}

/* DETACH NIC vdev */
int cp_detach_nic(struct cp_request *req, struct cp_user *user)
{
    int rc = 0;
    struct cp_nic *nic = which_nic(req, user, &rc);
    if (!nic || (rc = cp_no_more(req)))
        return rc;
    u16 vdev = nic->vdev;
    cp_nic_destroy(user, nic, true);
    cp_line(req, "NIC %04X is destroyed; devices %04X-%04X detached", vdev, vdev,
            vdev + CP_NIC_DEVICES - 1);
    return 0;
}

/* --- COUPLE, UNCOUPLE ------------------------------------------------------------------------- */

/* The network that an owner and a name are of; NULL with *rc set. */
static struct vswitch *which_network(struct cp_request *req, const struct cp_user *user,
                                     int *rc)
{
    const char *owner = cp_operand(req);
    if (owner && !strcmp(owner, "TO"))
        owner = cp_operand(req);
    const char *name = cp_operand(req);
    char text[NET_NAME_TEXT_BYTES];
    if (!owner || !name) {
        *rc = cp_fail(req, MSG_CMD026E);
        return NULL;
    }
    if (!strcmp(owner, "*"))
        owner = user->userid;
    struct vswitches *all = cp_nets(req->cp);
    struct vswitch *sw = all ? vswitch_find(all, owner, name) : NULL;
    snprintf(text, sizeof text, "%s %.8s %.8s", strcmp(owner, NET_SYSTEM) ? "LAN" : "VSWITCH",
             owner, name);
    if (!sw)
        *rc = cp_fail(req, MSG_SWU2782E, text);
    return sw;
}

/* [PORTNUMBER n] */
static int port_operand(struct cp_request *req, u16 *port)
{
    const char *word = cp_operand(req);
    u64 n;
    if (!word)
        return 0;
    if (!cp_abbrev(word, "PORTNUMber"))
        return cp_fail(req, MSG_CMD003E, word);
    word = cp_operand(req);
    if (!word || !scan_number(word, 1, VSWITCH_PORT_MAX, &n))
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    *port = (u16)n;
    return cp_no_more(req);
}

static int do_couple(struct cp_request *req, struct cp_user *user, struct cp_nic *nic,
                     struct vswitch *sw)
{
    char text[NET_NAME_TEXT_BYTES];
    struct cause cause;
    u16 port = nic->port_wanted;
    int rc = port_operand(req, &port);
    if (rc)
        return rc;
    if (nic->sw)
        return cp_fail(req, MSG_NIC2784E, nic->vdev, vswitch_text(nic->sw, text));
    u16 before = nic->port_wanted;
    nic->port_wanted = port;
    int status = cp_nic_couple(user, nic, sw, &cause);
    if (status)
        nic->port_wanted = before;
    if (status == ST_REFUSED)
        return cp_fail(req, MSG_NIC6011E, cause.text);
    if (status)
        return cp_fail(req, MSG_NIC2783E, nic->vdev, cause.text);
    cp_line(req, "NIC %04X is connected to %s", nic->vdev, vswitch_text(sw, text));
    return 0;
}

/* COUPLE vdev [TO] {SYSTEM | * | userid} name [PORTNUMBER n] */
int cp_cmd_couple(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    int rc = 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    struct cp_ctca *ctca = cp_ctca_at_operand(req, user);
    if (ctca)
        return cp_couple_ctca(req, ctca);
    struct cp_nic *nic = which_nic(req, user, &rc);
    struct vswitch *sw = nic ? which_network(req, user, &rc) : NULL;
    return sw ? do_couple(req, user, nic, sw) : rc;
}

/* UNCOUPLE vdev */
int cp_cmd_uncouple(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    char text[NET_NAME_TEXT_BYTES];
    int rc = 0;
    (void)ctx;
    if (!user)
        return msg_number(MSG_CMD045E);
    struct cp_ctca *ctca = cp_ctca_at_operand(req, user);
    if (ctca)
        return cp_uncouple_ctca(req, ctca);
    struct cp_nic *nic = which_nic(req, user, &rc);
    if (!nic || (rc = cp_no_more(req)))
        return rc;
    if (!nic->sw)
        return cp_fail(req, MSG_NIC2785E, nic->vdev);
    vswitch_text(nic->sw, text);
    cp_nic_uncouple(user, nic);
    cp_line(req, "NIC %04X is disconnected from %s", nic->vdev, text);
    return 0;
}

/* --- SET NIC ---------------------------------------------------------------------------------- */

/* What a user without class B names is within USER of VMLAN MACIDRANGE, if there is one. */
static bool may_name(const struct cp_request *req, const struct mac_pool *macs, u32 id)
{
    struct mac_range system, user;
    mac_pool_ranges(macs, &system, &user);
    if (req->classes & CP_CLASS('B'))
        return true;
    return !user.last || (id >= user.first && id <= user.last);
}

/* MACID {nnnnnn | SYSTEM} */
static int set_macid(struct cp_request *req, struct cp_user *user, struct cp_nic *nic,
                     const char *word)
{
    struct mac_pool *macs = vswitches_macs(cp_nets(req->cp));
    char text[MAC_TEXT_BYTES];
    struct cause cause;
    u16 vdev = nic->vdev;
    u8 mac[MAC_BYTES];
    u64 id = 0;
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (strlen(word) > 6 || !scan_hex(word, MAC_ID_MAX, &id))
        return cp_fail(req, MSG_CMD003E, word);
    if (!may_name(req, macs, (u32)id))
        return cp_fail(req, MSG_NIC2783E, vdev,
                       "the MACID is not within USER of VMLAN MACIDRANGE");
    if (nic->sw)
        return cp_fail(req, MSG_NIC2783E, vdev, "it is connected");
    mac_pool_named(macs, (u32)id, mac);
    if (cp_nic_set_mac(user, nic, mac, &cause))
        return cp_fail(req, MSG_NIC2783E, vdev, cause.text);
    cp_line(req, "NIC %04X MAC address %s", vdev, mac_text(mac, text));
    return 0;
}

/* MACPROTECT {UNSPECIFIED | ON | OFF} */
static int set_protect(struct cp_request *req, struct cp_nic *nic, const char *word)
{
    if (!(req->classes & CP_CLASS('B')))
        return cp_fail(req, MSG_CMD003E, "MACPROTECT");
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    if (!cp_abbrev(word, "UNSPECified") && strcmp(word, "ON") && strcmp(word, "OFF"))
        return cp_fail(req, MSG_CMD003E, word);
    nic->protect = !strcmp(word, "ON")    ? NET_ON
                   : !strcmp(word, "OFF") ? NET_OFF
                                          : NET_UNSPECIFIED;
    if (nic->sw)
        cp_net_refresh(req->cp, nic->sw);
    cp_line(req, "Command complete");
    return 0;
}

/* SET NIC [USER userid] vdev {MACID nnnnnn | MACPROTECT ...}: another user's needs class B */
int cp_set_nic(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand_peek(req);
    struct cp_user *user;
    int rc = 0;
    (void)ctx;
    if (word && scan_abbrev(word, "USERid") && req->classes & CP_CLASS('B')) {
        cp_operand(req);
        word = cp_operand(req);
        user = word ? cp_user_find(req->cp, word) : NULL;
        if (!user)
            return word ? cp_fail(req, MSG_CMD045E, word) : cp_fail(req, MSG_CMD026E);
    } else if (!(user = cp_own_machine(req))) {
        return msg_number(MSG_CMD045E);
    }
    struct cp_nic *nic = which_nic(req, user, &rc);
    if (!nic)
        return rc;
    const char *what = cp_operand(req), *value = cp_operand(req);
    if (!what)
        return cp_fail(req, MSG_CMD026E);
    if ((rc = cp_no_more(req)))
        return rc;
    if (!strcmp(what, "MACID"))
        return set_macid(req, user, nic, value);
    return cp_abbrev(what, "MACPROTect") ? set_protect(req, nic, value)
                                         : cp_fail(req, MSG_CMD003E, what);
}
