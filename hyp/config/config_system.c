/* SYSTEM CONFIG statements. A statement qualified for other members is checked all the same,
 * but applied to a scratch configuration. Unknown statements and operands are errors. */
#include <stdio.h>
#include <stdlib.h>

#include "hyp/arch.h"
#include "hyp/config.h"
#include "hyp/config/config_scan.h"
#include "hyp/config/config_internal.h"
#include "hyp/config/stmt_table.h"
#include "hyp/vm_needs.h"
#include "mem/base/libnbd.h"

#define QUALIFIER_BYTES 128

enum cfg_stmt {
#define S(id, name, function, effect, operands, what) CFG_STMT_##id,
#define O(id, effect, operands, what)
#include "hyp/config/config_stmt.def"
#undef S
#undef O
    CFG_STMTS
};

static const struct stmt_row rows[] = {
#define S(id, name, function, effect, operands, what)                                          \
    {CFG_STMT_##id, name, STMT_##effect, operands, what},
#define O(id, effect, operands, what) {CFG_STMT_##id, NULL, STMT_##effect, operands, what},
#include "hyp/config/config_stmt.def"
#undef S
#undef O
};

static const struct stmt_table statements = {rows, ARRAY_LEN(rows)};

struct sys_parse {
    struct system_config *cfg; /* where the statement goes: real or scratch */
    struct system_config *real, *scratch;
    struct scan *s;
    struct cause *cause;
    struct faults *faults; /* NULL: the first bad statement ends it */
    unsigned at;           /* first operand */
    bool section, section_applies;
    char section_name[QUALIFIER_BYTES];
    bool identified, any_identifier;
};

static int bad(struct sys_parse *p, unsigned i, const char *expected)
{
    return scan_bad(p->s, i, p->cause, "%s", expected);
}

/* % is one character, * any number (trailing or inside). */
static bool pattern_match(const char *pat, const char *name)
{
    for (; *pat; pat++, name++) {
        if (*pat == '*') {
            while (*pat == '*')
                pat++;
            for (; *name; name++)
                if (pattern_match(pat, name))
                    return true;
            return !*pat;
        }
        if (!*name || (*pat != '%' && *pat != *name))
            return false;
    }
    return !*name;
}

bool config_volume_known(const struct system_config *config, const char *volid)
{
    for (unsigned i = 0; i < config->volume_count; i++)
        if (config->volumes[i].generic ? pattern_match(config->volumes[i].volid, volid)
                                       : !strcmp(config->volumes[i].volid, volid))
            return true;
    return false;
}

/* SYSTEM_IDENTIFIER {LPAR name | model serial} sysname */
static int cfg_st_identifier(struct sys_parse *p)
{
    char name[CONFIG_NAME_BYTES];
    u64 serial;
    if (p->cfg->in_ssi)
        return bad(p, p->at - 1, "SYSTEM_IDENTIFIER before SSI");
    if (strcmp(scan_word(p->s, p->at), "LPAR")) {
        if (!cpu_model_find(scan_word(p->s, p->at)))
            return bad(p, p->at, "LPAR, or a machine model");
        if (!scan_hex(scan_word(p->s, p->at + 1), 0xffffff, &serial))
            return bad(p, p->at + 1, "a serial number of 6 hexadecimal digits");
    } else if (!scan_name(scan_word(p->s, p->at + 1), name, 8)) {
        return bad(p, p->at + 1, "an LPAR name of 1-8 characters");
    }
    if (!scan_name(scan_word(p->s, p->at + 2), name, 8))
        return bad(p, p->at + 2, "a system name of 1-8 characters");
    p->any_identifier = true;
    p->identified |= !strcmp(name, p->real->member);
    return scan_end(p->s, p->at + 3, p->cause);
}

static int cfg_st_identifier_default(struct sys_parse *p)
{
    char name[CONFIG_NAME_BYTES];
    if (!scan_name(scan_word(p->s, p->at), name, 8))
        return bad(p, p->at, "a system name of 1-8 characters");
    p->identified = true;
    return scan_end(p->s, p->at + 1, p->cause);
}

static int ssi_slot(struct sys_parse *p, unsigned i)
{
    struct system_config *cfg = p->cfg;
    u64 n;
    char name[CONFIG_NAME_BYTES];
    if (!scan_number(scan_word(p->s, i), 1, CONFIG_SLOTS_MAX, &n))
        return scan_bad(p->s, i, p->cause, "a slot number from 1 to %d", CONFIG_SLOTS_MAX);
    if (n <= cfg->slot_count && cfg->slots[n - 1].ssi_port == 1)
        return bad(p, i, "each slot once");
    cfg->slots[n - 1].ssi_port = 1; /* mark: seen; cleared by st_ssi */
    if (n > cfg->slot_count)
        cfg->slot_count = (unsigned)n;
    if (scan_abbrev(scan_word(p->s, i + 1), "AVAILable"))
        return ST_OK;
    if (!scan_name(scan_word(p->s, i + 1), name, 8))
        return bad(p, i + 1, "a member name of 1-8 characters, or AVAILABLE");
    if (config_slot_of(cfg, name))
        return bad(p, i + 1, "each member once");
    strcpy(cfg->slots[n - 1].member, name);
    return ST_OK;
}

static int pdr_export(struct sys_parse *p, unsigned i)
{
    struct system_config *cfg = p->cfg;
    if (scan_written(p->s, i, 0, cfg->pdr_path, sizeof cfg->pdr_path) &&
        libnbd_named(cfg->pdr_path))
        return ST_OK;
    return bad(p, i, "nbd[s]://HOST/EXPORT or nbd[s]+unix:///EXPORT?socket=PATH");
}

/* SSI name PDR_VOLUME volid [PDR_EXPORT address] SLOT n {sysname | AVAILABLE} ... */
static int cfg_st_ssi(struct sys_parse *p)
{
    struct system_config *cfg = p->cfg;
    unsigned i = p->at;
    if (cfg->in_ssi)
        return bad(p, i - 1, "one SSI statement");
    if (!scan_name(scan_word(p->s, i), cfg->ssi_name, 8))
        return bad(p, i, "a cluster name of 1-8 characters");
    for (i++; i < p->s->count;) {
        if (scan_abbrev(scan_word(p->s, i), "PDR_VOLume")) {
            if (!scan_name(scan_word(p->s, i + 1), cfg->pdr_volid, 6))
                return bad(p, i + 1, "a volume identifier of 1-6 characters");
            i += 2;
        } else if (scan_abbrev(scan_word(p->s, i), "PDR_EXPort")) {
            if (pdr_export(p, i + 1))
                return ST_CONFIG;
            i += 2;
        } else if (!strcmp(scan_word(p->s, i), "SLOT")) {
            if (ssi_slot(p, i + 1))
                return ST_CONFIG;
            i += 3;
        } else {
            return bad(p, i, "PDR_VOLUME, PDR_EXPORT or SLOT");
        }
    }
    for (unsigned k = 0; k < CONFIG_SLOTS_MAX; k++)
        cfg->slots[k].ssi_port = 0;
    if (!cfg->pdr_volid[0])
        return bad(p, i, "PDR_VOLUME");
    cfg->slot = config_slot_of(cfg, p->real->member);
    if (!cfg->slot)
        return scan_bad(p->s, i, p->cause, "a SLOT for %s", p->real->member);
    cfg->in_ssi = true;
    return ST_OK;
}

static struct config_volume *add_volume(struct sys_parse *p, unsigned i, int *status)
{
    struct system_config *cfg = p->cfg;
    *status = ST_CONFIG;
    if (cfg->volume_count == CONFIG_VOLUMES_MAX) {
        scan_bad(p->s, i, p->cause, "at most %d volumes", CONFIG_VOLUMES_MAX);
        return NULL;
    }
    struct config_volume *v = &cfg->volumes[cfg->volume_count];
    *v = (struct config_volume){0};
    if (!scan_name(scan_word(p->s, i), v->volid, 6)) {
        bad(p, i, "a volume identifier of 1-6 characters");
        return NULL;
    }
    cfg->volume_count++;
    *status = ST_OK;
    return v;
}

/* CP_OWNED SLOT n {volid | RESERVED} [OWN | SHARED] */
static int cfg_st_cp_owned(struct sys_parse *p)
{
    unsigned i = p->at;
    u64 n;
    int status;
    if (strcmp(scan_word(p->s, i), "SLOT"))
        return bad(p, i, "SLOT");
    if (!scan_number(scan_word(p->s, i + 1), 1, 255, &n))
        return bad(p, i + 1, "a slot number from 1 to 255");
    if (!strcmp(scan_word(p->s, i + 2), "RESERVED"))
        return scan_end(p->s, i + 3, p->cause);
    for (unsigned k = 0; k < p->cfg->volume_count; k++)
        if (p->cfg->volumes[k].slot == n)
            return bad(p, i + 1, "each slot once");
    struct config_volume *v = add_volume(p, i + 2, &status);
    if (!v)
        return status;
    v->slot = (u16)n;
    v->shared = !strcmp(scan_word(p->s, i + 3), "SHARED");
    if (p->s->count > i + 3 && !v->shared && strcmp(scan_word(p->s, i + 3), "OWN"))
        return bad(p, i + 3, "OWN or SHARED");
    return scan_end(p->s, i + 4, p->cause);
}

static int cfg_st_user_volume_list(struct sys_parse *p)
{
    int status = p->s->count > p->at ? ST_OK : bad(p, p->at, "a volume identifier");
    for (unsigned i = p->at; i < p->s->count && !status; i++)
        add_volume(p, i, &status);
    return status;
}

static int cfg_st_user_volume_include(struct sys_parse *p)
{
    struct system_config *cfg = p->cfg;
    if (p->s->count <= p->at)
        return bad(p, p->at, "a volume pattern");
    for (unsigned i = p->at; i < p->s->count; i++) {
        const char *w = scan_word(p->s, i);
        if (strlen(w) > 6)
            return bad(p, i, "a volume pattern of 1-6 characters");
        if (cfg->volume_count == CONFIG_VOLUMES_MAX)
            return bad(p, i, "fewer volumes");
        struct config_volume *v = &cfg->volumes[cfg->volume_count++];
        *v = (struct config_volume){.generic = true};
        strcpy(v->volid, w);
    }
    return ST_OK;
}

/* RELOCATION_DOMAIN name MEMBERS sysname ... */
static int cfg_st_domain(struct sys_parse *p)
{
    struct system_config *cfg = p->cfg;
    struct config_domain *d = &cfg->domains[cfg->domain_count], scratch;
    char name[CONFIG_NAME_BYTES];
    if (!p->real->in_ssi)
        return bad(p, p->at - 1, "SSI before RELOCATION_DOMAIN");
    if (cfg->domain_count == CONFIG_DOMAINS_MAX)
        return scan_bad(p->s, p->at, p->cause, "at most %d domains", CONFIG_DOMAINS_MAX);
    if (!scan_name(scan_word(p->s, p->at), name, 8))
        return bad(p, p->at, "a domain name of 1-8 characters");
    if (config_domain_find(p->real, name, &scratch))
        return bad(p, p->at, "a domain name that is not in use");
    if (!scan_abbrev(scan_word(p->s, p->at + 1), "MEMBERs"))
        return bad(p, p->at + 1, "MEMBERS");
    *d = (struct config_domain){0};
    strcpy(d->name, name);
    if (p->s->count <= p->at + 2)
        return bad(p, p->at + 2, "a member name");
    for (unsigned i = p->at + 2; i < p->s->count; i++) {
        const char *w = scan_word(p->s, i);
        if (!config_slot_of(p->real, w))
            return bad(p, i, "a member of the SSI statement");
        for (unsigned k = 0; k < d->member_count; k++)
            if (!strcmp(d->members[k], w))
                return bad(p, i, "each member once");
        strcpy(d->members[d->member_count++], w);
    }
    cfg->domain_count++;
    return ST_OK;
}

/* ACTIVATE ISLINK rdev ... [NODE name]: kept; the address comes from SSIPORT. */
static int cfg_st_activate(struct sys_parse *p)
{
    struct system_config *cfg = p->cfg;
    char node[CONFIG_NAME_BYTES] = "";
    unsigned first = cfg->islink_count, i = p->at + 1;
    u64 rdev;
    if (strcmp(scan_word(p->s, p->at), "ISLINK"))
        return bad(p, p->at, "ISLINK");
    for (; i < p->s->count && strcmp(scan_word(p->s, i), "NODE"); i++) {
        if (!scan_hex(scan_word(p->s, i), 0xffff, &rdev))
            return bad(p, i, "a real device number or NODE");
        if (cfg->islink_count == CONFIG_ISLINKS_MAX)
            return bad(p, i, "fewer links");
        cfg->islinks[cfg->islink_count++] = (struct config_islink){.rdev = (u16)rdev};
    }
    if (cfg->islink_count == first)
        return bad(p, i, "a real device number");
    if (i < p->s->count && !scan_name(scan_word(p->s, i + 1), node, 8))
        return bad(p, i + 1, "a node name of 1-8 characters");
    for (unsigned k = first; k < cfg->islink_count; k++)
        strcpy(cfg->islinks[k].node, node);
    return scan_end(p->s, i + 2, p->cause);
}

/* SSI_LINKS {TLS | STREAMS n | HEARTBEAT s | SILENCE s | KEEPALIVE s | HANDSHAKE s | JOIN s} ... */
static int cfg_st_ssi_links(struct sys_parse *p)
{
    struct config_ssi_links *l = &p->cfg->ssi_links;
    const struct {
        const char *word;
        unsigned *to;
    } times[] = {{"HEARTBEAT", &l->heartbeat_s},
                 {"SILENCE", &l->silence_s},
                 {"KEEPALIVE", &l->keepalive_s},
                 {"HANDSHAKE", &l->handshake_s},
                 {"JOIN", &l->join_s}};
    u64 n;
    unsigned i = p->at;
    for (; i < p->s->count; i++) {
        size_t k = 0;
        if (!strcmp(scan_word(p->s, i), "STREAMS")) {
            if (!scan_number(scan_word(p->s, ++i), 0, CONFIG_LINK_STREAMS_MAX, &n))
                return bad(p, i, "a number of streams from 0 to 4");
            l->streams = (unsigned)n;
            l->streams_set = true;
            continue;
        }
        while (k < ARRAY_LEN(times) && strcmp(scan_word(p->s, i), times[k].word))
            k++;
        if (k == ARRAY_LEN(times)) {
            if (strcmp(scan_word(p->s, i), "TLS"))
                return bad(p, i,
                           "TLS, STREAMS, HEARTBEAT, SILENCE, KEEPALIVE, HANDSHAKE or JOIN");
            l->tls = true;
            continue;
        }
        if (!scan_number(scan_word(p->s, ++i), 1, CONFIG_LINK_SECONDS_MAX, &n))
            return bad(p, i, "a number of seconds from 1 to 3600");
        *times[k].to = (unsigned)n;
    }
    if ((l->silence_s ? l->silence_s : 10) < 2 * (l->heartbeat_s ? l->heartbeat_s : 1))
        return bad(p, p->at, "a SILENCE of at least two heartbeats");
    return i == p->at ? bad(p, i, "an operand of SSI_LINKS") : ST_OK;
}

static bool rdev_range(const char *word, struct config_eqid *e)
{
    char part[8];
    u64 first, last;
    const char *dash = strchr(word, '-');
    size_t n = dash ? (size_t)(dash - word) : strlen(word);
    if (!n || n > 4)
        return false;
    memcpy(part, word, n);
    part[n] = 0;
    if (!scan_hex(part, 0xffff, &first))
        return false;
    last = first;
    if (dash && (!scan_hex(dash + 1, 0xffff, &last) || last < first))
        return false;
    e->first = (u16)first;
    e->last = (u16)last;
    return true;
}

static int add_eqid(struct sys_parse *p, unsigned range_at, unsigned eqid_at)
{
    struct system_config *cfg = p->cfg;
    struct config_eqid e = {0};
    if (!rdev_range(scan_word(p->s, range_at), &e))
        return bad(p, range_at, "a real device number or range");
    if (!scan_name(scan_word(p->s, eqid_at), e.eqid, CONFIG_EQID_BYTES - 1))
        return bad(p, eqid_at, "an EQID of 1-50 characters");
    if (cfg->eqid_count == CONFIG_EQIDS_MAX)
        return bad(p, range_at, "fewer EQIDs");
    cfg->eqids[cfg->eqid_count++] = e;
    return ST_OK;
}

/* RDEVICE rdev[-rdev] EQID eqid [TYPE type ...] */
static int cfg_st_rdevice(struct sys_parse *p)
{
    if (strcmp(scan_word(p->s, p->at + 1), "EQID"))
        return bad(p, p->at + 1, "EQID");
    if (p->s->count > p->at + 3 && strcmp(scan_word(p->s, p->at + 3), "TYPE"))
        return bad(p, p->at + 3, "TYPE");
    return add_eqid(p, p->at, p->at + 2);
}

/* EQID eqid RDEV rdev[-rdev] ...: shorthand of ours. */
static int cfg_st_eqid(struct sys_parse *p)
{
    int status = ST_OK;
    if (strcmp(scan_word(p->s, p->at + 1), "RDEV"))
        return bad(p, p->at + 1, "RDEV");
    if (p->s->count <= p->at + 2)
        return bad(p, p->at + 2, "a real device number or range");
    for (unsigned i = p->at + 2; i < p->s->count && !status; i++)
        status = add_eqid(p, i, p->at);
    return status;
}

/* A command that is issued when the member starts. */
static int add_network(struct sys_parse *p, const char *text)
{
    struct system_config *cfg = p->cfg;
    if (cfg->network_count == CONFIG_NETWORKS_MAX)
        return bad(p, p->at, "at most 256 statements about networks and exits");
    cfg->networks[cfg->network_count] = strdup(text);
    if (!cfg->networks[cfg->network_count])
        return cause_set(p->cause, ST_NOMEM, "%s: out of memory", p->s->name);
    cfg->network_count++;
    return ST_OK;
}

static int cfg_st_kept(struct sys_parse *p);

/* VMLAN MACPREFIX hhhhhh USERPREFIX hhhhhh, which are there before networks are; the rest is a
 * command. */
static int cfg_st_vmlan(struct sys_parse *p)
{
    char command[CONFIG_NETWORK_BYTES];
    size_t len = (size_t)snprintf(command, sizeof command, "SET VMLAN");
    const size_t begin = len;
    u64 v;
    int status = cfg_st_kept(p);
    for (unsigned i = p->at; !status && i < p->s->count; i++) {
        const char *w = scan_word(p->s, i);
        char *to = !strcmp(w, "MACPREFIX")    ? p->cfg->mac_prefix
                   : !strcmp(w, "USERPREFIX") ? p->cfg->user_prefix
                                              : NULL;
        if (!to) {
            len += (size_t)snprintf(command + len, sizeof command - len, " %s", w);
            if (len >= sizeof command)
                return bad(p, i, "fewer operands");
            continue;
        }
        const char *hex = scan_word(p->s, ++i);
        if (strlen(hex) != 6 || !scan_hex(hex, 0xffffff, &v))
            return bad(p, i, "a prefix of 6 hexadecimal digits");
        strcpy(to, hex);
    }
    return status || len == begin ? status : add_network(p, command);
}

/* FEATURES {ENABLE | DISABLE} name ... and FEATURES with values */
static int cfg_st_features(struct sys_parse *p)
{
    static const char *const known[] = {"AUTO_WARM_IPL", "CPCHECKING",   "LOGMSG_FROM_FILE",
                                        "PROMPT",        "THROTTLE_ALL", "VALIDATE_SHUTDOWN",
                                        "STP_TIMESTAMP", "STP_TIMEZONE"};
    struct config_features *f = &p->cfg->features;
    bool on = true;
    u64 n;
    if (p->s->count <= p->at)
        return bad(p, p->at, "ENABLE, DISABLE or a feature");
    for (unsigned i = p->at; i < p->s->count; i++) {
        const char *w = scan_word(p->s, i);
        bool plain = false;
        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            plain |= !strcmp(w, known[k]);
        if (plain)
            continue;
        if (!strcmp(w, "ENABLE") || !strcmp(w, "DISABLE"))
            on = *w == 'E';
        else if (!strcmp(w, "SET_PRIVCLASS"))
            f->set_privclass = on;
        else if (!strcmp(w, "CLEAR_TDISK"))
            f->clear_tdisk = on;
        else if (!strcmp(w, "PASSWORDS_ON_CMDS"))
            f->passwords_on_cmds = on;
        else if (!strcmp(w, "AUTOLOG") || !strcmp(w, "LINK") || !strcmp(w, "LOGON")) {
            const char *v = scan_word(p->s, ++i);
            if (strcmp(v, "YES") && strcmp(v, "NO"))
                return bad(p, i, "YES or NO");
            if (!strcmp(w, "LOGON"))
                f->passwords_on_cmds = *v == 'Y';
        } else if (!strcmp(w, "DISCONNECT_TIMEOUT")) {
            const char *v = scan_word(p->s, ++i);
            if (!strcmp(v, "OFF"))
                f->logoff_timeout_s = 0;
            else if (scan_number(v, 1, 999, &n))
                f->logoff_timeout_s = (unsigned)n * 60;
            else
                return bad(p, i, "OFF or a number of minutes");
        } else if (!strcmp(w, "IDLE_SLACK")) {
            const char *v = scan_word(p->s, ++i);
            bool off = !strcmp(v, "OFF");
            if (!off && !scan_number(v, VM_IDLE_SLACK_MS_MIN, VM_IDLE_SLACK_MS_MAX, &n))
                return bad(p, i, "OFF or 10 to 1000 milliseconds");
            f->idle_slack_ms = off ? 0 : (unsigned)n;
        } else if (!strcmp(w, "CP_LEVEL")) {
            if (!scan_number(scan_word(p->s, ++i), 1, CP_LEVEL, &n))
                return scan_bad(p->s, i, p->cause, "a level of CP from 1 to %u", CP_LEVEL);
            f->cp_level = (unsigned)n;
        } else
            return bad(p, i, "a known feature");
    }
    return ST_OK;
}

/* SET SIGNAL SHUTDOWNTIME n [SECONDS] (the SET statement of SYSTEM CONFIG) */
static int cfg_st_set(struct sys_parse *p)
{
    const char *w = scan_word(p->s, p->at);
    u64 n;
    if (strcmp(w, "SIGNAL") && strcmp(w, "SHUTDOWNTIME"))
        return scan_refuse(p->s, p->at - 1, p->cause, "SET");
    unsigned i = p->at + (*scan_word(p->s, p->at + 1) == 'S');
    if (!scan_number(scan_word(p->s, i + 1), 0, 32767, &n))
        return bad(p, i + 1, "a number of seconds");
    p->cfg->features.shutdown_signal_s = (unsigned)n;
    return ST_OK;
}

static void take_userid(void *arg, unsigned at)
{
    struct sys_parse *p = arg;
    if (!strcmp(scan_word(p->s, at), "OPERATOR"))
        scan_name(scan_word(p->s, at + 1), p->cfg->features.operator_userid, 8);
}

/* SYSTEM_USERIDS OPERATOR userid ... */
static int cfg_st_userids(struct sys_parse *p)
{
    unsigned at = p->at;
    if (p->s->count <= at)
        return bad(p, at, "OPERATOR or another part");
    return stmt_more(&statements, CFG_STMT_SYSTEM_USERIDS, p->s, &at, take_userid, p, p->cause);
}

static int cfg_st_operator(struct sys_parse *p)
{
    if (!scan_name(scan_word(p->s, p->at), p->cfg->features.operator_userid, 8))
        return bad(p, p->at, "a user id of 1-8 characters");
    return scan_end(p->s, p->at + 1, p->cause);
}

static int cfg_st_dateformat(struct sys_parse *p)
{
    static const char *const words[] = {"SHORTdate", "FULLdate", "ISOdate"};
    const struct stmt_row *row = stmt_find(&statements, scan_word(p->s, p->at - 1));
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (scan_abbrev(scan_word(p->s, p->at), words[i]))
            p->cfg->features.dateformat = (enum vm_dateformat)i;
    return stmt_kept(&statements, row, p->s, p->at - 1, p->cause);
}

/* CHARACTER_DEFAULTS {LINE_END | LINE_DELETE | ...} {character | OFF} ... */
static int cfg_st_characters(struct sys_parse *p)
{
    static const char *const words[CONFIG_EDIT_CHARACTERS] = {"LINE_ENd", "LINE_DELete",
                                                              "CHAR_DELete", "ESCape", "TAB"};
    unsigned i, at = p->at;
    if (at == p->s->count)
        return bad(p, at, "an operand of CHARACTER_DEFAULTS");
    for (; at < p->s->count; at += 2) {
        const char *c = scan_word(p->s, at + 1);
        for (i = 0; i < ARRAY_LEN(words) && !scan_abbrev(scan_word(p->s, at), words[i]);)
            i++;
        if (i == ARRAY_LEN(words))
            return bad(p, at, "an operand of CHARACTER_DEFAULTS");
        bool off = !strcmp(c, "OFF");
        if (!off && (!*c || c[1] || (u8)*c >= 0x80))
            return bad(p, at + 1, "a character or OFF");
        p->cfg->features.edit[i] = off ? 0 : *c;
    }
    return ST_OK;
}

static int cfg_st_kept(struct sys_parse *p)
{
    const struct stmt_row *row = stmt_find(&statements, scan_word(p->s, p->at - 1));
    return stmt_kept(&statements, row, p->s, p->at - 1, p->cause);
}

/* DEFINE and MODIFY of networks: commands of that name, when the member starts. A guest LAN is
 * SYSTEM's unless it has an owner. */
static int cfg_st_network(struct sys_parse *p)
{
    char command[CONFIG_NETWORK_BYTES];
    bool owned = strcmp(scan_word(p->s, p->at), "LAN") != 0;
    int status = cfg_st_kept(p);
    if (status)
        return status;
    for (unsigned i = p->at; i < p->s->count; i++)
        owned |= scan_abbrev(scan_word(p->s, i), "OWNERid");
    if (owned)
        return add_network(p, scan_rest(p->s, p->at - 1));
    int len = snprintf(command, sizeof command, "%s LAN %s OWNERID SYSTEM %s",
                       scan_word(p->s, p->at - 1), scan_word(p->s, p->at + 1),
                       scan_rest(p->s, p->at + 2));
    return len < (int)sizeof command ? add_network(p, command)
                                     : bad(p, p->at, "a shorter statement");
}

/* A CP exit, or two with a hyphen between them. */
static bool exit_word(const char *word)
{
    static const u16 numbers[] = {
#define X(id, number, what) number,
#include "hyp/exit/exit.def"
#undef X
    };
    char text[24], *hyphen;
    u64 first, last;
    snprintf(text, sizeof text, "%s", word);
    if ((hyphen = strchr(text, '-')))
        *hyphen = 0;
    if (!scan_hex(text, 0xffff, &first) || !scan_hex(hyphen ? hyphen + 1 : text, 0xffff, &last))
        return false;
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++)
        if (hyphen ? first <= numbers[i] && numbers[i] <= last : first == numbers[i])
            return true;
    return false;
}

/* ASSOCIATE and DISASSOCIATE EXIT number ..., ENABLE and DISABLE EXITS {ALL | number ...}:
 * commands of that name, when the member starts. */
static int cfg_st_exit(struct sys_parse *p)
{
    bool list = scan_abbrev(scan_word(p->s, p->at), "EXITS");
    int status = cfg_st_kept(p);
    for (unsigned i = p->at + 1; !status && i < (list ? p->s->count : p->at + 2); i++)
        if (!exit_word(scan_word(p->s, i)) && !(list && !strcmp(scan_word(p->s, i), "ALL")))
            status = bad(p, i, "the number of a CP exit that there is");
    return status ? status : add_network(p, scan_rest(p->s, p->at - 1));
}

static int (*const readers[CFG_STMTS])(struct sys_parse *p) = {
#define S(id, name, function, effect, operands, what) [CFG_STMT_##id] = function,
#define O(id, effect, operands, what)
#include "hyp/config/config_stmt.def"
#undef S
#undef O
};

static int run_statement(struct sys_parse *p, unsigned at, bool applies)
{
    const struct stmt_row *row = stmt_find(&statements, scan_word(p->s, at));
    if (!row)
        return bad(p, at, "a SYSTEM CONFIG statement");
    int status = stmt_refused(&statements, row, p->s, at, p->cause);
    if (status)
        return status;
    p->at = at + 1;
    p->cfg = p->real;
    if (!applies) {
        memset(p->scratch, 0, sizeof *p->scratch);
        p->cfg = p->scratch;
    }
    status = readers[row->stmt](p);
    if (!applies)
        config_drop(p->scratch);
    if (!status && p->faults)
        stmt_note(&statements, row, p->s, at, p->faults);
    return status;
}

/* `name name ...:` in front of a statement. Words taken, 0 = none. */
static unsigned qualifier(struct sys_parse *p, bool *applies, char *text)
{
    unsigned n = 0;
    *applies = false;
    text[0] = 0;
    while (n < p->s->count && !strchr(scan_word(p->s, n), ':'))
        n++;
    if (n == p->s->count)
        return 0;
    const char *last = scan_word(p->s, n);
    if (last[strlen(last) - 1] != ':')
        return 0;
    for (unsigned i = 0; i <= n; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.60s", scan_word(p->s, i));
        if (i == n)
            name[strlen(name) - 1] = 0;
        *applies |= name[0] && pattern_match(name, p->real->member);
        size_t len = strlen(text);
        snprintf(text + len, QUALIFIER_BYTES - len, "%s%s", i ? " " : "", name);
    }
    return n + 1;
}

static int one_statement(struct sys_parse *p)
{
    bool applies = true;
    char name[QUALIFIER_BYTES];
    unsigned at = qualifier(p, &applies, name);
    const char *word = scan_word(p->s, at);
    if (!strcmp(word, "END") && p->section) {
        if (at && strcmp(name, p->section_name))
            return scan_bad(p->s, 0, p->cause, "%s: END", p->section_name);
        p->section = false;
        return scan_end(p->s, at + 1, p->cause);
    }
    if (at && p->section)
        return bad(p, 0, "END before another qualifier");
    if (at && !strcmp(word, "BEGIN")) {
        p->section = true;
        p->section_applies = applies;
        memcpy(p->section_name, name, sizeof name);
        return scan_end(p->s, at + 1, p->cause);
    }
    if (at && at == p->s->count)
        return bad(p, at, "BEGIN or a statement");
    return run_statement(p, at, at ? applies : !p->section || p->section_applies);
}

static int finish(struct sys_parse *p)
{
    const struct system_config *cfg = p->real;
    if (p->section)
        return scan_bad(p->s, 0, p->cause, "%s: END", p->section_name);
    if (p->any_identifier && !p->identified)
        return scan_bad(p->s, 0, p->cause, "a SYSTEM_IDENTIFIER for %s", cfg->member);
    if (!cfg->in_ssi)
        return ST_OK;
    if (config_volume_known(cfg, cfg->pdr_volid))
        return ST_OK;
    return scan_bad(p->s, 0, p->cause, "PDR volume %s in CP_OWNED or USER_VOLUME_LIST",
                    cfg->pdr_volid);
}

/* A bad statement is told and left out, if somebody asks for all of them. */
static int goes_on(struct sys_parse *p, int status)
{
    if (status != ST_CONFIG || !p->faults)
        return status;
    faults_add_cause(p->faults, p->s->name, p->cause);
    return ST_OK;
}

int config_read_system(struct system_config *config, const char *name, const char *text,
                       struct faults *faults, struct cause *cause)
{
    struct sys_parse p = {.real = config, .cause = cause, .faults = faults};
    p.s = malloc(sizeof *p.s);
    p.scratch = calloc(1, sizeof *p.scratch);
    int status = ST_OK;
    if (!p.s || !p.scratch) {
        status = cause_set(cause, ST_NOMEM, "%s: out of memory", name);
    } else {
        scan_init(p.s, name, text, SCAN_SLASH_COMMENTS | SCAN_CONTINUE);
        while (!status && (status = scan_next(p.s, cause)) > 0)
            status = goes_on(&p, one_statement(&p));
        if (!status)
            status = goes_on(&p, finish(&p));
    }
    free(p.s);
    free(p.scratch);
    return status;
}

int config_parse_system(struct system_config *config, const char *name, const char *text,
                        struct cause *cause)
{
    return config_read_system(config, name, text, NULL, cause);
}
