/* Networks of `endicott ipl`: options read, adapters and uplinks made. */
#include "cli/ipl/ipl_net.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/ipl/ipl_disks.h"
#include "cli/post_uv.h"
#include "mem/base/log.h"

#define SPEC_BYTES 1024
#define FORM "DEVNO=UPLINK[,OPTION...][,mac=MAC], UPLINK as slirp, tap:NAME or lan:NAME"
#define LAN_PREFIX "lan:"
#define VALUE_BYTES 32

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

/** Take ",KEY=VALUE" out of the specification: the value, cut off, or NULL: it is not there. */
static const char *take(char *spec, const char *key, char value[VALUE_BYTES])
{
    char *at = strstr(spec, key);
    if (!at)
        return NULL;
    size_t len = strcspn(at + strlen(key), ",");
    snprintf(value, VALUE_BYTES, "%.*s", (int)len, at + strlen(key));
    memmove(at, at + strlen(key) + len, strlen(at + strlen(key) + len) + 1);
    return value;
}

/** What of the specification is about the adapter; it is taken out. */
static int read_adapter(const char *option, char *spec, struct osa_config *nic,
                        struct cause *cause)
{
    char value[VALUE_BYTES];
    if (take(spec, ",mac=", value) && !read_mac(value, strlen(value), nic->mac))
        return cause_set(cause, ST_INVAL, "%s: mac= takes one station's 02-00-00-00-00-01",
                         option);
    if (take(spec, ",type=", value)) {
        if (strcmp(value, "qdio") != 0 && strcmp(value, "hipersockets") != 0)
            return cause_set(cause, ST_INVAL, "%s: type= takes qdio or hipersockets", option);
        nic->kind = *value == 'h' ? OSA_HIPERSOCKETS : OSA_QDIO;
    }
    if (take(spec, ",mfs=", value) &&
        (nic->kind != OSA_HIPERSOCKETS || !osa_mfs_named(value, &nic->mfs)))
        return cause_set(cause, ST_INVAL,
                         "%s: mfs= takes 16K, 24K, 40K or 64K, of HiperSockets", option);
    return ST_OK;
}

/** Take ",capture=FILE" out of the specification; "": there is none. */
static bool take_capture(char *spec, char file[SPEC_BYTES])
{
    char *at = strstr(spec, ",capture=");
    file[0] = 0;
    if (!at)
        return true;
    size_t len = strcspn(at + 9, ",");
    memcpy(file, at + 9, len);
    file[len] = 0;
    memmove(at, at + 9 + len, strlen(at + 9 + len) + 1);
    return len != 0;
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
    return read_adapter(option, spec, nic, cause);
}

static void tell(const struct osa_config *nic, struct ipl_net *net)
{
    char words[UPLINK_WORDS_MAX];
    snprintf(words, sizeof words, "network %s", net->name);
    net->told = !net->uplink || uplink_is_up(net->uplink);
    if (net->uplink)
        uplink_words(net->uplink, words);
    log_line("guest %04X: %s, MAC %02X-%02X-%02X-%02X-%02X-%02X, %s", nic->devno,
             nic->kind == OSA_HIPERSOCKETS ? "HiperSockets" : "OSA", nic->mac[0], nic->mac[1],
             nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5], words);
}

/* ---- links that go and come ---- */

static void link_follow(struct ipl_nets *nets, struct ipl_net *net)
{
    char words[UPLINK_WORDS_MAX];
    struct cause cause;
    bool up = !net->uplink || uplink_is_up(net->uplink);
    struct lan *lan = up ? net->lan : NULL;
    if (up != net->coupled &&
        vm_host_ops()->nic_couple(nets->vm, net->devno, lan, NULL, &cause)) {
        log_line("guest %04X: %s", net->devno, cause.text);
        return;
    }
    net->coupled = up;
    if (up == net->told)
        return;
    net->told = up;
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
    for (unsigned i = 0; i < nets->count; i++)
        nets->net[i].coupled = false;
    links_follow(nets);
}

/* ---- captures ---- */

static void captures_end(void *arg)
{
    struct ipl_nets *nets = arg;
    for (unsigned i = 0; i < nets->count; i++) {
        struct ipl_net *net = &nets->net[i];
        char why[CAPTURE_WORDS_MAX], words[CAPTURE_WORDS_MAX];
        if (!net->capture || !capture_has_ended(net->capture, why))
            continue;
        capture_words(net->capture, words);
        log_line("guest %04X: capture %s has ended: %s", net->devno, words,
                 *why ? why : "its reader has gone");
        capture_close(net->capture);
        net->capture = NULL;
    }
}

/* The capture's thread. */
static void capture_ended(void *ctx)
{
    struct ipl_nets *nets = ctx;
    post_uv(nets->post, captures_end, nets);
}

static int capture_begin(struct ipl_nets *nets, struct ipl_net *net, const char *file,
                         struct cause *cause)
{
    const struct capture_filter all = {0};
    const struct capture_events events = {nets, capture_ended};
    log_line("guest %04X: captured to %s", net->devno, file);
    return capture_open_file(net->lan, &all, file, &events, &net->capture, cause);
}

/* ---- life ---- */

/** The network of this name; the first adapter that names it makes it. */
static int lan_named(const char *name, struct ipl_nets *nets, struct ipl_net *own,
                     struct cause *cause)
{
    if (!*name || strlen(name) >= sizeof own->name)
        return cause_set(cause, ST_INVAL, "lan:%s: a name of 1 to %d characters", name,
                         IPL_LAN_NAME_BYTES - 1);
    for (unsigned i = 0; i < nets->count; i++)
        if (!strcmp(nets->net[i].name, name))
            own->lan = nets->net[i].lan;
    if (!own->lan)
        own->lan = lan_create();
    if (!own->lan)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    strcpy(own->name, name);
    return ST_OK;
}

/** A network with an uplink. */
static int uplink_made(const char *spec, const struct uplink_events *events,
                       struct ipl_net *own, struct cause *cause)
{
    struct lan *lan = lan_create();
    if (!lan)
        return cause_set(cause, ST_NOMEM, "no memory for a network");
    int rc = uplink_open(lan, spec, events, &own->uplink, cause);
    if (rc) {
        lan_destroy(lan);
        return rc;
    }
    own->lan = lan;
    return ST_OK;
}

static int net_open(const char *option, struct vm_config *vc, struct ipl_nets *nets,
                    struct cause *cause)
{
    char spec[SPEC_BYTES], file[SPEC_BYTES];
    struct vm_net *net = &vc->net[vc->nets];
    struct ipl_net *own = &nets->net[nets->count];
    const struct uplink_events events = {nets, link_changed};
    if (vc->nets == VM_NETS_MAX)
        return cause_set(cause, ST_INVAL, "%s: %u adapters are possible", option, VM_NETS_MAX);
    int rc = read_option(option, vc, &net->config, spec, cause);
    if (rc == ST_OK && !take_capture(spec, file))
        rc = cause_set(cause, ST_INVAL, "%s: capture= takes the name of a file", option);
    if (rc)
        return rc;
    bool named = !strncmp(spec, LAN_PREFIX, strlen(LAN_PREFIX));
    if (nets->within && !named)
        return cause_set(
            cause, ST_INVAL,
            "%s: time of a seed's or of rations is not that of an uplink; lan:NAME only",
            option);
    rc = named ? lan_named(spec + strlen(LAN_PREFIX), nets, own, cause)
               : uplink_made(spec, &events, own, cause);
    if (rc)
        return rc;
    own->devno = net->config.devno;
    tell(&net->config, own);
    nets->count++;
    vc->nets++;
    return *file ? capture_begin(nets, own, file, cause) : ST_OK;
}

int ipl_nets_open(const char *const *option, struct vm_config *vc, struct ipl_nets *nets,
                  bool within, struct post_uv *post, struct cause *cause)
{
    int rc = ST_OK;
    nets->post = post;
    nets->within = within;
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
        capture_close(net->capture);
        uplink_close(net->uplink);
        bool shared = false; /* it goes with the first that named it */
        for (unsigned i = 0; i < nets->count; i++)
            shared |= nets->net[i].lan == net->lan;
        if (!shared)
            lan_destroy(net->lan);
    }
}
