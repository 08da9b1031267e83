/* Networks of `endicott ipl`: options read, adapters and uplinks made. */
#include "cli/ipl/ipl_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/ipl/ipl_disks.h"
#include "mem/base/log.h"

#define SPEC_BYTES 1024
#define FORM "DEVNO=slirp[,OPTION...][,mac=MAC]"

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

static void tell(const struct osa_config *nic, const struct uplink *up)
{
    char words[UPLINK_WORDS_MAX];
    uplink_words(up, words);
    log_line("guest %04X: OSA layer 2, MAC %02X-%02X-%02X-%02X-%02X-%02X, %s", nic->devno,
             nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5],
             words);
}

static int net_open(const char *option, struct vm_config *vc, struct ipl_nets *nets,
                    struct cause *cause)
{
    char spec[SPEC_BYTES];
    struct vm_net *net = &vc->net[vc->nets];
    if (vc->nets == VM_NETS_MAX)
        return cause_set(cause, ST_INVAL, "%s: %u adapters are possible", option, VM_NETS_MAX);
    int rc = read_option(option, vc, &net->config, spec, cause);
    if (rc)
        return rc;
    struct lan *lan = lan_create();
    if (!lan)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    rc = uplink_open(lan, spec, &nets->uplink[nets->count], cause);
    if (rc) {
        lan_destroy(lan);
        return rc;
    }
    tell(&net->config, nets->uplink[nets->count]);
    nets->lan[nets->count++] = net->lan = lan;
    vc->nets++;
    return ST_OK;
}

int ipl_nets_open(const char *const *option, struct vm_config *vc, struct ipl_nets *nets,
                  struct cause *cause)
{
    int rc = ST_OK;
    for (; rc == ST_OK && *option; option++)
        rc = net_open(*option, vc, nets, cause);
    if (rc)
        ipl_nets_close(nets);
    return rc;
}

void ipl_nets_close(struct ipl_nets *nets)
{
    while (nets->count) {
        uplink_close(nets->uplink[--nets->count]);
        lan_destroy(nets->lan[nets->count]);
    }
}
