/* libnbd, loaded when a path is an NBD address: with the libraries that it needs itself it takes
 * half of the time in which a command begins. Where it is not there such paths are refused. */
#ifndef ENDICOTT_MEM_BASE_LIBNBD_H
#define ENDICOTT_MEM_BASE_LIBNBD_H

#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>

#include "mem/base/status.h"

/* As in libnbd.h. */
enum { LIBNBD_CMD_FLAG_FUA = 1, LIBNBD_SIZE_MINIMUM = 0 };
struct nbd_handle;
struct nbd_completion {
    int (*callback)(void *user_data, int *error);
    void *user_data;
    void (*free)(void *user_data);
};

/** Every function that is used: what it returns, its name and arguments, as in libnbd.h. */
#define LIBNBD_FUNCTIONS(F)                                                                    \
    F(struct nbd_handle *, nbd_create, (void))                                                 \
    F(int, nbd_set_uri_allow_local_file, (struct nbd_handle * h, bool allow))                  \
    F(void, nbd_close, (struct nbd_handle * h))                                                \
    F(const char *, nbd_get_error, (void))                                                     \
    F(int, nbd_get_errno, (void))                                                              \
    F(int, nbd_connect_uri, (struct nbd_handle * h, const char *uri))                          \
    F(int, nbd_aio_connect_uri, (struct nbd_handle * h, const char *uri))                      \
    F(int, nbd_aio_is_connecting, (struct nbd_handle * h))                                     \
    F(int, nbd_aio_is_ready, (struct nbd_handle * h))                                          \
    F(int, nbd_aio_is_dead, (struct nbd_handle * h))                                           \
    F(int, nbd_aio_is_closed, (struct nbd_handle * h))                                         \
    F(int, nbd_poll, (struct nbd_handle * h, int timeout_ms))                                  \
    F(int, nbd_shutdown, (struct nbd_handle * h, uint32_t flags))                              \
    F(int, nbd_aio_disconnect, (struct nbd_handle * h, uint32_t flags))                        \
    F(int64_t, nbd_get_size, (struct nbd_handle * h))                                          \
    F(int64_t, nbd_get_block_size, (struct nbd_handle * h, int which))                         \
    F(int, nbd_is_read_only, (struct nbd_handle * h))                                          \
    F(int, nbd_can_flush, (struct nbd_handle * h))                                             \
    F(int, nbd_can_fua, (struct nbd_handle * h))                                               \
    F(int, nbd_can_multi_conn, (struct nbd_handle * h))                                        \
    F(int, nbd_flush, (struct nbd_handle * h, uint32_t flags))                                 \
    F(int, nbd_pread,                                                                          \
      (struct nbd_handle * h, void *buf, size_t len, uint64_t at, uint32_t flags))             \
    F(int, nbd_pwrite,                                                                         \
      (struct nbd_handle * h, const void *buf, size_t len, uint64_t at, uint32_t flags))       \
    F(int64_t, nbd_aio_flush,                                                                  \
      (struct nbd_handle * h, struct nbd_completion done, uint32_t flags))                     \
    F(int64_t, nbd_aio_pread,                                                                  \
      (struct nbd_handle * h, void *buf, size_t len, uint64_t at, struct nbd_completion done,  \
       uint32_t flags))                                                                        \
    F(int64_t, nbd_aio_pwrite,                                                                 \
      (struct nbd_handle * h, const void *buf, size_t len, uint64_t at,                        \
       struct nbd_completion done, uint32_t flags))                                            \
    F(int, nbd_aio_command_completed, (struct nbd_handle * h, uint64_t cookie))

struct libnbd {
#define LIBNBD_MEMBER(type, name, arguments) type(*name) arguments;
    LIBNBD_FUNCTIONS(LIBNBD_MEMBER)
#undef LIBNBD_MEMBER
};

/** "nbd://HOST[:PORT]/EXPORT" or "nbd+unix:///EXPORT?socket=PATH", or in TLS "nbds://...",
 *  "nbds+unix://..." (with "tls-certificates=DIR", or "USER@" and "tls-psk-file=FILE")? */
bool libnbd_named(const char *path);

/** Load the library, for good: what it is built on has threads and states of its own. ST_CONFIG:
 *  it, or one of the functions, is not there. */
int libnbd_load(struct libnbd *lib, struct cause *cause);

/** One that connects to what the machine's owner named: its address may name files with keys.
 *  NULL: nbd_get_error says why. The caller ends it with nbd_close. */
struct nbd_handle *libnbd_handle(const struct libnbd *lib);

#endif
