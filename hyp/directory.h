/* USER DIRECT: who may log on, and what their virtual machines are.
 * Syntax: z/VM "CP Planning and Administration", User Directory statements. An entry is as one
 * member sees it: PROFILE included, and of an IDENTITY the SUBCONFIG that is built on it. */
#ifndef ENDICOTT_HYP_DIRECTORY_H
#define ENDICOTT_HYP_DIRECTORY_H

#include "hyp/dispatch/share.h"
#include "hyp/rdev/link_mode.h"
#include "hyp/vm_asks.h"
#include "mem/base/bytes.h"
#include "mem/base/status.h"

struct loaddev; /* hyp/config/loaddev.h */

#define DIR_NAME_BYTES 9
#define DIR_CPUS_MAX 64
#define DIR_SPOOLS_MAX 16
#define DIR_COMMANDS_MAX 32
#define DIR_COMMAND_BYTES 256
#define DIR_NAMES_MAX 16 /* XAUTOLOG, LOGONBY, AUTOLOG names of one entry */
#define DIR_PARM_BYTES 256
#define DIR_PASSWORD_BYTES 128 /* in clear 1-8 characters, or hashed: what crypt(3) makes */
#define DIR_BUILDS_MAX 16      /* BUILD ON statements of one IDENTITY */
#define DIR_EDIT_CHARACTERS 4
#define DIR_EDIT_DEFAULT '\1' /* line-editing character of USER: as CP has it */
#define DIR_STORAGE_BYTES_MAX (16ull << 40)

/** Privilege class X as a bit; A is bit 0, classes 1-6 follow Z. */
#define CP_CLASS(letter) (1u << ((letter) - 'A'))
#define CP_CLASS_ANY 0xffffffffu

enum dir_kind { DIR_USER, DIR_IDENTITY };

enum dir_logon {
    DIR_LOGON_PASSWORD,
    DIR_LOGON_NOPASS,   /* logs on without being asked */
    DIR_LOGON_AUTOONLY, /* XAUTOLOG only */
    DIR_LOGON_LBYONLY,  /* LOGON BY only */
    DIR_LOGON_NOLOG     /* never */
};

enum dir_machine { DIR_MACH_ESA, DIR_MACH_XA, DIR_MACH_XC, DIR_MACH_Z };

/** Of a statement in its file, counted from 1. */
struct dir_place {
    unsigned line, col;
};

/** BUILD ON member USING SUBCONFIG name; member "*": every other one. */
struct dir_build {
    char member[DIR_NAME_BYTES], subconfig[DIR_NAME_BYTES];
    struct dir_place at;
};

enum dir_dedication { DIR_DEDICATION_NONE, DIR_DEDICATED, DIR_NEVER_DEDICATED };

struct dir_cpu {
    u8 addr;
    bool base;
    u8 type; /* cpu_type.def */
    enum dir_dedication dedication;
    bool has_cpuid;
    u32 cpuid; /* 24 bits */
};

/** SPOOL vdev devtype [class]: readers 2540 READER, 2501, 3505; punches; printers. */
enum dir_spool_kind { DIR_SPOOL_READER, DIR_SPOOL_PUNCH, DIR_SPOOL_PRINTER };
struct dir_spool {
    u16 vdev;
    u16 devtype; /* 0x2540 */
    enum dir_spool_kind kind;
    char classes[9];
    struct dir_place at;
};

#define DIR_DEVICES_MAX 4096 /* MDISK, LINK or DEDICATE statements of one entry */
#define DIR_SPECIALS_MAX 16
#define DIR_MDISK_END (~0ull) /* as count: to the end of the volume */

enum dir_mdisk_kind {
    DIR_MDISK_EXTENT,
    DIR_MDISK_DEVNO,   /* a whole real volume */
    DIR_MDISK_TEMP,    /* T-DISK */
    DIR_MDISK_VIRTUAL, /* V-DISK */
};

/** MDISK; start and count in cylinders, or blocks of 512 bytes. */
struct dir_mdisk {
    u16 vdev, type; /* 0x3390, 0x9336 */
    enum dir_mdisk_kind kind;
    u64 start, count;
    char volid[7];
    u16 rdev; /* DIR_MDISK_DEVNO */
    enum link_mode mode;
    bool no_cache;                    /* MINIOPT NOCACHE */
    char password[3][DIR_NAME_BYTES]; /* read, write, multiple; "" = none, "ALL" */
    struct dir_place at;
};

/** SPECIAL vdev CTCA and its relatives: an adapter, and who alone may couple with it ("": all, "*":
 *  the user). */
struct dir_ctca {
    u16 vdev;
    u8 type; /* enum ctca_type */
    char only[DIR_NAME_BYTES];
    struct dir_place at;
};

#define DIR_NICS_MAX 16

struct port_option;

/** NICDEF; lan "": not coupled. */
struct dir_nic {
    u16 vdev;            /* and the two behind it */
    struct dir_place at; /* of its first NICDEF */
    bool hipersockets;   /* else QDIO */
    bool other;          /* of another type: not here */
    bool has_macid;
    u32 macid;                  /* 24 bits */
    u16 port;                   /* PORTNUMBER, 0: any */
    struct port_option *option; /* PORTTYPE, VLAN ...; NULL: none */
    char owner[DIR_NAME_BYTES]; /* of `lan`: SYSTEM, a user, "*" this one */
    char lan[DIR_NAME_BYTES];
};

#define DIR_IUCV_MAX 32

/** IUCV name: whom it may connect with; "ANY", "ALLOW". */
struct dir_iucv {
    char name[DIR_NAME_BYTES];
    bool priority;
    u16 limit; /* MSGLIMIT; 0: none */
};

struct dir_link {
    char owner[DIR_NAME_BYTES]; /* "*": this user */
    u16 owner_vdev, vdev;
    enum link_mode mode;
    struct dir_place at;
};

struct dir_dedicate {
    u16 vdev, rdev;
    char volid[7]; /* "" = by rdev */
    bool read_only;
    struct dir_place at;
};

struct dir_ipl {
    bool present;
    bool is_name; /* IPL of a named saved system */
    struct dir_place at;
    u16 vdev;
    char name[DIR_NAME_BYTES];
    char parm[DIR_PARM_BYTES];
    char loadparm[DIR_NAME_BYTES];
};

/** OPTION operands that this release acts on or carries along. */
enum dir_option {
    DIR_OPT_LNKNOPAS = 1 << 0,
    DIR_OPT_TODENABLE = 1 << 1,
    DIR_OPT_QUICKDSP = 1 << 2,
    DIR_OPT_DIAG88 = 1 << 3,
    DIR_OPT_CHPIDV = 1 << 4,
    DIR_OPT_APPLMON = 1 << 5,
    DIR_OPT_ACCT = 1 << 6,
    DIR_OPT_RMCHINFO = 1 << 7,
    DIR_OPT_STGEXEMPT = 1 << 8,
    DIR_OPT_LXAPP = 1 << 9,
    DIR_OPT_CFUSER = 1 << 10,
    DIR_OPT_CONCEAL = 1 << 11,
    DIR_OPT_LNKSTABL = 1 << 12,
    DIR_OPT_LNKEXCLU = 1 << 13,
    DIR_OPT_DEDICATE = 1 << 14,
    DIR_OPT_NODEDICATE = 1 << 15,
    DIR_OPT_DEVINFO = 1 << 16,
};

/** One user of the directory. Read-only; owned by the directory. */
struct dir_entry {
    char userid[DIR_NAME_BYTES];
    enum dir_kind kind;
    char subconfig[DIR_NAME_BYTES]; /* of an IDENTITY on this member; "" = none */
    struct dir_build builds[DIR_BUILDS_MAX];
    unsigned build_count;
    enum dir_logon logon;
    char password[DIR_PASSWORD_BYTES]; /* never printed, never logged; hashed: begins with $ */
    char edit[DIR_EDIT_CHARACTERS]; /* line end and delete, character delete, escape; 0: none */
    u64 storage_bytes, storage_max_bytes;
    u32 classes; /* CP_CLASS bits */
    char account[DIR_NAME_BYTES];
    enum dir_machine machine;
    unsigned cpus_max; /* of MACHINE; at least 1 */
    struct dir_cpu cpus[DIR_CPUS_MAX];
    unsigned cpu_count; /* at least 1: CPU 00 BASE when the entry has no CPU statement */
    struct dir_ipl ipl;
    bool has_console;
    u16 console_vdev, console_devtype; /* 0x3215 or 0x3270 */
    struct dir_place console_at;
    struct dir_place console_again; /* line 0: the entry itself has one CONSOLE at most */
    char console_class[2];
    char console_secuser[DIR_NAME_BYTES], console_observer[DIR_NAME_BYTES];
    struct dir_spool spools[DIR_SPOOLS_MAX];
    unsigned spool_count;
    struct dir_mdisk *mdisks;
    unsigned mdisk_count;
    struct dir_link *links;
    unsigned link_count;
    struct dir_dedicate *dedicates;
    unsigned dedicate_count;
    struct dir_nic nics[DIR_NICS_MAX];
    unsigned nic_count;
    u16 specials[DIR_SPECIALS_MAX]; /* 3270 displays */
    struct dir_place special_at[DIR_SPECIALS_MAX];
    unsigned special_count;
    struct dir_ctca ctcas[DIR_SPECIALS_MAX];
    unsigned ctca_count;
    u32 options;             /* enum dir_option */
    struct loaddev *loaddev; /* NULL: no LOADDEV */
    bool has_dateformat;     /* else the system's */
    enum vm_dateformat dateformat;
    unsigned maxconn;
    struct share share;
    bool relocate;                    /* VMRELOCATE ON; default for USER on, for IDENTITY off */
    char domain[DIR_NAME_BYTES];      /* VMRELOCATE DOMAIN; "" = SSI (USER) or the member */
    char *commands[DIR_COMMANDS_MAX]; /* COMMAND: run at logon, before IPL */
    unsigned command_count;
    char xautolog[DIR_NAMES_MAX][DIR_NAME_BYTES]; /* who may XAUTOLOG this user */
    struct dir_place xautolog_at[DIR_NAMES_MAX];
    unsigned xautolog_count;
    char logonby[DIR_NAMES_MAX][DIR_NAME_BYTES]; /* who may LOGON this user BY */
    struct dir_place logonby_at[DIR_NAMES_MAX];
    unsigned logonby_count;
    char namesave[DIR_NAMES_MAX]
                 [DIR_NAME_BYTES]; /* restricted segments and systems it may use */
    struct dir_place namesave_at[DIR_NAMES_MAX];
    unsigned namesave_count;
    struct dir_iucv iucv[DIR_IUCV_MAX];
    unsigned iucv_count;
    struct dir_place domain_at; /* of VMRELOCATE; line 0: there is none */
    unsigned line, col;         /* of USER or IDENTITY */
};

struct directory;

/**
 * Read a directory for `member`. All or nothing, as config_load: ST_CONFIG with
 * `file:line:column: expected X, found Y` for the first bad statement. What is known but cannot
 * be done is refused by name or accepted without effect: hyp/config/directory_stmt.def. Any thread.
 */
int directory_load(const char *path, const char *member, struct directory **out,
                   struct cause *cause);
int directory_parse(const char *name, const char *text, const char *member,
                    struct directory **out, struct cause *cause);
void directory_free(struct directory *dir);

struct faults; /* hyp/config/fault.h */
struct system_config;

/** A member for which a directory is checked. `config` NULL: volumes, domains and members are not
 *  looked up. */
struct dir_check_for {
    const char *member;
    const struct system_config *config;
};

/**
 * Everything that is wrong in a directory, statements first, then what does not go together, for
 * these members (none: those of its BUILD ON statements, and one that they do not name).
 * Returns how many entries it has. directory_check_file: of a file, which may be unreadable.
 */
unsigned directory_check(const char *name, const char *text, const struct dir_check_for *whom,
                         unsigned members, struct faults *faults);
unsigned directory_check_file(const char *path, const struct dir_check_for *whom,
                              unsigned members, struct faults *faults);

/** An entry by user id (any case), or NULL. */
const struct dir_entry *directory_find(const struct directory *dir, const char *userid);
unsigned directory_count(const struct directory *dir);
const struct dir_entry *directory_at(const struct directory *dir, unsigned i);

/** Has a CPU a real processor of its own from logon on, or may it never have one? By its CPU
 *  statement, else by OPTION. */
enum dir_dedication directory_dedication(const struct dir_entry *entry, u8 cpu);
/** The serial number that its CPUs show: CPUID of the base CPU; false: the member's. */
bool directory_cpuid(const struct dir_entry *entry, u32 *cpuid);

/** What a USER, IDENTITY, SUBCONFIG or PROFILE says, for comparing it with another directory's. */
struct dir_digest {
    char name[DIR_NAME_BYTES + 8]; /* of a PROFILE with that word before it */
    u64 digest;
};
/** By name; NULL: no more. */
const struct dir_digest *directory_digest_at(const struct directory *dir, unsigned i);

/** Do these credentials open this entry? Takes the same time for every wrong password. */
bool directory_password_ok(const struct dir_entry *entry, const char *password);

/** `text` as storage size ("512M", "2G", "1024K"): bytes, or 0 when it is none. */
u64 directory_storage_size(const char *text);

/** Classes as text: "ABCDEFG". Returns out. */
const char *directory_classes_text(u32 classes, char out[33]);

#endif
