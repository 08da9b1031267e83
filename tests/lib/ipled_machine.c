/* The machine of ipled_machine.h. */
#include "tests/lib/ipled_machine.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "cpu/cpu.h"

#define STORAGE_BYTES (1u << 20)

void ipled_at_once(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
}

void ipled_pieces(struct vm *vm, const struct ipled_piece *piece)
{
    char image[] = "/tmp/ipled_machine.XXXXXX";
    struct cause cause = {0};
    int fd = mkstemp(image);
    ck_assert_int_ge(fd, 0);
    for (; piece->bytes; piece++)
        ck_assert_int_eq(pwrite(fd, piece->bytes, piece->len, piece->at), (ssize_t)piece->len);
    close(fd);
    ck_assert_int_eq(vm_ipl_image(vm, image, &cause), ST_OK);
    unlink(image);
}

struct vm *ipled_another(struct vm_host *host, unsigned cpus, struct share share,
                         const struct ipled_piece *piece)
{
    struct cause cause = {0};
    struct vm *vm = NULL;
    const struct vm_config vc = {.name = "LOOPS",
                                 .personality = VM_LPAR,
                                 .storage_bytes = STORAGE_BYTES,
                                 .cpus = cpus,
                                 .share = share,
                                 .engine = cpu_engine_default(),
                                 .model = cpu_model_default()};
    ck_assert_int_eq(vm_create(host, &vc, &vm, &cause), ST_OK);
    ipled_pieces(vm, piece);
    return vm;
}

void ipled_machine(struct vm_host_config hc, void (*post)(void *, void (*)(void *), void *),
                   const struct vm_host_events *events, unsigned cpus,
                   const struct ipled_piece *piece, struct vm_host **host, struct vm **vm)
{
    struct cause cause = {0};
    const struct vm_host_ports ports = {NULL, post};
    hc.model = cpu_model_default();
    *host = vm_host_create(&hc, &ports, events, &cause);
    ck_assert_ptr_nonnull(*host);
    *vm = ipled_another(*host, cpus, SHARE_DEFAULT, piece);
}
