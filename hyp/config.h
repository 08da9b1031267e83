/* system.config and hardware/MEMBER.cnf of a cluster folder, parsed into plain values.
 * Syntax: z/VM SYSTEM CONFIG ("CP Planning and Administration"), Hercules configuration. */
#ifndef ENDICOTT_HYP_CONFIG_H
#define ENDICOTT_HYP_CONFIG_H

#include "cpu/model.h"
#include "io/unitrec/unitrec_file.h"
#include "hyp/vm_asks.h"
#include "mem/base/bytes.h"
#include "mem/base/status.h"

#define CONFIG_NAME_BYTES 9     /* 1-8 characters, upper case, NUL */
#define CONFIG_CLASSES_BYTES 37 /* each letter and digit once */
#define CONFIG_VOLID_BYTES 7    /* 1-6 characters, NUL */
#define CONFIG_PATH_BYTES 1024
#define CONFIG_FILES_MAX 16 /* of a device whose places are kept */
#define CONFIG_HOST_BYTES 256
#define CONFIG_SLOTS_MAX 8 /* slots of the SSI statement, numbered from 1 */
#define CONFIG_DOMAINS_MAX 16
#define CONFIG_VOLUMES_MAX 256
#define CONFIG_ISLINKS_MAX 64
#define CONFIG_LINK_SECONDS_MAX 3600 /* of a time of SSI_LINKS */
#define CONFIG_LINK_STREAMS_MAX 4
#define CONFIG_EQIDS_MAX 64
#define CONFIG_EQID_BYTES 51
#define CONFIG_DEVICES_MAX 512
#define CONFIG_CPUS_MAX 64

/** One device line of the hardware file: devno type [file [options]]. */
struct config_device {
    u16 devno;
    u16 type;                     /* 0x3390, 0x9336; 0x3480 ...; 0x3270; 0x1403 ...; 0x1731 */
    char file[CONFIG_PATH_BYTES]; /* as written; sf= as `,shadow=`, mirror= too; "" = none; of
                                   * an OSA its uplink */
    bool read_only, sync;
    char volid[CONFIG_VOLID_BYTES]; /* for volumes without a label; "" = as the label says */
    u64 volume_bytes;               /* of a tape volume, 0: as large as the host allows */
    /* printers and punches of CP: */
    enum unitrec_carriage carriage;
    bool ebcdic;
    char classes[CONFIG_CLASSES_BYTES]; /* "" = all */
    char form[CONFIG_NAME_BYTES];       /* "" = the usual one */
    char program[CONFIG_PATH_BYTES];    /* runs when a file is out; "" = none */
    unsigned line;
    u16 file_col[CONFIG_FILES_MAX], files; /* where each file of `file` is named */
};
/** Full names of all files of `file`: relative ones are of the cluster's folder, what is no file is
 *  called the same everywhere. False: too long. */
bool config_full_path(const char *dir, const char *file, char out[CONFIG_PATH_BYTES]);

/** A printer or punch that puts spool files out? */
static inline bool config_is_output(const struct config_device *d)
{
    return d->type == 0x1403 || d->type == 0x3211 || d->type == 0x3525;
}

#define CONFIG_OSA 0x1731     /* an OSA: what a network in memory meets the outside by */
#define CONFIG_OSA_DEVICES 3u /* of each, as on a machine; the first is its number */

/** The machine of one member. */
struct config_hardware {
    char path[CONFIG_PATH_BYTES];
    u32 cpu_serial;                /* 24 bits */
    const struct cpu_model *model; /* CPUMODEL 2817 or z196 */
    unsigned cpus;                 /* real processors */
    u8 cpu_type[CONFIG_CPUS_MAX];  /* of each; ENGINES, else all are CPs */
    u64 main_bytes;
    bool console_on;                       /* CNSLPORT: TN3270 consoles */
    char console_host[CONFIG_HOST_BYTES];  /* "" = 127.0.0.1; of IPv6 with brackets */
    char console_cert[CONFIG_PATH_BYTES];  /* CNSLCERT: PEM file for TLS; "" = in clear */
    u16 console_port;                      /* 0 = any free port */
    char ssi_host[CONFIG_HOST_BYTES];      /* "" = no SSIPORT statement */
    u16 ssi_port;                          /* 0 = any free port */
    char ssi_published[CONFIG_HOST_BYTES]; /* that others are told; "" = ssi_host */
    struct config_device *devices;
    unsigned device_count;
};

/** A slot of the SSI statement. */
struct config_slot {
    char member[CONFIG_NAME_BYTES]; /* "" = AVAILABLE */
    bool hardware_known;            /* hardware/MEMBER.cnf exists and is good: */
    char ssi_host[CONFIG_HOST_BYTES];
    u16 ssi_port;
    const struct cpu_model *model; /* when hardware_known */
};

struct config_domain {
    char name[CONFIG_NAME_BYTES];
    char members[CONFIG_SLOTS_MAX][CONFIG_NAME_BYTES];
    unsigned member_count;
    /* Of DEFINE RELODOMAIN: where two members know one of a name, the one with the greater stamp
     * counts; with the same, that of the member whose name is greater. 0: a statement's. */
    u64 stamp;
    char origin[CONFIG_NAME_BYTES];
};

/** Domains of DEFINE RELODOMAIN, instead of statements of the same names: until no member of the
 *  cluster is up. Loop thread. */
struct config_domain_list {
    struct config_domain domain[CONFIG_DOMAINS_MAX];
    unsigned count;
};

struct config_volume {
    char volid[CONFIG_VOLID_BYTES];
    u16 slot;     /* of CP_OWNED; 0 for USER_VOLUME_LIST and _INCLUDE */
    bool shared;  /* CP_OWNED ... SHARED */
    bool generic; /* USER_VOLUME_INCLUDE pattern: % and * match */
};

struct config_islink {
    u16 rdev;
    char node[CONFIG_NAME_BYTES];
};

/** SSI_LINKS; times of 0: the default (ssi_config_init). */
struct config_ssi_links {
    bool tls; /* no start without keys */
    unsigned heartbeat_s, silence_s, keepalive_s;
    unsigned handshake_s, join_s;
    bool streams_set;
    unsigned streams;
};

#define CONFIG_NETWORKS_MAX 256u
#define CONFIG_NETWORK_BYTES 512 /* one of them */

struct config_eqid {
    u16 first, last; /* real device numbers */
    char eqid[CONFIG_EQID_BYTES];
};

/** Line-editing characters of CHARACTER_DEFAULTS, ISO 8859-1; 0: there is none. */
enum config_edit {
    CONFIG_LINE_END,
    CONFIG_LINE_DELETE,
    CONFIG_CHAR_DELETE,
    CONFIG_ESCAPE,
    CONFIG_TAB,
    CONFIG_EDIT_CHARACTERS
};

/** FEATURES statement and friends. */
struct config_features {
    bool autolog_allowed;   /* XAUTOLOG by class G of its own virtual machines */
    bool passwords_on_cmds; /* LOGON userid password on one line */
    bool set_privclass;
    bool clear_tdisk; /* space of T-disks is overwritten when they end */
    unsigned logoff_timeout_s;
    unsigned idle_slack_ms;                  /* 0: none */
    unsigned shutdown_signal_s;              /* SET SIGNAL SHUTDOWNTIME */
    unsigned cp_level;                       /* CP_LEVEL: what guests are offered of CP */
    char operator_userid[CONFIG_NAME_BYTES]; /* OPERATOR_USERID; default OPERATOR */
    enum vm_dateformat dateformat;           /* SYSTEM_DATEFORMAT */
    char edit[CONFIG_EDIT_CHARACTERS];       /* CHARACTER_DEFAULTS: as in struct cp_terminal */
};

/** What is so when system.config says nothing. */
void config_features_default(struct config_features *f);

/** Everything one member knows from its files. Read-only after config_load. */
struct system_config {
    char dir[CONFIG_PATH_BYTES];
    char path[CONFIG_PATH_BYTES];
    char member[CONFIG_NAME_BYTES];
    bool in_ssi;
    char ssi_name[CONFIG_NAME_BYTES];
    char pdr_volid[CONFIG_VOLID_BYTES];
    char pdr_path[CONFIG_PATH_BYTES]; /* DIR/volumes/VOLID.pdr, or an NBD address */
    u16 slot;                         /* of this member, from 1; 0 outside a cluster */
    unsigned slot_count;              /* highest slot that is written down */
    struct config_slot slots[CONFIG_SLOTS_MAX]; /* [0] is slot 1 */
    struct config_domain domains[CONFIG_DOMAINS_MAX];
    unsigned domain_count;
    struct config_domain_list *defined_domains; /* NULL: there can be none */
    struct config_volume volumes[CONFIG_VOLUMES_MAX];
    unsigned volume_count;
    struct config_islink islinks[CONFIG_ISLINKS_MAX];
    unsigned islink_count;
    struct config_ssi_links ssi_links;
    struct config_eqid eqids[CONFIG_EQIDS_MAX];
    unsigned eqid_count;
    char mac_prefix[7], user_prefix[7];  /* VMLAN; "" = default */
    char *networks[CONFIG_NETWORKS_MAX]; /* commands at start: DEFINE, MODIFY and SET of
                                            networks, CP exits */
    unsigned network_count;
    struct config_features features;
    struct config_hardware hardware;
};

/**
 * Read DIR/system.config and DIR/hardware/MEMBER.cnf for `member` (any case).
 * All or nothing: the first bad line fails with ST_CONFIG and a cause that reads
 * `file:line:column: expected X, found Y`; a file that cannot be read is ST_IO.
 * `*out` is the caller's, freed with config_free. Any thread.
 */
int config_load(const char *dir, const char *member, struct system_config **out,
                struct cause *cause);
void config_free(struct system_config *config);

struct faults; /* hyp/config/fault.h */
/** Everything that is wrong in the two files. What could be read (config_free), or NULL. */
struct system_config *config_check(const char *dir, const char *member, struct faults *faults);

/** The same from text in memory: `name` is used in causes. Tests and `config check`. */
int config_parse_system(struct system_config *config, const char *name, const char *text,
                        struct cause *cause);
int config_parse_hardware(struct config_hardware *hw, const char *name, const char *text,
                          struct cause *cause);

/** The slot (from 1) of a member by name, 0 if it has none. */
u16 config_slot_of(const struct system_config *config, const char *member);

/** SET SSI SLOT: slot (from 1) is that member's from now on, "" = nobody's; its hardware file is
 *  read. */
void config_slot_set(struct system_config *config, unsigned slot, const char *member);

/** The model of a member's machine as its hardware file says now; when that cannot be read, as it
 *  said when this member started; NULL: it is not known. */
const struct cpu_model *config_member_model(const struct system_config *config,
                                            const char *member);

/** Is this volume in CP_OWNED, USER_VOLUME_LIST or USER_VOLUME_INCLUDE? */
bool config_volume_known(const struct system_config *config, const char *volid);

/** A relocation domain by name as it was defined, or NULL. The built-in ones (SSI, one per member)
 *  included: then `*scratch` is filled and returned. Members that have no slot any more may be
 *  among its members: cp_domain_get leaves them out. */
const struct config_domain *config_domain_find(const struct system_config *config,
                                               const char *name, struct config_domain *scratch);

#endif
