/* Virtual switches (DEFINE, DETACH, SET, QUERY VSWITCH) and adapters of virtual machines (DEFINE,
 * DETACH, QUERY NIC, COUPLE, UNCOUPLE, NICDEF at logon). Forms of answers: tools of Linux read them
 * (lsqeth, lszdev, znetconf); what those do not read is from memory. UPLINK is ours. */
#include "hyp/cp/cp_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_scan.h"

#define MAC_PREFIX_DEFAULT 0x020000u

static u32 prefix_of(const char *hex, u32 otherwise)
{
    u64 v;
    return *hex && scan_hex(hex, 0xffffff, &v) ? (u32)v : otherwise;
}

/* An uplink's thread. */
static void net_news(void *ctx)
{
    const struct cp *cp = ctx;
    cp->ports.net_wakeup(cp->ports.ctx);
}

static struct vswitches *switches(struct cp *cp)
{
    const struct uplink_events events = {cp, cp->ports.net_wakeup ? net_news : NULL};
    if (!cp->nets)
        cp->nets =
            vswitches_create(prefix_of(cp->config->mac_prefix, MAC_PREFIX_DEFAULT), &events);
    return cp->nets;
}

static const char *mac_text(const u8 mac[MAC_BYTES], char out[18])
{
    snprintf(out, 18, "%02X-%02X-%02X-%02X-%02X-%02X", mac[0], mac[1], mac[2], mac[3], mac[4],
             mac[5]);
    return out;
}

/* The switch that an operand names; NULL with *rc set. */
static struct vswitch *which_switch(struct cp_request *req, int *rc)
{
    const char *name = cp_operand(req);
    if (!name || !cp_userid_ok(name)) {
        *rc = cp_fail(req, MSG_CMD026E);
        return NULL;
    }
    struct vswitch *sw = switches(req->cp) ? vswitch_find(req->cp->nets, name) : NULL;
    if (!sw)
        *rc = cp_fail(req, MSG_SWU2782E, name);
    return sw;
}

/* --- adapters of a user --------------------------------------------------------------------- */

struct cp_nic *cp_nic_at(struct cp_user *user, u16 vdev)
{
    struct cp_nic *nic = user->nics;
    while (nic && (vdev < nic->vdev || vdev >= nic->vdev + CP_NIC_DEVICES))
        nic = nic->next;
    return nic;
}

static void uncouple(struct cp_user *user, struct cp_nic *nic)
{
    if (!nic->sw)
        return;
    user->cp->ports.vm->nic_couple(user->vm, nic->vdev, NULL, NULL, NULL);
    nic->sw->coupled--;
    nic->sw = NULL;
}

static int couple(struct cp_user *user, struct cp_nic *nic, struct vswitch *sw,
                  struct cause *cause)
{
    if (!vswitch_granted(sw, user->userid))
        return cause_set(cause, ST_REFUSED, "%s may not couple with VSWITCH SYSTEM %s",
                         user->userid, sw->name);
    int rc = user->cp->ports.vm->nic_couple(user->vm, nic->vdev, sw->lan, NULL, cause);
    if (rc == ST_OK) {
        nic->sw = sw;
        sw->coupled++;
    }
    return rc;
}

/* A new adapter with this address, which has been taken. */
static int create(struct cp_user *user, u16 vdev, const u8 mac[MAC_BYTES], bool announce,
                  struct cp_nic **out, struct cause *cause)
{
    struct cp_nic *nic = calloc(1, sizeof *nic);
    if (!nic)
        return cause_set(cause, ST_NOMEM, "no memory for an adapter");
    nic->vdev = vdev;
    memcpy(nic->mac, mac, MAC_BYTES);
    int rc = user->cp->ports.vm->nic_attach(user->vm, vdev, mac, announce, cause);
    if (rc) {
        free(nic);
        return rc;
    }
    nic->next = user->nics;
    user->nics = *out = nic;
    return ST_OK;
}

static int create_any(struct cp_user *user, u16 vdev, bool announce, struct cp_nic **out,
                      struct cause *cause)
{
    u8 mac[MAC_BYTES];
    struct vswitches *all = switches(user->cp);
    if (!all || !vswitch_mac_take(all, mac))
        return cause_set(cause, ST_LIMIT, "no network address is left");
    int rc = create(user, vdev, mac, announce, out, cause);
    if (rc)
        vswitch_mac_give(all, mac);
    return rc;
}

static void destroy(struct cp_user *user, struct cp_nic *nic, bool machine)
{
    struct cp_nic **at = &user->nics;
    struct cause ignored;
    uncouple(user, nic);
    for (unsigned i = 0; machine && i < CP_NIC_DEVICES; i++)
        user->cp->ports.vm->device_detach(user->vm, (u16)(nic->vdev + i), true, &ignored);
    while (*at != nic)
        at = &(*at)->next;
    *at = nic->next;
    vswitch_mac_give(user->cp->nets, nic->mac);
    free(nic);
}

void cp_nics_end(struct cp_user *user)
{
    while (user->nics) {
        struct cp_nic *nic = user->nics;
        if (nic->sw)
            nic->sw->coupled--;
        nic->sw = NULL; /* its port went with the machine */
        destroy(user, nic, false);
    }
}

int cp_nic_arrive(struct cp_user *user, u16 vdev, const u8 mac[MAC_BYTES], const char *name,
                  struct cause *cause)
{
    struct vswitches *all = switches(user->cp);
    struct vswitch *sw = all && *name ? vswitch_find(all, name) : NULL;
    struct cp_nic *nic;
    if (*name && !sw)
        return cause_set(cause, ST_NOENT, "VSWITCH SYSTEM %s is not here", name);
    if (!all || !vswitch_mac_take_this(all, mac))
        return cause_set(cause, ST_EXIST, "the address of adapter %04X is in use here", vdev);
    int rc = create(user, vdev, mac, false, &nic, cause);
    if (rc) {
        vswitch_mac_give(all, mac);
        return rc;
    }
    return sw ? couple(user, nic, sw, cause) : ST_OK;
}

bool cp_user_nic(struct cp_user *user, unsigned i, struct cp_nic_row *out)
{
    const struct cp_nic *nic = user->nics;
    while (nic && i--)
        nic = nic->next;
    if (!nic)
        return false;
    *out = (struct cp_nic_row){.vdev = nic->vdev};
    if (nic->sw)
        strcpy(out->lan, nic->sw->name);
    return true;
}

bool cp_switch_here(struct cp *cp, const char *userid, const char *name)
{
    const struct vswitch *sw = switches(cp) ? vswitch_find(cp->nets, name) : NULL;
    return sw && vswitch_granted(sw, userid);
}

/* NICDEF of the directory: an adapter, and with LAN what it is coupled with. */
static void nicdef(struct cp_user *user, const struct dir_nic *d)
{
    struct vswitches *all = switches(user->cp);
    struct cause cause = {0};
    struct cp_nic *nic = NULL;
    int rc;
    if (d->other) {
        cp_user_tell(user, "NIC %04X not created; QDIO on virtual switches is what is here",
                     d->vdev);
        return;
    }
    if (all && d->has_macid) {
        u8 raw[8];
        u32 prefix = prefix_of(user->cp->config->user_prefix, MAC_PREFIX_DEFAULT);
        be64_store(raw, (u64)prefix << 24 | d->macid);
        if (!vswitch_mac_take_this(all, raw + 2)) {
            cp_user_tell(user, "NIC %04X not created; its MACID is in use", d->vdev);
            return;
        }
        rc = create(user, d->vdev, raw + 2, false, &nic, &cause);
        if (rc)
            vswitch_mac_give(all, raw + 2);
    } else {
        rc = create_any(user, d->vdev, false, &nic, &cause);
    }
    if (rc) {
        cp_user_tell(user, "NIC %04X not created; %s", d->vdev, cause.text);
        return;
    }
    cp_user_tell(user, "NIC %04X is created; devices %04X-%04X defined", d->vdev, d->vdev,
                 d->vdev + CP_NIC_DEVICES - 1);
    if (!d->lan[0])
        return;
    struct vswitch *sw = vswitch_find(all, d->lan);
    if (!sw)
        cp_user_tell(user, "NIC %04X not connected; VSWITCH SYSTEM %s does not exist", d->vdev,
                     d->lan);
    else if (couple(user, nic, sw, &cause))
        cp_user_tell(user, "NIC %04X not connected; %s", d->vdev, cause.text);
    else
        cp_user_tell(user, "NIC %04X is connected to VSWITCH SYSTEM %s", d->vdev, sw->name);
}

void cp_nics_logon(struct cp_user *user)
{
    for (unsigned i = 0; i < user->entry->nic_count; i++)
        nicdef(user, &user->entry->nics[i]);
}

/* --- commands about adapters ---------------------------------------------------------------- */

static bool is_vdev(const char *word, u16 *vdev)
{
    u64 n;
    if (!word || strlen(word) > 4 || !scan_hex(word, 0xfffd, &n) || !n)
        return false;
    *vdev = (u16)n;
    return true;
}

/* DEFINE NIC vdev [TYPE QDIO] [DEVICES 3] */
int cp_define_nic(struct cp_request *req, struct cp_user *user)
{
    const char *word = cp_operand(req);
    struct cp_nic *nic;
    struct cause cause;
    u16 vdev;
    if (!is_vdev(word, &vdev))
        return cp_fail(req, MSG_DEF022E);
    while ((word = cp_operand(req))) {
        bool type = !strcmp(word, "TYPE"), devices = cp_abbrev(word, "DEVices");
        const char *value = type || devices ? cp_operand(req) : word;
        if (type      ? !value || strcmp(value, "QDIO")
            : devices ? !value || strcmp(value, "3")
                      : strcmp(word, "QDIO"))
            return cp_fail(req, MSG_CMD003E, value ? value : word);
    }
    if (create_any(user, vdev, true, &nic, &cause))
        return cp_fail(req, MSG_NIC2783E, vdev, cause.text);
    cp_line(req, "NIC %04X is created; devices %04X-%04X defined", vdev, vdev,
            vdev + CP_NIC_DEVICES - 1);
    return 0;
}

/* One's own adapter; NULL with *rc set. */
static struct cp_nic *which_nic(struct cp_request *req, struct cp_user *user, int *rc)
{
    const char *word = cp_operand(req);
    u16 vdev;
    if (!is_vdev(word, &vdev)) {
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

/* DETACH NIC vdev */
int cp_detach_nic(struct cp_request *req, struct cp_user *user)
{
    int rc = 0;
    struct cp_nic *nic = which_nic(req, user, &rc);
    if (!nic || (rc = cp_no_more(req)))
        return rc;
    u16 vdev = nic->vdev;
    destroy(user, nic, true);
    cp_line(req, "NIC %04X is destroyed; devices %04X-%04X detached", vdev, vdev,
            vdev + CP_NIC_DEVICES - 1);
    return 0;
}

/* COUPLE vdev [TO] SYSTEM name */
int cp_cmd_couple(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    struct cause cause;
    int rc = 0;
    (void)ctx;
    struct cp_nic *nic = user ? which_nic(req, user, &rc) : NULL;
    if (!nic)
        return user ? rc : msg_number(MSG_CMD045E);
    const char *word = cp_operand(req);
    if (word && !strcmp(word, "TO"))
        word = cp_operand(req);
    if (!word || strcmp(word, "SYSTEM"))
        return word ? cp_fail(req, MSG_CMD003E, word) : cp_fail(req, MSG_CMD026E);
    struct vswitch *sw = which_switch(req, &rc);
    if (!sw || (rc = cp_no_more(req)))
        return rc;
    if (nic->sw)
        return cp_fail(req, MSG_NIC2784E, nic->vdev, nic->sw->name);
    int status = couple(user, nic, sw, &cause);
    if (status == ST_REFUSED)
        return cp_fail(req, MSG_NIC6011E, user->userid, sw->name);
    if (status)
        return cp_fail(req, MSG_NIC2783E, nic->vdev, cause.text);
    cp_line(req, "NIC %04X is connected to VSWITCH SYSTEM %s", nic->vdev, sw->name);
    return 0;
}

/* UNCOUPLE vdev */
int cp_cmd_uncouple(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    int rc = 0;
    (void)ctx;
    struct cp_nic *nic = user ? which_nic(req, user, &rc) : NULL;
    if (!nic || (rc = cp_no_more(req)))
        return user ? rc : msg_number(MSG_CMD045E);
    if (!nic->sw)
        return cp_fail(req, MSG_NIC2785E, nic->vdev);
    struct vswitch *sw = nic->sw;
    uncouple(user, nic);
    cp_line(req, "NIC %04X is disconnected from VSWITCH SYSTEM %s", nic->vdev, sw->name);
    return 0;
}

static void nic_rows(struct cp_request *req, struct cp_user *user, const struct cp_nic *nic,
                     bool details)
{
    char mac[18];
    struct vm_nic_info info;
    cp_line(req, "Adapter %04X.P00  Type: QDIO      Name: any         Devices: 3", nic->vdev);
    if (nic->sw)
        cp_line(req, "  MAC: %s         VSWITCH: SYSTEM %s", mac_text(nic->mac, mac),
                nic->sw->name);
    else
        cp_line(req, "  MAC: %s         LAN: *   None", mac_text(nic->mac, mac));
    if (!details || !req->cp->ports.vm->nic_info(user->vm, nic->vdev, &info))
        return;
    cp_line(req, "    RX Packets: %-10llu Discarded: %-10llu Errors: 0",
            (unsigned long long)info.received, (unsigned long long)info.no_room);
    cp_line(req, "    TX Packets: %-10llu Discarded: %-10llu Errors: %llu",
            (unsigned long long)info.sent, (unsigned long long)info.discarded,
            (unsigned long long)info.errors);
}

int cp_nic_query(struct cp_request *req, struct cp_user *user, const char *word)
{
    bool all = !word || !strcmp(word, "ALL") || cp_abbrev(word, "ACTive");
    bool details = word && cp_abbrev(word, "DETails");
    const char *more = all || !details ? cp_operand(req) : NULL;
    struct cp_nic *one = NULL;
    u16 vdev;
    if (!all && !details && is_vdev(word, &vdev))
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

/* QUERY NIC [ALL | vdev] [DETAILS] */
int cp_query_nic(struct cp_request *req, void *ctx)
{
    struct cp_user *user = cp_own_machine(req);
    (void)ctx;
    return user ? cp_nic_query(req, user, cp_operand(req)) : msg_number(MSG_CMD045E);
}

/* --- commands about switches ---------------------------------------------------------------- */

/* One option of DEFINE VSWITCH, and its value. 0 or the number of a message. */
static int define_option(struct cp_request *req, const char *word, const char **uplink)
{
    static const struct {
        const char *name, *value;
    } values[] = {{"TYPE", "QDIO"}, {"RDEV", "NONE"}};
    static const char *const alone[] = {"ETHernet", "LOCAL", "CONnect", "QDIO"};
    if (!strcmp(word, "IP"))
        return cp_fail(req, MSG_CMD099E, "IP mode of a virtual switch");
    if (!strcmp(word, "UPLINK")) {
        *uplink = cp_operand_rest(req);
        return **uplink ? 0 : cp_fail(req, MSG_CMD026E);
    }
    for (size_t i = 0; i < ARRAY_LEN(alone); i++)
        if (cp_abbrev(word, alone[i]))
            return 0;
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        if (strcmp(word, values[i].name) != 0)
            continue;
        word = cp_operand(req);
        if (!word)
            return cp_fail(req, MSG_CMD026E);
        return strcmp(word, values[i].value) ? cp_fail(req, MSG_CMD003E, word) : 0;
    }
    return cp_fail(req, MSG_CMD003E, word);
}

/* DEFINE VSWITCH name [TYPE QDIO] [ETHERNET] [LOCAL] [RDEV NONE] [UPLINK specification] */
int cp_define_vswitch(struct cp_request *req)
{
    const char *word = cp_operand(req), *uplink = NULL;
    int rc = 0;
    char name[DIR_NAME_BYTES];
    struct cause cause;
    struct vswitch *sw;
    if (!word || !cp_userid_ok(word))
        return cp_fail(req, MSG_CMD026E);
    snprintf(name, sizeof name, "%s", word);
    while (!rc && !uplink && (word = cp_operand(req)))
        rc = define_option(req, word, &uplink);
    if (rc)
        return rc;
    if (!switches(req->cp))
        return cp_fail(req, MSG_SWU2781E, name, "no memory");
    if (vswitch_define(req->cp->nets, name, uplink, &sw, &cause))
        return cp_fail(req, MSG_SWU2781E, name, cause.text);
    cp_line(req, "VSWITCH SYSTEM %s is created", name);
    return 0;
}

/* DETACH VSWITCH name: adapters lose their network */
int cp_detach_vswitch(struct cp_request *req)
{
    int rc = 0;
    struct vswitch *sw = which_switch(req, &rc);
    if (!sw || (rc = cp_no_more(req)))
        return rc;
    for (struct cp_user *user = req->cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next) {
            if (nic->sw != sw)
                continue;
            uncouple(user, nic);
            cp_user_tell(user, "NIC %04X is disconnected from VSWITCH SYSTEM %s", nic->vdev,
                         sw->name);
        }
    cp_line(req, "VSWITCH SYSTEM %s is destroyed", sw->name);
    vswitch_remove(req->cp->nets, sw);
    return 0;
}

/* A user who may no more is taken off. */
static void revoke(struct cp *cp, struct vswitch *sw, const char *userid)
{
    struct cp_user *user = cp_user_find(cp, userid);
    for (struct cp_nic *nic = user ? user->nics : NULL; nic; nic = nic->next)
        if (nic->sw == sw) {
            uncouple(user, nic);
            cp_user_tell(user, "NIC %04X is disconnected from VSWITCH SYSTEM %s", nic->vdev,
                         sw->name);
        }
}

/* SET VSWITCH name {GRANT | REVOKE} userid; MODIFY VSWITCH of system.config is the same */
int cp_set_vswitch(struct cp_request *req, void *ctx)
{
    int rc = 0;
    (void)ctx;
    struct vswitch *sw = which_switch(req, &rc);
    if (!sw)
        return rc;
    const char *what = cp_operand(req);
    bool grants = what && cp_abbrev(what, "GRAnt");
    if (!grants && !(what && cp_abbrev(what, "REVoke")))
        return what ? cp_fail(req, MSG_CMD003E, what) : cp_fail(req, MSG_CMD026E);
    const char *userid = cp_operand(req);
    if (!userid || !cp_userid_ok(userid))
        return cp_fail(req, MSG_LGA020E);
    if ((rc = cp_no_more(req)))
        return rc;
    int status = grants ? vswitch_grant(sw, userid) : ST_OK;
    if (status == ST_LIMIT)
        return cp_fail(req, MSG_SWU2781E, sw->name, "it has as many grants as are possible");
    if (!grants && !vswitch_revoke(sw, userid))
        return cp_fail(req, MSG_NIC6011E, userid, sw->name);
    if (!grants)
        revoke(req->cp, sw, userid);
    cp_line(req, "Command complete");
    return 0;
}

static void switch_ports(struct cp_request *req, const struct vswitch *sw)
{
    char mac[18];
    cp_line(req, "  Adapter Connections:        Connected: %u", sw->coupled);
    for (struct cp_user *user = req->cp->users; user; user = user->next)
        for (struct cp_nic *nic = user->nics; nic; nic = nic->next)
            if (nic->sw == sw)
                cp_line(req, "    Adapter Owner: %-8s NIC: %04X.P00 Name: any      MAC: %s",
                        user->userid, nic->vdev, mac_text(nic->mac, mac));
}

static void switch_rows(struct cp_request *req, const struct vswitch *sw, bool details)
{
    char mac[18], words[UPLINK_WORDS_MAX];
    cp_line(req, "VSWITCH SYSTEM %-8s  Type: QDIO    Connected: %-4u Maxconn: INFINITE",
            sw->name, sw->coupled);
    cp_line(req, "  PERSISTENT  RESTRICTED    ETHERNET                   Accounting: OFF");
    cp_line(req, "  USERBASED LOCAL");
    cp_line(req, "  VLAN Unaware");
    cp_line(req, "  MAC address: %s    MAC Protection: OFF", mac_text(sw->mac, mac));
    cp_line(req, "  IPTimeout: 5         QueueStorage: 8");
    cp_line(req, "  Isolation Status: OFF        VEPA Status: OFF");
    cp_line(req, "  Uplink Port:");
    cp_line(req, "    State: %s",
            !sw->uplink                ? "Defined; no uplink"
            : uplink_is_up(sw->uplink) ? "Ready"
                                       : "Not connected");
    if (sw->uplink) {
        uplink_words(sw->uplink, words);
        cp_line(req, "    %s", words);
    }
    for (unsigned i = 0; details && i < sw->grants; i++)
        cp_line(req, "  Authorized userid: %s", sw->grant[i]);
    if (details)
        switch_ports(req, sw);
}

/* QUERY VSWITCH [[SYSTEM] name | ALL] [DETAILS | ACCESSLIST | ...] */
int cp_query_vswitch(struct cp_request *req, void *ctx)
{
    static const char *const fuller[] = {"DETails", "ACCess", "ACCESSLIST", "ACTive"};
    const char *word = cp_operand(req);
    struct vswitch *one = NULL;
    bool details = false;
    (void)ctx;
    for (; word; word = cp_operand(req)) {
        bool is = !strcmp(word, "ALL") || !strcmp(word, "SYSTEM") || cp_abbrev(word, "NAMe");
        for (size_t i = 0; i < ARRAY_LEN(fuller) && !is; i++)
            details |= is = cp_abbrev(word, fuller[i]);
        if (is)
            continue;
        one = !one && switches(req->cp) ? vswitch_find(req->cp->nets, word) : NULL;
        if (!one)
            return cp_fail(req, MSG_SWU2782E, word);
    }
    struct vswitch *sw = switches(req->cp) ? vswitch_next(req->cp->nets, NULL) : NULL;
    if (!sw)
        cp_line(req, "No virtual switches are defined.");
    for (; sw; sw = vswitch_next(req->cp->nets, sw))
        if (!one || sw == one)
            switch_rows(req, sw, details);
    return 0;
}

/* --- life ----------------------------------------------------------------------------------- */

static void tell_uplink(struct cp *cp, struct vswitch *sw)
{
    char line[MSG_LINE_BYTES], words[UPLINK_WORDS_MAX] = "guests among themselves";
    if (sw->uplink)
        uplink_words(sw->uplink, words);
    msg_format(line, sizeof line, sw->uplink && !sw->uplink_up ? MSG_SWU2832E : MSG_SWU2830I,
               sw->name, words);
    cp_operator_tell(cp, "%s", line);
}

void cp_net_poll(struct cp *cp)
{
    struct vswitch *sw = cp->nets ? vswitch_next(cp->nets, NULL) : NULL;
    for (; sw; sw = vswitch_next(cp->nets, sw)) {
        bool up = sw->uplink && uplink_is_up(sw->uplink);
        if (up == sw->uplink_up)
            continue;
        sw->uplink_up = up;
        tell_uplink(cp, sw);
    }
}

void cp_net_start(struct cp *cp)
{
    for (unsigned i = 0; i < cp->config->network_count; i++) {
        struct cp_response resp;
        cp_response_init(&resp);
        cp_command_as(cp, cp->config->features.operator_userid, CP_CLASS_ANY,
                      cp->config->networks[i], &resp);
        if (resp.rc)
            cp_operator_tell(cp, "%s: %s", cp->config->networks[i],
                             resp.line_count ? resp.lines[resp.line_count - 1] : "refused");
        cp_response_fini(&resp);
    }
    struct vswitch *sw = cp->nets ? vswitch_next(cp->nets, NULL) : NULL;
    for (; sw; sw = vswitch_next(cp->nets, sw))
        tell_uplink(cp, sw);
}

/* MODIFY VSWITCH name ...: as SET VSWITCH */
int cp_cmd_modify(struct cp_request *req, void *ctx)
{
    const char *word = cp_operand(req);
    if (!word)
        return cp_fail(req, MSG_CMD026E);
    return cp_abbrev(word, "VSWitch") ? cp_set_vswitch(req, ctx)
                                      : cp_fail(req, MSG_CMD003E, word);
}

void cp_net_fini(struct cp *cp)
{
    vswitches_destroy(cp->nets);
    cp->nets = NULL;
}
