/* The machine of ipled_machine.h. */
#include "tests/lib/ipled_machine.h"

#include <check.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "cpu/cpu.h"
#include "hyp/vm_internal.h"

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

bool ipled_ended(struct vm *vm)
{
    enum cpu_exit why;
    return dispatch_idle(&vm->vcpu[0], &why) && why == CPU_EXIT_DISABLED_WAIT;
}

void ipled_resting(struct vm_host **host, struct vm **vm)
{
    static const u8 disabled[] = {0x00, 0x0a, 0, 0, 0x80, 0, 0, 0};
    static const struct vm_host_events events;
    const struct ipled_piece nothing[] = {{0, disabled, sizeof disabled}, {0, NULL, 0}};
    ipled_machine((struct vm_host_config){.processors = 1}, ipled_at_once, &events, 1, nothing,
                  host, vm);
    while (!ipled_ended(*vm))
        sched_yield();
}
