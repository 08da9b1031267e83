/* A member's configuration from its cluster folder: reading files, looking things up.
 * Hardware files of other members are read for their addresses; a bad one is theirs. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/arch.h"
#include "hyp/config.h"
#include "hyp/config/config_internal.h"
#include "hyp/config/config_scan.h"
#include "hyp/vm_needs.h"

#define SHUTDOWN_SIGNAL_S 30

u16 config_slot_of(const struct system_config *config, const char *member)
{
    for (u16 i = 0; i < CONFIG_SLOTS_MAX; i++)
        if (config->slots[i].member[0] && !strcasecmp(config->slots[i].member, member))
            return (u16)(i + 1);
    return 0;
}

/* SSI, and the domain of each member. */
static bool built_in_domain(const struct system_config *config, const char *name,
                            struct config_domain *out)
{
    u16 slot = config_slot_of(config, name);
    bool all = !strcasecmp(name, "SSI") && config->in_ssi;
    if (!slot && !all)
        return false;
    memset(out, 0, sizeof *out);
    strcpy(out->name, all ? "SSI" : config->slots[slot - 1].member);
    for (unsigned i = 0; i < CONFIG_SLOTS_MAX; i++)
        if (config->slots[i].member[0] && (all || i + 1u == slot))
            strcpy(out->members[out->member_count++], config->slots[i].member);
    return true;
}

/* A member that gets a slot later may have the name of a domain that was defined before. */
const struct config_domain *config_domain_find(const struct system_config *config,
                                               const char *name, struct config_domain *scratch)
{
    const struct config_domain_list *more = config->defined_domains;
    if (built_in_domain(config, name, scratch))
        return scratch;
    for (unsigned i = 0; more && i < more->count; i++)
        if (!strcasecmp(more->domain[i].name, name))
            return &more->domain[i];
    for (unsigned i = 0; i < config->domain_count; i++)
        if (!strcasecmp(config->domains[i].name, name))
            return &config->domains[i];
    return NULL;
}

static int set_path(char *out, struct cause *cause, const char *dir, const char *sub,
                    const char *name, const char *suffix)
{
    int n = snprintf(out, CONFIG_PATH_BYTES, "%s/%s%s%s", dir, sub, name, suffix);
    if (n < 0 || n >= CONFIG_PATH_BYTES)
        return cause_set(cause, ST_LIMIT, "%.64s...: path too long", dir);
    return ST_OK;
}

static int load_hardware(const char *dir, const char *member, struct config_hardware *hw,
                         struct faults *faults, struct cause *cause)
{
    int status = set_path(hw->path, cause, dir, "hardware/", member, ".cnf");
    if (status)
        return status;
    char *text = scan_file(hw->path, cause);
    if (!text)
        return cause->status;
    status = config_read_hardware(hw, hw->path, text, faults, cause);
    free(text);
    return status;
}

static void load_other(const struct system_config *cfg, struct config_slot *slot)
{
    struct config_hardware *hw = slot->member[0] ? calloc(1, sizeof *hw) : NULL;
    struct cause ignored;
    if (!hw)
        return;
    if (!load_hardware(cfg->dir, slot->member, hw, NULL, &ignored)) {
        slot->hardware_known = true;
        memcpy(slot->ssi_host, hw->ssi_host, sizeof slot->ssi_host);
        slot->ssi_port = hw->ssi_port;
        slot->model = hw->model;
    }
    free(hw->devices);
    free(hw);
}

const struct cpu_model *config_member_model(const struct system_config *config,
                                            const char *member)
{
    u16 slot = config_slot_of(config, member);
    struct config_slot now = {0};
    if (!slot)
        return NULL;
    snprintf(now.member, sizeof now.member, "%s", config->slots[slot - 1].member);
    load_other(config, &now);
    const struct config_slot *s = now.hardware_known ? &now : &config->slots[slot - 1];
    return s->hardware_known ? s->model : NULL;
}

static void load_others(struct system_config *cfg)
{
    for (unsigned i = 0; i < CONFIG_SLOTS_MAX; i++)
        load_other(cfg, &cfg->slots[i]);
}

void config_slot_set(struct system_config *config, unsigned slot, const char *member)
{
    struct config_slot *s = &config->slots[slot - 1];
    *s = (struct config_slot){0};
    snprintf(s->member, sizeof s->member, "%s", member);
    if (*member && slot > config->slot_count)
        config->slot_count = slot;
    load_other(config, s);
}

/* What a cluster asks of a member's files. */
static int join_cluster(struct system_config *cfg, struct faults *faults, struct cause *cause)
{
    load_others(cfg);
    int status = cfg->pdr_path[0] ? ST_OK /* PDR_EXPORT */
                                  : set_path(cfg->pdr_path, cause, cfg->dir, "volumes/",
                                             cfg->pdr_volid, ".pdr");
    if (status || cfg->hardware.ssi_host[0])
        return status;
    status = cause_set(cause, ST_CONFIG,
                       "%s:1:1: expected an SSIPORT statement for cluster %s, found none",
                       cfg->hardware.path, cfg->ssi_name);
    if (!faults)
        return status;
    faults_add_cause(faults, cfg->hardware.path, cause);
    return ST_OK;
}

void config_features_default(struct config_features *f)
{
    *f = (struct config_features){
        .operator_userid = "OPERATOR",
        .passwords_on_cmds = true,
        .shutdown_signal_s = SHUTDOWN_SIGNAL_S,
        .idle_slack_ms = VM_IDLE_SLACK_MS,
        .cp_level = CP_LEVEL,
        .edit = {[CONFIG_LINE_END] = '#',
                 [CONFIG_LINE_DELETE] = '\xa2', /* a cent sign */
                 [CONFIG_CHAR_DELETE] = '@',
                 [CONFIG_ESCAPE] = '"'},
    };
}

static int load_system(struct system_config *cfg, struct faults *faults, struct cause *cause)
{
    int status = set_path(cfg->path, cause, cfg->dir, "", "system", ".config");
    if (status)
        return status;
    char *text = scan_file(cfg->path, cause);
    if (!text)
        return cause->status;
    config_features_default(&cfg->features);
    status = config_read_system(cfg, cfg->path, text, faults, cause);
    free(text);
    if (!status)
        status = load_hardware(cfg->dir, cfg->member, &cfg->hardware, faults, cause);
    return !status && cfg->in_ssi ? join_cluster(cfg, faults, cause) : status;
}

static int load(const char *dir, const char *member, struct faults *faults,
                struct system_config **out, struct cause *cause)
{
    char name[CONFIG_NAME_BYTES] = "";
    size_t n = strlen(member);
    *out = NULL;
    if (!n || n > 8)
        return cause_set(cause, ST_CONFIG, "%.40s: not a member name of 1-8 characters",
                         member);
    for (size_t i = 0; i < n; i++)
        name[i] = (char)toupper((unsigned char)member[i]);
    struct system_config *cfg = calloc(1, sizeof *cfg);
    if (!cfg || !(cfg->defined_domains = calloc(1, sizeof *cfg->defined_domains))) {
        free(cfg);
        return cause_set(cause, ST_NOMEM, "out of memory");
    }
    int status = ST_OK;
    if (!scan_name(name, cfg->member, 8))
        status = cause_set(cause, ST_CONFIG, "%s: not a member name", member);
    else if (strlen(dir) >= sizeof cfg->dir)
        status = cause_set(cause, ST_LIMIT, "%.64s...: path too long", dir);
    if (!status) {
        strcpy(cfg->dir, dir);
        status = load_system(cfg, faults, cause);
    }
    if (status) {
        config_free(cfg);
        return status;
    }
    *out = cfg;
    return ST_OK;
}

int config_load(const char *dir, const char *member, struct system_config **out,
                struct cause *cause)
{
    struct cause own;
    return load(dir, member, NULL, out, cause ? cause : &own);
}

struct system_config *config_check(const char *dir, const char *member, struct faults *faults)
{
    struct system_config *cfg;
    struct cause cause;
    if (load(dir, member, faults, &cfg, &cause)) {
        char file[CONFIG_PATH_BYTES];
        snprintf(file, sizeof file, "%.*s", (int)strcspn(cause.text, ":"), cause.text);
        faults_add_cause(faults, file, &cause);
    }
    if (cfg)
        config_check_files(cfg, faults);
    faults_sort(faults);
    return cfg;
}

void config_drop(struct system_config *config)
{
    free(config->hardware.devices);
    free(config->defined_domains);
    for (unsigned i = 0; i < config->network_count; i++)
        free(config->networks[i]);
}

void config_free(struct system_config *config)
{
    if (!config)
        return;
    config_drop(config);
    free(config);
}
