/* The instruction matrix: who carries out instructions that end in an interception. The handlers
 * are hyp's own, on a machine that has a CPU, storage and a channel subsystem without subchannels;
 * its host has no threads. */
#include "hyp/vm_internal.h"
#include "io/css.h"
#include "tests/lib/matrix.h"

#include <stdlib.h>
#include <string.h>

static void run_at_once(void *ctx, void (*fn)(void *), void *arg)
{
    (void)ctx;
    fn(arg);
}

static const struct io_ports ports = {.run = run_at_once};

struct vm *mx_owner_create(struct matrix *m)
{
    struct vm *vm = calloc(1, sizeof *vm);
    struct vm_host *host = calloc(1, sizeof *host);
    if (vm)
        vm->css = css_create(m->st, &ports, vm);
    if (!vm || !host || !vm->css)
        abort();
    vm->host = host;
    vm->config.model = cpu_set_model(m->set);
    arch_of(vm->config.model, CP_LEVEL, &vm->arch);
    memcpy(vm->config.name, "MATRIX", sizeof "MATRIX");
    vm->st = m->st;
    vm->cpus = m->set;
    vm->vcpu[0] = (struct vcpu){.vm = vm, .cpu = m->cpu};
    return vm;
}

void mx_owner_destroy(struct vm *vm)
{
    css_destroy(vm->css);
    free(vm->host);
    free(vm);
}

void mx_owner_carry_out(struct vm *vm)
{
    icpt_handle(&vm->vcpu[0]);
}
