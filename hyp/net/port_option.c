/* Options of a port of a virtual network, and sets of VLANs as words. */
#include "hyp/net/port_option.h"

#include <stdio.h>
#include <string.h>

#include "hyp/config/config_scan.h"

bool vlan_number(const char *word, u16 *vlan)
{
    u64 v;
    if (strlen(word) > 4 || !scan_number(word, 1, VLAN_ID_MAX, &v))
        return false;
    *vlan = (u16)v;
    return true;
}

/** "10" or "20-30". */
static bool vlan_range(const char *word, u16 *first, u16 *last)
{
    char part[8];
    const char *dash = strchr(word, '-');
    size_t len = dash ? (size_t)(dash - word) : strlen(word);
    if (!len || len >= sizeof part)
        return false;
    memcpy(part, word, len);
    part[len] = 0;
    if (!vlan_number(part, first))
        return false;
    *last = *first;
    return !dash || (vlan_number(dash + 1, last) && *last >= *first);
}

unsigned vlan_words(struct vlan_set *set, const char *const *words, unsigned n, unsigned at)
{
    u16 first, last;
    unsigned taken = 0;
    for (; at + taken < n && vlan_range(words[at + taken], &first, &last); taken++)
        for (u32 v = first; v <= last; v++)
            vlan_put(set, (u16)v, true);
    return taken;
}

unsigned vlan_count(const struct vlan_set *set)
{
    unsigned n = 0;
    for (u16 v = 1; v <= VLAN_ID_MAX; v++)
        n += vlan_has(set, v);
    return n;
}

u16 vlan_first(const struct vlan_set *set)
{
    for (u16 v = 1; v <= VLAN_ID_MAX; v++)
        if (vlan_has(set, v))
            return v;
    return 0;
}

bool vlan_within(const struct vlan_set *part, const struct vlan_set *whole)
{
    for (size_t i = 0; i < sizeof part->bits; i++)
        if (part->bits[i] & ~whole->bits[i])
            return false;
    return true;
}

const char *vlan_line(const struct vlan_set *set, u16 *at, char out[VLAN_TEXT_BYTES])
{
    size_t len = 0;
    u32 v = *at;
    strcpy(out, "NONE");
    for (*at = 0; v <= VLAN_ID_MAX; v++) {
        u32 last = v;
        if (!vlan_has(set, (u16)v))
            continue;
        if (len + sizeof " 0001-0002" > VLAN_TEXT_BYTES) {
            *at = (u16)v;
            return out;
        }
        while (last < VLAN_ID_MAX && vlan_has(set, (u16)(last + 1)))
            last++;
        len += (size_t)snprintf(out + len, VLAN_TEXT_BYTES - len,
                                last > v ? "%s%04u-%04u" : "%s%04u", len ? " " : "", v, last);
        v = last;
    }
    return out;
}

/* --- options ---------------------------------------------------------------------------------- */

static int take_type(struct port_option *o, const char *word)
{
    o->has_type = true;
    o->type = !strcmp(word, "TRUNK") ? LAN_TRUNK : LAN_ACCESS;
    return !strcmp(word, "TRUNK") || !strcmp(word, "ACCESS") ? 2 : -1;
}

static int take_priority(struct port_option *o, const char *word)
{
    o->priority = !strcmp(word, "HIGH")     ? PORT_HIGH
                  : !strcmp(word, "NORMAL") ? PORT_NORMAL
                  : !strcmp(word, "LOW")    ? PORT_LOW
                                            : PORT_PRIORITY_UNTOLD;
    return o->priority ? 2 : -1;
}

static int take_vlans(struct port_option *o, const char *const *words, unsigned n, unsigned at)
{
    memset(&o->vlans, 0, sizeof o->vlans);
    o->has_vlans = true;
    unsigned taken = vlan_words(&o->vlans, words, n, at);
    return taken ? 1 + (int)taken : -1;
}

int port_option_take(struct port_option *o, const char *const *words, unsigned n, unsigned at,
                     unsigned *bad)
{
    const char *word = words[at], *value = at + 1 < n ? words[at + 1] : "";
    *bad = at + 1;
    if (scan_abbrev(word, "PORTType"))
        return take_type(o, value);
    if (scan_abbrev(word, "PQUPLINKTX"))
        return take_priority(o, value);
    if (!strcmp(word, "VLAN"))
        return take_vlans(o, words, n, at + 1);
    bool on = scan_abbrev(word, "PROmiscuous");
    if (!on && !scan_abbrev(word, "NOPROmiscuous"))
        return 0;
    o->has_promiscuous = true;
    o->promiscuous = on;
    return 1;
}

bool port_option_any(const struct port_option *o)
{
    return o->has_type || o->has_vlans || o->has_promiscuous || o->priority;
}
