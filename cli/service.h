/* endicott service apply: the cluster as it is seen from here, by CP commands. A member that runs
 * on this host is asked itself; one on another host by AT, through one that runs here. Blocking;
 * one thread. */
#ifndef ENDICOTT_CLI_SERVICE_H
#define ENDICOTT_CLI_SERVICE_H

#include "cli/rundir.h"
#include "hyp/directory.h"

#define SERVICE_GUESTS_MAX 1024

struct service_member {
    char name[CONFIG_NAME_BYTES];
    bool here;   /* it runs on this host */
    bool joined; /* as the members see it */
};

struct service_guest {
    char userid[CONFIG_NAME_BYTES];
    char to[CONFIG_NAME_BYTES]; /* the member that takes it */
    bool single;                /* USER: it can be elsewhere; else IDENTITY */
    bool disconnected, moved;
};

/** The members of a folder's cluster. */
struct service_cluster {
    const char *dir;
    struct service_member member[CONFIG_SLOTS_MAX];
    unsigned count;
    bool stable; /* all that run here say so */
};

/** The members by system.config; which run here, which are joined. 0, or an exit status after
 *  complaining. */
int service_look(struct service_cluster *c);
struct service_member *service_find(struct service_cluster *c, const char *name);
/** How many are joined. */
unsigned service_joined(const struct service_cluster *c);
/** A CP command at a member. Its return code, with its lines as one text (the caller frees; may be
 *  NULL); negative: it could not be asked, with a cause. */
int service_cp(struct service_cluster *c, const char *member, const char *command, char **text,
               struct cause *cause);
/** Who is logged on at a member, but the operator. Their number, or -1 with a cause. */
int service_guests(struct service_cluster *c, const char *member,
                   struct service_guest guests[SERVICE_GUESTS_MAX], struct cause *cause);

#endif
