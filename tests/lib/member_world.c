/* The member of member_world.h. */
#include "tests/lib/member_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hyp/directory.h"
#include "mem/base/ergo.h"

#define TURNS 4
#define TURN_INSNS 1000
#define LOOP_ROUNDS_MAX 100000

static const char system_text[] =
    "SYSTEM_IDENTIFIER LPAR LPARA MEMBERA\nFEATURES ENABLE SET_PRIVCLASS\n";
static const char hardware_text[] = "CPUMODEL z196\nMAINSIZE 64M\nNUMCPU 2\nCPUSERIAL 0A0001\n";
static const char directory_text[] =
    "USER OPERATOR OPER 1M 2M ABCDEFG\n CONSOLE 9 3215\n"
    "USER LINUX1 SECRET 1M 2M G\n MACHINE ESA 2\n CPU 0\n CPU 1\n CONSOLE 9 3215 T\n"
    " SPOOL C 2540 READER *\n SPOOL D 2540 PUNCH A\n SPOOL E 1403 A\n"
    "USER GUEST PASS 1M 1M BG\n CONSOLE 9 3270\n COMMAND QUERY VIRTUAL\n";

const char *member_world_user(unsigned n)
{
    static const char *const users[MEMBER_WORLD_USERS] = {"OPERATOR", "LINUX1", "GUEST"};
    return users[n % MEMBER_WORLD_USERS];
}

/* CP's SHUTDOWN: the process goes on. */
static void no_end(void *ctx, bool reipl)
{
    (void)ctx, (void)reipl;
}

static void config_make(struct member *m)
{
    struct cause cause = {0};
    m->config = calloc(1, sizeof *m->config);
    ERGO(m->config);
    config_features_default(&m->config->features);
    strcpy(m->config->member, "MEMBERA");
    strcpy(m->config->hardware.path, "h");
    ERGO(config_parse_system(m->config, "c", system_text, &cause) == ST_OK);
    ERGO(config_parse_hardware(&m->config->hardware, "h", hardware_text, &cause) == ST_OK);
    ERGO(directory_parse("d", directory_text, "MEMBERA", &m->directory, &cause) == ST_OK);
}

static void command(struct member *m, const char *text)
{
    struct cp_response resp;
    cp_response_init(&resp);
    cp_command_as(m->cp, "OPERATOR", CP_CLASS_ANY, text, &resp);
    ERGO(!resp.rc);
    cp_response_fini(&resp);
}

struct member *member_world_create(void)
{
    struct member *m = calloc(1, sizeof *m);
    struct cause cause = {0};
    struct cp_ports ports;
    ERGO(m && uv_loop_init(&m->loop) == 0);
    m->while_fd = -1;
    m->phase = MEMBER_RUNNING;
    config_make(m);
    ERGO(rdevs_create(m->config, &m->rdevs, &cause) == ST_OK);
    m->post = post_uv_create(&m->loop);
    const struct vm_host_config hc = {.deterministic = true,
                                      .processors = 1,
                                      .system = "MEMBERA",
                                      .model = m->config->hardware.model};
    const struct vm_host_ports host_ports = {m->post, post_uv};
    struct vm_host_events events = {.ctx = m};
    m->host = vm_host_create(&hc, &host_ports, &events, &cause);
    ERGO(m->post && m->host);
    vm_host_slice(m->host, TURN_INSNS);
    vm_host_set_config(m->host, m->config);
    member_cp_ports(m, &ports);
    ports.shutdown = no_end;
    m->cp = cp_create(m->config, m->directory, &ports);
    ERGO(m->cp);
    command(m, "XAUTOLOG OPERATOR");
    command(m, "XAUTOLOG LINUX1");
    return m;
}

void member_world_turn(struct member *m)
{
    for (unsigned i = 0; i < TURNS && vm_host_run(m->host); i++)
        ;
    uv_run(&m->loop, UV_RUN_NOWAIT);
}

void member_world_destroy(struct member *m)
{
    control_destroy(m->control);
    struct cp *cp = m->cp;
    m->cp = NULL;
    cp_destroy(cp);
    member_timers_cancel(m);
    vm_host_destroy(m->host);
    rdevs_destroy(m->rdevs);
    post_uv_destroy(m->post);
    for (unsigned i = 0; uv_run(&m->loop, UV_RUN_ONCE); i++)
        ERGO(i < LOOP_ROUNDS_MAX);
    ERGO(uv_loop_close(&m->loop) == 0);
    directory_free(m->directory);
    free(m->config->hardware.devices);
    free(m->config);
    free(m);
}
