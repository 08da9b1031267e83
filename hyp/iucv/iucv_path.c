/* Paths of IUCV: CONNECT, ACCEPT, QUIESCE, RESUME, SEVER, and who may connect with whom. A path has
 * two ends, each with a number of its own; one that has been severed on the other side stays, of no
 * use, until its program severs it, too. CP's services accept at once.
 * Authorization is by the IUCV statements of both directory entries: the one who connects names the
 * other, or says ANY; or the other says ALLOW. Nobody needs one for himself, or for *MSG. */
#include "hyp/iucv/iucv_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/ebcdic.h"

struct iucv_path *iucv_path_find(const struct iucv *u, u16 id)
{
    return id < u->path_max ? u->path[id] : NULL;
}

struct iucv_path *iucv_path_create(struct iucv *u, const char *other, enum iucv_kind kind)
{
    unsigned id = 0;
    while (id < u->path_max && u->path[id])
        id++;
    return id < u->path_max ? iucv_path_create_at(u, (u16)id, other, kind) : NULL;
}

struct iucv_path *iucv_path_create_at(struct iucv *u, u16 id, const char *other,
                                      enum iucv_kind kind)
{
    struct iucv_path *path = calloc(1, sizeof *path);
    if (!path)
        return NULL;
    path->own = u;
    path->id = id;
    path->kind = kind;
    path->limit = IUCV_LIMIT_DEFAULT;
    snprintf(path->other, sizeof path->other, "%s", other);
    u->path[id] = path;
    return path;
}

/* Messages that were under way: what was to come in is lost, and who has sent it is told; what was
 * sent is forgotten. Its end is gone, the other one, if there is one, has no peer any more. */
static void path_free(struct iucv_path *path)
{
    while (path->out)
        iucv_message_free(path->out);
    while (path->in && path->kind == IUCV_TO_MEMBER)
        iucv_message_free(path->in); /* the other member knows */
    while (path->in)
        iucv_message_end(path->in, AUDIT_SEVERED, 0, NULL);
    iucv_items_drop(path);
    if (path->peer)
        path->peer->peer = NULL;
    path->own->path[path->id] = NULL;
    free(path);
}

void iucv_path_sever(struct iucv_path *path, const u8 *user)
{
    struct iucv_path *peer = path->peer;
    if (path->kind == IUCV_TO_MEMBER && path->state != IUCV_CUT)
        iucv_remote_tell(path, IUCV_SEVERED, 0, user);
    path_free(path);
    if (!peer)
        return;
    peer->state = IUCV_CUT;
    iucv_tell(peer, IUCV_SEVERED, 0, user);
}

void iucv_sever_all(struct iucv *u)
{
    for (unsigned i = 0; i < u->path_max; i++)
        if (u->path[i])
            iucv_path_sever(u->path[i], NULL);
}

/* --- CONNECT ---------------------------------------------------------------------------------- */

/* The user id of a parameter list. */
static void name_of(const u8 *ebcdic, char out[VM_NAME_BYTES])
{
    char text[2 * VM_NAME_BYTES];
    size_t n = ebcdic_to_utf8(EBCDIC_037, ebcdic, VM_NAME_BYTES - 1, text);
    while (n && text[n - 1] == ' ')
        n--;
    n = n < VM_NAME_BYTES - 1 ? n : VM_NAME_BYTES - 1;
    memcpy(out, text, n);
    out[n] = 0;
}

/* A statement of the entry that says so. */
static const struct vm_iucv *statement(const struct vm *vm, const char *name)
{
    for (unsigned i = 0; i < vm->config.iucvs; i++)
        if (!strcmp(vm->config.iucv[i].name, name))
            return &vm->config.iucv[i];
    return NULL;
}

/* By which one it may connect; NULL: it may not. */
static const struct vm_iucv *authority(const struct vm *vm, const char *name,
                                       const struct vm *target)
{
    static const struct vm_iucv own = {0};
    const struct vm_iucv *by = statement(vm, name);
    if (!by && *name != '*')
        by = statement(vm, "ANY");
    if (!by && target)
        by = statement(target, "ALLOW");
    return by || target == vm || *name == '*' ? by ? by : &own : NULL;
}

static u16 limit_of(const struct vm_iucv *by, u16 wanted)
{
    u16 limit = wanted ? wanted : by->limit ? by->limit : IUCV_LIMIT_DEFAULT;
    return by->limit && limit > by->limit ? by->limit : limit;
}

static void path_begin(struct iucv_path *path, struct iucv_call *c, const struct vm_iucv *by)
{
    u8 flags = c->p[AT_FLAGS];
    path->priority = flags & IUCV_PRIORITY && by->priority;
    path->takes_data = flags & IUCV_DATA;
    path->quiesced = flags & IUCV_QUIESCED;
    path->limit = limit_of(by, be16_load(c->p + AT_LIMIT));
    if (!path->priority)
        c->p[AT_FLAGS] &= (u8)~IUCV_PRIORITY;
    be16_store(c->p + AT_PATH, path->id);
    be16_store(c->p + AT_LIMIT, path->limit);
}

/* To a service of CP. */
static int connect_service(struct iucv_call *c, const char *name)
{
    const struct vm_iucv *by = authority(c->u->vm, name, NULL);
    if (strcmp(name, "*MSG") != 0)
        return IUCV_NO_SERVICE;
    struct iucv_path *path = iucv_path_create(c->u, name, IUCV_TO_MESSAGES);
    if (!path)
        return IUCV_NO_PATHS;
    path_begin(path, c, by);
    path->state = IUCV_OPEN;
    iucv_tell(path, IUCV_CONNECTED, 0, c->p + AT_USER);
    return IUCV_DONE;
}

static struct vm *find_vm(struct vm_host *host, const char *name)
{
    struct vm *vm = host->vms;
    while (vm && strcmp(vm->config.name, name))
        vm = vm->next;
    return vm;
}

static bool paths_left(const struct iucv *u)
{
    for (unsigned i = 0; i < u->path_max; i++)
        if (!u->path[i])
            return true;
    return false;
}

static int connect_guest(struct iucv_call *c, struct vm *target)
{
    const char *name = target->config.name;
    const struct vm_iucv *by = authority(c->u->vm, name, target);
    if (!target->iucv || target->quiesced)
        return IUCV_NO_BUFFER;
    if (!by)
        return IUCV_NOT_AUTHORIZED;
    struct iucv_path *path = iucv_path_create(c->u, name, IUCV_TO_GUEST);
    if (!path)
        return IUCV_NO_PATHS;
    struct iucv_path *peer =
        iucv_path_create(target->iucv, c->u->vm->config.name, IUCV_TO_GUEST);
    if (!peer) {
        path_free(path);
        return IUCV_NO_PATHS_THERE;
    }
    path_begin(path, c, by);
    path->state = IUCV_ASKED;
    path->peer = peer;
    peer->peer = path;
    peer->state = IUCV_ASKS;
    peer->priority = path->priority;
    peer->limit = path->limit;
    iucv_tell(peer, IUCV_CONNECT_PENDING,
              c->p[AT_FLAGS] & (IUCV_DATA | IUCV_QUIESCED | IUCV_PRIORITY), c->p + AT_USER);
    return IUCV_DONE;
}

/* To a user of another member, where the rest is looked at: if it is refused, that severs. */
static int connect_member(struct iucv_call *c, const char *name, const char *member)
{
    static const struct vm_iucv none = {0};
    struct vm *vm = c->u->vm;
    const struct vm_iucv *by = statement(vm, name);
    by = by ? by : statement(vm, "ANY");
    struct iucv_path *path = iucv_path_create(c->u, name, IUCV_TO_MEMBER);
    if (!path)
        return IUCV_NO_PATHS;
    path_begin(path, c, by ? by : &none);
    path->state = IUCV_ASKED;
    path->link = ++vm->host->iucv_links;
    snprintf(path->member, sizeof path->member, "%s", member);
    u8 flags = c->p[AT_FLAGS] & (IUCV_DATA | IUCV_QUIESCED | IUCV_PRIORITY);
    if (iucv_remote_connect(path, by, flags, c->p + AT_USER))
        return IUCV_DONE;
    path_free(path);
    return IUCV_NOT_LOGGED_ON;
}

int iucv_path_asked(struct vm_host *host, const char *user, const char *from, bool by,
                    struct iucv_path **out)
{
    struct vm *target = find_vm(host, user);
    if (!target)
        return IUCV_NOT_LOGGED_ON;
    if (!target->iucv || target->quiesced)
        return IUCV_NO_BUFFER;
    if (!by && !statement(target, "ALLOW"))
        return IUCV_NOT_AUTHORIZED;
    *out = iucv_path_create(target->iucv, from, IUCV_TO_MEMBER);
    if (!*out)
        return IUCV_NO_PATHS_THERE;
    (*out)->state = IUCV_ASKS;
    return IUCV_DONE;
}

int iucv_fn_connect(struct iucv_call *c)
{
    char name[VM_NAME_BYTES];
    name_of(c->p + AT_USERID, name);
    if (*name == '*')
        return connect_service(c, name);
    struct vm_host *host = c->u->vm->host;
    const struct iucv_wire *wire = &host->iucv_wire;
    char member[IUCV_MEMBER_BYTES];
    struct vm *target = find_vm(host, name);
    bool local = target || c->p[AT_FLAGS] & IUCV_LOCAL || !wire->locate;
    if (!target && (local || !wire->locate(wire->ctx, name, member)))
        return IUCV_NOT_LOGGED_ON;
    if (!paths_left(c->u))
        return IUCV_NO_PATHS;
    return target ? connect_guest(c, target) : connect_member(c, name, member);
}

static void tell_other(struct iucv_path *path, enum iucv_type type, u8 flags, const u8 *user)
{
    if (path->kind == IUCV_TO_MEMBER)
        iucv_remote_tell(path, type, flags, user);
    else if (path->peer)
        iucv_tell(path->peer, type, flags, user);
}

int iucv_fn_accept(struct iucv_call *c)
{
    u8 flags = c->p[AT_FLAGS];
    u16 wanted = be16_load(c->p + AT_LIMIT);
    struct iucv_path *path = iucv_path_find(c->u, be16_load(c->p + AT_PATH));
    if (path && path->state == IUCV_CUT)
        return IUCV_GIVEN_UP;
    if (!path || path->state != IUCV_ASKS)
        return IUCV_BAD_PATH;
    if (wanted && wanted < path->limit)
        path->limit = wanted;
    path->priority = path->priority && flags & IUCV_PRIORITY;
    path->takes_data = flags & IUCV_DATA;
    path->quiesced = flags & IUCV_QUIESCED;
    path->state = IUCV_OPEN;
    be16_store(c->p + AT_LIMIT, path->limit);
    if (!path->priority)
        c->p[AT_FLAGS] = flags &= (u8)~IUCV_PRIORITY;
    flags &= IUCV_DATA | IUCV_QUIESCED | IUCV_PRIORITY;
    if (path->peer) {
        path->peer->state = IUCV_OPEN;
        path->peer->priority = path->priority;
    }
    tell_other(path, IUCV_CONNECTED, flags, c->p + AT_USER);
    return IUCV_DONE;
}

/* --- what is said about one path, or all ------------------------------------------------------ */

static int each(struct iucv_call *c, void (*fn)(struct iucv_path *path, const u8 *user))
{
    const u8 *user = c->p + AT_USER;
    struct iucv_path *path = iucv_path_find(c->u, be16_load(c->p + AT_PATH));
    bool all = c->p[AT_FLAGS] & IUCV_ALL;
    if (!all && !path)
        return IUCV_BAD_PATH;
    if (!all)
        fn(path, user);
    for (unsigned i = 0; all && i < c->u->path_max; i++)
        if (c->u->path[i])
            fn(c->u->path[i], user);
    return IUCV_DONE;
}

int iucv_fn_sever(struct iucv_call *c)
{
    return each(c, iucv_path_sever);
}

static void quiesce(struct iucv_path *path, const u8 *user)
{
    if (path->quiesced || path->state == IUCV_CUT)
        return;
    path->quiesced = true;
    tell_other(path, IUCV_WAS_QUIESCED, 0, user);
}

static void resume(struct iucv_path *path, const u8 *user)
{
    if (!path->quiesced || path->state == IUCV_CUT)
        return;
    path->quiesced = false;
    tell_other(path, IUCV_RESUMED, 0, user);
}

int iucv_fn_quiesce(struct iucv_call *c)
{
    return each(c, quiesce);
}

int iucv_fn_resume(struct iucv_call *c)
{
    return each(c, resume);
}
