/* CP's commands without machines or processes: fake virtual machines, virtual time, and a cluster
 * of two members in one process. One world at a time: its state is what tests look at. */
#ifndef ENDICOTT_TESTS_LIB_CP_WORLD_H
#define ENDICOTT_TESTS_LIB_CP_WORLD_H

#include <check.h>

#include "hyp/arch.h"
#include "hyp/cp.h"
#include "hyp/spool/spool_device.h"

#define CP_WORLD_CLAIMS_MAX 8

struct vm {
    const struct dir_entry *entry;
    struct console *console;
    struct arch arch;
    enum vm_state state;
    u64 gr[16], mask, addr, storage_bytes;
    u8 storage[4096];
    u8 cpus[8], cpu_types[8];
    unsigned cpu_count;
    unsigned ipls, attentions;
    struct vm_machine_check mcheck;
    enum vm_path_event path_event;
    u64 standby_bytes, reserved_bytes, kept_bytes;
    u64 locked[8]; /* pages 0 to 511 that are locked */
    u64 page_reads;
    bool listens, display, dedicated, quickdsp;
    struct share share;
    u16 devices[32];
    struct image *images[32];
    unsigned device_count, device_resets, device_ends, rewinds;
    u32 privclass;   /* by SET PRIVCLASS */
    u64 epoch;       /* of its TOD clock */
    unsigned resets; /* by SET VTOD */
    u16 busy;        /* this device works */
    struct vm_trap trap[VM_TRAPS_MAX];
    unsigned traps;
    bool counting, autocr;
    char smsg[64];             /* the last one */
    char iucv[64];             /* the last one by *MSG: class, user, text */
    int iucv_sent;             /* likewise */
    int smsg_sent;             /* what becomes of it: enum vmcf_sent */
    struct fake_nic *nics;     /* cp_world_net.c */
    struct fake_css *channels; /* cp_world_ctca.c; NULL: none */
};

struct cp_world_claim {
    char userid[9];
    int owner;
    u64 generation;
};

/** The dump that is being made; cp_world_dumped ends it. */
struct cp_world_dump {
    struct vm_dump what;
    char path[128], text[256];
    vm_done *done; /* NULL: none is */
    void *ctx;
};
extern struct cp_world_dump last_dump;
void cp_world_dumped(int status);
/** SAVESEG, SAVESYS: at once, or with `later` ended by cp_world_saved. */
struct cp_world_save {
    bool later;
    vm_done *done; /* NULL: none is under way */
    void *ctx;
    struct vm_segment *seg;
};
extern struct cp_world_save last_save;
void cp_world_saved(int status);
/** One note that a thread of CP's has posted; false: there is none (yet). */
bool run_notes(void);

extern struct cp *cps[2];       /* MEMBERA and MEMBERB */
extern struct cp_response resp; /* of the last on() */
extern struct cp_world_claim claims[CP_WORLD_CLAIMS_MAX];
extern u64 generations;         /* of claims, so far */
extern bool link_inactive;      /* it has been deactivated */
extern bool link_up, link_deaf; /* the link between the two: there; takes and never answers */
extern const char *cluster_mode[2]; /* of each: "Stable" */
extern int shutdowns;               /* asked for; 100 with REIPL */
extern u64 host_page_reads;         /* of each member */
extern bool reader_empty;           /* IPL finds no file */
extern struct spool *fake_spool;    /* of both members; LINUX1 has three reader files */
extern char last_parm[64];          /* of the last IPL */

/** What each member's CP asks of the cluster; its context is the member's number. */
extern const struct cp_cluster_ops fake_cluster;
/** The clock of both members: 02/26/16 17:13:22 and what pass_time has added, nanoseconds. */
u64 cp_world_wall_ns(void *ctx);
/** Who has an address of a network adapter, as fake_cluster knows it; -1: nobody. */
int mac_owner(const char *mac);

/** Before cp_world_setup, else "": more entries of the directory, and device lines of both members'
 *  hardware files, whose volumes VOL001 and FBA001 are the system's.
 *  And more statements of system.config. */
extern const char *cp_world_users, *cp_world_devices, *cp_world_config;
/** And the cluster's folder; "" otherwise. */
extern const char *cp_world_folder;

/** Two members, OPERATOR logged on nowhere; the end of it checks that no machine is left. */
void cp_world_setup(void);
void cp_world_teardown(void);
/** Let virtual time pass; timers fire in their order. */
void pass_time(u64 ms);
/** Issue a command that must not stay pending; its lines joined by |, valid until the next. */
const char *on(int member, const char *userid, const char *command);
/** The same by OPERATOR on the first member. */
const char *oper(const char *command);

/* --- cp_world_net.c: adapters whose ports are on the networks of the member --- */

/** Send a frame of VLAN `tag` (0: without) to an address, ff...: to all. */
void nic_sends(const char *userid, u16 vdev, const u8 to[6], u16 tag);
/** Frames it has got since it was asked last. */
unsigned nic_got(const char *userid, u16 vdev);
/** The adapter's program names an address, or wants to see all. Status of lan_mac_add. */
int nic_names(const char *userid, u16 vdev, const u8 mac[6]);
void nic_promiscuous(const char *userid, u16 vdev, bool on);
/** Its address. */
const u8 *nic_mac(const char *userid, u16 vdev);

/* --- cp_world_ctca.c: adapters are real, on channel subsystems of their own --- */

/** Start one command; `text` is what is in its area. */
void ctca_start(const char *userid, u16 vdev, u8 command, const char *text);
void ctca_clear(const char *userid, u16 vdev);
/** Unit status that is told, and its sense; -1: none. */
int ctca_status(const char *userid, u16 vdev, u8 *sense);
/** What is in its area. */
const char *ctca_text(const char *userid, u16 vdev);

/** The user's state goes from member 0 to member 1, as a relocation takes it; who calls ends it
 * there with cp_user_depart. */
struct cp_user *moves(const char *userid);
/** Is there a line like this on the user's console? */
bool console_has(int member, const char *userid, const char *regex);

/** The answer of a command that succeeded. */
static inline void is(const char *got, const char *want)
{
    ck_assert_str_eq(got, want);
    ck_assert_int_eq(resp.rc, 0);
}

#define REFUSED(text, number, start)                                                           \
    do {                                                                                       \
        const char *t_ = (text);                                                               \
        ck_assert_msg(!strncmp(t_, start, strlen(start)), "got: %s", t_);                      \
        ck_assert_int_eq(resp.rc, number);                                                     \
        ck_assert_uint_eq(resp.message_count, 1);                                              \
        ck_assert_msg(!strncmp(resp.messages[0].id, start, strlen(resp.messages[0].id)), "%s", \
                      resp.messages[0].id);                                                    \
    } while (0)

#endif
