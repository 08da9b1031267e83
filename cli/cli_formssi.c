/* endicott formssi: the PDR of a cluster made, shown, and its lock looked at, as z/VM's FORMSSI. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/cli_member.h"
#include "ssi/ssi_formssi.h"

#define USAGE "formssi create|display|unlock DIR [options]"
#define TIME_BYTES 32

struct formssi_options {
    bool force, json;
};

/* The PDR that a cluster's folder names. */
static int pdr_of(const char *const *operand, unsigned operands, struct system_config **config,
                  struct cause *cause)
{
    char folder[CONFIG_PATH_BYTES], names[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    if (operands != 1)
        return cause_set(cause, ST_CONFIG, "the folder of a cluster is wanted");
    if (!cli_folder("formssi", operand[0], folder))
        return cause_set(cause, ST_CONFIG, "%s is no cluster", operand[0]);
    if (!cli_members_of(folder, names, NULL, cause))
        return cause->status;
    int rc = config_load(folder, names[0], config, cause);
    if (rc == ST_OK && !(*config)->in_ssi) {
        config_free(*config);
        rc = cause_set(cause, ST_CONFIG, "%s: system.config has no SSI statement", folder);
    }
    return rc;
}

static int complain(const struct cause *cause)
{
    fprintf(stderr, "endicott formssi: %s\n", cause->text);
    return cli_exit_of(cause->status);
}

/* ---- create ---- */

static int create_verb(const char *const *operand, unsigned operands, const void *options)
{
    const struct formssi_options *o = options;
    struct system_config *config;
    struct ssi_config sc;
    struct cause cause;
    if (pdr_of(operand, operands, &config, &cause))
        return complain(&cause);
    ssi_config_init(&sc);
    u64 quiet_ms = sc.silence_ms + 3 * (u64)sc.pdr_beat_ms;
    int rc = formssi_create(config->pdr_path, config->ssi_name, o->force, quiet_ms, &cause);
    if (rc == ST_OK)
        printf("%s: an empty PDR for SSI cluster %s\n", config->pdr_path, config->ssi_name);
    config_free(config);
    return rc ? complain(&cause) : EXIT_WELL;
}

/* ---- display ---- */

static const char *down_text(const struct formssi_slot *slot)
{
    static const char *const text[] = {"", "left", "ended", "declared down"};
    return slot->state == SSI_DOWN && slot->down_reason < 4 ? text[slot->down_reason] : "";
}

static const char *time_text(u64 ms, char out[TIME_BYTES])
{
    time_t s = (time_t)(ms / 1000);
    struct tm tm;
    snprintf(out, TIME_BYTES, "-");
    if (ms)
        strftime(out, TIME_BYTES, "%Y-%m-%d %H:%M:%S", gmtime_r(&s, &tm));
    return out;
}

static json_t *slot_json(const struct formssi_slot *slot, unsigned i)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:i, s:i}", "slot", (int)i + 1,
                     "member", slot->name, "state", ssi_state_name(slot->state), "down",
                     down_text(slot), "address", slot->addr, "pid", slot->pid, "heartbeat_ms",
                     (json_int_t)slot->beat_ms, "since_ms", (json_int_t)slot->since_ms,
                     "claims", (int)slot->claims, "shares", (int)slot->shares);
}

static void display_json(const char *path, const struct formssi_view *v)
{
    json_t *slots = json_array();
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++)
        if (v->slots[i].name[0])
            json_array_append_new(slots, slot_json(&v->slots[i], i));
    json_t *all = json_pack("{s:s, s:s, s:i, s:I, s:[I,I], s:b, s:b, s:i, s:o}", "path", path,
                            "cluster", v->cluster, "version", (int)v->version, "change",
                            (json_int_t)v->seq, "checkpoints", (json_int_t)v->checkpoint_seq[0],
                            (json_int_t)v->checkpoint_seq[1], "gap", v->gap, "consistent",
                            v->consistent, "lock_pid", v->lock_pid, "members", slots);
    json_dumpf(all, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
    putchar('\n');
    json_decref(all);
}

static void lock_tell(int pid)
{
    if (pid > 0)
        printf("Lock: held by process %d of this host\n", pid);
    else
        puts(pid ? "Lock: held, by no process of this host that can be seen" : "Lock: free");
}

static void display_text(const char *path, const struct formssi_view *v)
{
    char beat[TIME_BYTES], since[TIME_BYTES];
    printf("PDR: %s, version %u\nSSI Name: %s\nLast change: %llu%s\n", path, v->version,
           v->cluster, (unsigned long long)v->seq,
           v->gap ? ", and changes that follow nothing" : "");
    for (unsigned i = 0; i < 2; i++)
        if (!v->checkpoint_seq[i])
            printf("Checkpoint %u: damaged; the next member to use the PDR writes it anew\n",
                   i);
    if (!v->consistent)
        puts("Read without the lock: some of this may have changed meanwhile");
    lock_tell(v->lock_pid);
    puts(
        "SLOT SYSTEMID STATE    HEARTBEAT           SINCE               CLAIMS SHARES   PROCESS");
    for (unsigned i = 0; i < SSI_SLOTS_MAX; i++) {
        const struct formssi_slot *s = &v->slots[i];
        if (!s->name[0])
            continue;
        printf("%4u %-8s %-8s %-19s %-19s %6u %6u ", i + 1, s->name, ssi_state_name(s->state),
               time_text(s->beat_ms, beat), time_text(s->since_ms, since), s->claims,
               s->shares);
        if (s->pid > 0)
            printf("%9d", s->pid);
        else
            printf("%9s", s->pid ? "elsewhere" : "-");
        printf("%s%s\n", *down_text(s) ? " " : "", down_text(s));
    }
}

static int display_verb(const char *const *operand, unsigned operands, const void *options)
{
    const struct formssi_options *o = options;
    struct formssi_view view;
    struct system_config *config;
    struct cause cause;
    if (pdr_of(operand, operands, &config, &cause))
        return complain(&cause);
    int rc = formssi_look(config->pdr_path, &view, &cause);
    if (rc == ST_OK && o->json)
        display_json(config->pdr_path, &view);
    else if (rc == ST_OK)
        display_text(config->pdr_path, &view);
    config_free(config);
    return rc ? complain(&cause) : EXIT_WELL;
}

/* ---- unlock ---- */

/* The letter of /proc/PID/stat, behind the name in parentheses. */
static char process_state(int pid)
{
    char path[32], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    FILE *file = fopen(path, "re");
    char *end = file && fgets(text, sizeof text, file) ? strrchr(text, ')') : NULL;
    if (file)
        fclose(file);
    return end && end[1] ? end[2] : '?';
}

/* A lock is its holder's until that ends or lets go: there is nothing to break. */
static int unlock_verb(const char *const *operand, unsigned operands, const void *options)
{
    struct formssi_view view;
    struct system_config *config;
    struct cause cause;
    (void)options;
    if (pdr_of(operand, operands, &config, &cause))
        return complain(&cause);
    int rc = formssi_look(config->pdr_path, &view, &cause);
    config_free(config);
    if (rc && rc != ST_PROTO)
        return complain(&cause);
    if (rc == ST_OK && (!view.lock_pid || view.consistent)) {
        puts("The PDR is not locked, or it was for a moment only");
        return EXIT_WELL;
    }
    if (rc == ST_PROTO)
        return complain(&cause);
    if (view.passes)
        fprintf(
            stderr,
            "endicott formssi: slot %u's member has the lock; the others pass it over as soon "
            "as its process has ended, or has stood still for 10 seconds\n",
            view.lock_slot + 1);
    else if (view.lock_pid > 0)
        fprintf(
            stderr,
            "endicott formssi: process %d holds the lock and is %s; the lock is free when it "
            "goes on or ends (kill -CONT %d, or kill -KILL %d: its guests end with it)\n",
            view.lock_pid, process_state(view.lock_pid) == 'T' ? "stopped" : "at work",
            view.lock_pid, view.lock_pid);
    else
        fprintf(stderr,
                "endicott formssi: a process of another host or another user holds the lock; "
                "it is free when that process ends, or, when its host is gone, when the file "
                "server gives the lock up (NFS 4: after its lease, 90 seconds as a rule)\n");
    return EXIT_INTERNAL;
}

static const struct cli_verb verbs[] = {
    {"create", "formssi create DIR [--force]", create_verb},
    {"display", "formssi display DIR [--json]", display_verb},
    {"unlock", "formssi unlock DIR", unlock_verb},
    {NULL, NULL, NULL},
};

int cli_formssi(int argc, char **argv)
{
    struct formssi_options o = {0};
    const struct cli_option options[] = {
        {"force", NULL, "create: in place of what is there, unless a member uses it", NULL,
         &o.force},
        {"json", NULL, "display: as JSON", NULL, &o.json},
        {NULL, NULL, NULL, NULL, NULL}};
    return cli_verb_parse(argc, argv, USAGE, options, verbs, &o);
}
