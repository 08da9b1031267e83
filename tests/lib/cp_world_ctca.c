/* Channel-to-channel adapters of the fake machines: each machine that has one gets a channel
 * subsystem and some storage. Device work is done at once. */
#include "tests/lib/cp_world_ctca.h"

#include <stdlib.h>
#include <string.h>

#include "io/css_internal.h"
#include "io/net/ctca.h"
#include "mem/storage.h"
#include "tests/lib/cp_world.h"

#define STORAGE_BYTES (1u << 20)
#define PROGRAM 0x1000u
#define AREA 0x8000u

struct fake_css {
    struct storage *storage;
    struct css *css;
};

static struct ctc_hub *hub;

static void run(void *ctx, void (*fn)(void *arg), void *arg)
{
    (void)ctx;
    fn(arg);
}

static const struct io_ports ports = {.run = run};

static struct css *css_of(struct vm *vm)
{
    struct cause cause;
    if (vm->channels)
        return vm->channels->css;
    vm->channels = calloc(1, sizeof *vm->channels);
    ck_assert_int_eq(storage_create(&vm->channels->storage, STORAGE_BYTES, &cause), ST_OK);
    vm->channels->css = css_create(vm->channels->storage, &ports, NULL);
    return vm->channels->css;
}

static void enable(struct css *css, u16 vdev)
{
    u8 schib[SCHIB_BYTES];
    u32 id = css_find_devno(css, vdev);
    ck_assert_int_eq(css_stsch(css, id, schib), 0);
    schib[5] |= PMCW_E;
    schib[27] = PMCW_S;
    ck_assert_int_eq(css_msch(css, id, schib), 0);
}

int fake_ctca_attach(struct vm *vm, u16 vdev, u8 type, bool announce, struct cause *cause)
{
    (void)announce;
    int rc = ctca_create(css_of(vm), hub, vdev, (enum ctca_type)type, false, cause);
    if (rc)
        return rc;
    ck_assert_uint_lt(vm->device_count, ARRAY_LEN(vm->devices));
    vm->images[vm->device_count] = NULL;
    vm->devices[vm->device_count++] = vdev;
    enable(vm->channels->css, vdev);
    return ST_OK;
}

struct ctca *fake_ctca(struct vm *vm, u16 vdev)
{
    return ctca_find(css_of(vm), vdev);
}

void fake_ctca_set_remote(struct vm *vm, u16 vdev, struct ctc_remote *remote)
{
    struct css *css = css_of(vm);
    css_quiesce(css);
    ctca_set_remote(ctca_find(css, vdev), remote);
    css_resume(css);
}

struct ctc_hub *fake_ctc_hub(void *host)
{
    (void)host;
    return hub;
}

void fake_ctca_detach(struct vm *vm, u16 vdev)
{
    struct cause ignored;
    if (vm->channels)
        css_detach(vm->channels->css, vdev, false, &ignored);
}

void fake_ctcas_end(struct vm *vm)
{
    if (!vm->channels)
        return;
    css_destroy(vm->channels->css);
    storage_destroy(vm->channels->storage);
    free(vm->channels);
    vm->channels = NULL;
}

void fake_ctcas_setup(void)
{
    hub = ctc_hub_create();
    ck_assert_ptr_nonnull(hub);
}

void fake_ctcas_teardown(void)
{
    ctc_hub_destroy(hub);
}

/* --- what tests do with them ---------- */

static struct vm *machine(const char *userid)
{
    struct cp_user *user = cp_user_find(cps[0], userid);
    if (!user)
        user = cp_user_find(cps[1], userid);
    ck_assert_ptr_nonnull(user);
    return cp_user_vm(user);
}

static void notes(void)
{
    while (run_notes())
        continue;
}

void ctca_start(const char *userid, u16 vdev, u8 command, const char *text)
{
    struct vm *vm = machine(userid);
    u8 raw[8] = {command, CCW_SLI}, orb[ORB_BYTES] = {0};
    struct css *css = css_of(vm);
    u32 at = AREA + (vdev & 0xff) * 0x100u; /* each device has an area of its own */
    be16_store(raw + 2, 64);
    be32_store(raw + 4, at);
    storage_write(vm->channels->storage, PROGRAM + (vdev & 0xff) * 8u, raw, sizeof raw);
    if (text)
        storage_write(vm->channels->storage, at, text, strlen(text) + 1);
    be32_store(orb + 4, ORB_F | ORB_L | 0xff00u);
    be32_store(orb + 8, PROGRAM + (vdev & 0xff) * 8u);
    ck_assert_int_eq(css_ssch(css, css_find_devno(css, vdev), orb), 0);
    notes();
}

void ctca_clear(const char *userid, u16 vdev)
{
    struct css *css = css_of(machine(userid));
    ck_assert_int_eq(css_csch(css, css_find_devno(css, vdev)), 0);
    notes();
}

int ctca_status(const char *userid, u16 vdev, u8 *sense)
{
    struct css *css = css_of(machine(userid));
    u8 irb[IRB_BYTES];
    size_t len;
    notes();
    if (css_tsch(css, css_find_devno(css, vdev), irb, &len) != 0)
        return -1;
    if (sense)
        *sense = be32_load(irb) & SCSW_E ? irb[32] : 0;
    return irb[8];
}

const char *ctca_text(const char *userid, u16 vdev)
{
    static char text[64];
    struct vm *vm = machine(userid);
    storage_read(vm->channels->storage, AREA + (vdev & 0xff) * 0x100u, text, sizeof text);
    text[sizeof text - 1] = 0;
    return text;
}
