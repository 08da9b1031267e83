/* Networks of `endicott ipl`: options read, adapters and uplinks made. */
#include "cli/ipl/ipl_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/ipl/ipl_disks.h"
#include "cli/post_uv.h"
#include "mem/base/log.h"

#define SPEC_BYTES 1024
#define FORM "DEVNO=UPLINK[,OPTION...][,mac=MAC], UPLINK as slirp or tap:NAME"

/** "02-00-00-00-00-01", with hyphens or colons; an address of one station. */
static bool read_mac(const char *text, size_t len, u8 mac[MAC_BYTES])
{
    if (len != 17)
        return false;
    for (unsigned i = 0; i < MAC_BYTES; i++) {
        char two[3] = {text[i * 3], text[i * 3 + 1], 0};
        char *end;
        mac[i] = (u8)strtoul(two, &end, 16);
        if (end != two + 2 || two[0] == '+' || two[0] == '-' || two[0] == ' ' ||
            (i < 5 && text[i * 3 + 2] != '-' && text[i * 3 + 2] != ':'))
            return false;
    }
    return !mac_is_group(mac);
}

/** Take ",mac=..." out of the specification. False: it is none. */
static bool take_mac(char *spec, u8 mac[MAC_BYTES])
{
    char *at = strstr(spec, ",mac=");
    if (!at)
        return true;
    size_t len = strcspn(at + 5, ",");
    if (!read_mac(at + 5, len, mac))
        return false;
    memmove(at, at + 5 + len, strlen(at + 5 + len) + 1);
    return true;
}

/** Is one of the three numbers from `devno` on taken? */
static bool taken(const struct vm_config *vc, u16 devno, u16 *which)
{
    for (unsigned i = 0; i < 3; i++) {
        *which = (u16)(devno + i);
        if (ipl_devno_taken(vc, *which))
            return true;
    }
    return false;
}

static int read_option(const char *option, const struct vm_config *vc, struct osa_config *nic,
                       char spec[SPEC_BYTES], struct cause *cause)
{
    char number[8] = "";
    u16 which;
    size_t len = strcspn(option, "=");
    if (len < sizeof number)
        memcpy(number, option, len);
    if (!option[len] || !ipl_devno(number, &nic->devno) || nic->devno > 0xfffd ||
        strlen(option + len + 1) >= SPEC_BYTES)
        return cause_set(cause, ST_INVAL, "%s: not " FORM, option);
    if (taken(vc, nic->devno, &which))
        return cause_set(cause, ST_INVAL,
                         "%s: device %04X is there already; an adapter has three", option,
                         which);
    u8 mac[MAC_BYTES] = {0x02, 0, 0, 0, (u8)(nic->devno >> 8), (u8)nic->devno};
    memcpy(nic->mac, mac, MAC_BYTES);
    strcpy(spec, option + len + 1);
    if (!take_mac(spec, nic->mac))
        return cause_set(cause, ST_INVAL, "%s: mac= takes one station's 02-00-00-00-00-01",
                         option);
    return ST_OK;
}

static void tell(const struct osa_config *nic, struct uplink *up)
{
    char words[UPLINK_WORDS_MAX];
    uplink_words(up, words);
    log_line("guest %04X: OSA layer 2, MAC %02X-%02X-%02X-%02X-%02X-%02X, %s", nic->devno,
             nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5],
             words);
}

/* ---- links that go and come ---- */

static void link_follow(struct ipl_nets *nets, struct ipl_net *net)
{
    char words[UPLINK_WORDS_MAX];
    struct cause cause;
    bool up = uplink_is_up(net->uplink);
    if (up == net->up)
        return;
    if (vm_host_ops()->nic_couple(nets->vm, net->devno, up ? net->lan : NULL, NULL, &cause)) {
        log_line("guest %04X: %s", net->devno, cause.text);
        return;
    }
    net->up = up;
    uplink_words(net->uplink, words);
    log_line("guest %04X: link %s: %s", net->devno, up ? "up" : "down", words);
}

static void links_follow(void *arg)
{
    struct ipl_nets *nets = arg;
    for (unsigned i = 0; nets->vm && i < nets->count; i++)
        link_follow(nets, &nets->net[i]);
}

/* An uplink's thread. */
static void link_changed(void *ctx)
{
    struct ipl_nets *nets = ctx;
    post_uv(nets->post, links_follow, nets);
}

void ipl_nets_machine(struct ipl_nets *nets, struct vm *vm)
{
    nets->vm = vm;
    links_follow(nets);
}

/* ---- life ---- */

static int net_open(const char *option, struct vm_config *vc, struct ipl_nets *nets,
                    struct cause *cause)
{
    char spec[SPEC_BYTES];
    struct vm_net *net = &vc->net[vc->nets];
    struct ipl_net *own = &nets->net[nets->count];
    const struct uplink_events events = {nets, link_changed};
    if (vc->nets == VM_NETS_MAX)
        return cause_set(cause, ST_INVAL, "%s: %u adapters are possible", option, VM_NETS_MAX);
    int rc = read_option(option, vc, &net->config, spec, cause);
    if (rc)
        return rc;
    struct lan *lan = lan_create();
    if (!lan)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    rc = uplink_open(lan, spec, &events, &own->uplink, cause);
    if (rc) {
        lan_destroy(lan);
        return rc;
    }
    own->lan = lan;
    own->devno = net->config.devno;
    own->up = uplink_is_up(own->uplink);
    tell(&net->config, own->uplink);
    net->lan = own->up ? lan : NULL;
    nets->count++;
    vc->nets++;
    return ST_OK;
}

int ipl_nets_open(const char *const *option, struct vm_config *vc, struct ipl_nets *nets,
                  struct post_uv *post, struct cause *cause)
{
    int rc = ST_OK;
    nets->post = post;
    for (; rc == ST_OK && *option; option++)
        rc = net_open(*option, vc, nets, cause);
    if (rc)
        ipl_nets_close(nets);
    return rc;
}

void ipl_nets_close(struct ipl_nets *nets)
{
    nets->vm = NULL;
    while (nets->count) {
        struct ipl_net *net = &nets->net[--nets->count];
        uplink_close(net->uplink);
        lan_destroy(net->lan);
    }
}
