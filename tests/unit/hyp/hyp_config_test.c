/* system.config and hardware files: good ones, and every bad line with its place.
 * Run alone: tests/run unit/hyp_config_test */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "hyp/config/config_internal.h"
#include "tests/lib/faults_text.h"

static struct system_config *cfg;
static struct cause cause;

static void setup(void)
{
    cfg = calloc(1, sizeof *cfg);
    strcpy(cfg->member, "MEMBERA");
    cause = (struct cause){0};
}

static void teardown(void)
{
    config_free(cfg);
}

static int parse(const char *text)
{
    return config_parse_system(cfg, "system.config", text, &cause);
}

#define HEAD "SSI CLU PDR_VOLUME COM001 SLOT 1 MEMBERA SLOT 2 MEMBERB\n"
#define TAIL "USER_VOLUME_LIST COM001\n"

START_TEST(good_file)
{
    int status = parse("/* a\n comment */ system_id lpar lp1 membera\n"
                       "System_Identifier 2817 0a0002 MEMBERB\n"
                       "SSI clu PDR_VOL com001 Pdr_Export nbd://Host/Pdr, /* here */\n"
                       "\n /* nothing */\n"
                       "   SLOT 1 membera, \n SLOT 2 MEMBERB ,\n SLOT 3 AVAILABLE\n"
                       "CP_OWNED SLOT 1 M01RES\nCP_OWNED SLOT 2 COM001 SHARED\n"
                       "CP_OWNED SLOT 3 RESERVED\n"
                       "RELOCATION_DOMAIN ALPHA MEMBERS MEMBERA MEMBERB\n"
                       "VMLAN MACPREFIX 02AAAA USERPREFIX 02BBBB\n"
                       "RDEVICE 0A00-0A0F EQID NET1 TYPE OSA\n"
                       "FEATURES ENABLE SET_PRIVCLASS DISABLE THROTTLE_ALL\n"
                       "MEMBERA: activate islink 0e00 0e01 node MEMBERB\n"
                       "MEMBERB: BEGIN\n ACTIVATE ISLINK 0F00\n EQID X RDEV 1\nMEMBERB: END\n"
                       "SSI_LINKS HEARTBEAT 2 SILENCE 20\nssi_link tls keepalive 7 streams 0\n"
                       "MEMBER%: OPERATOR_USERID OPER\n"
                       "assoc ex 1230 enable epname chk1 chk2\nENABLE EXITS 1230-1231\n"
                       "MEMBERB: DISABLE EXITS ALL\nDISASSOCIATE EXIT 1231\n");
    ck_assert_msg(status == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(cfg->network_count, 3); /* commands at the start, this member's */
    ck_assert_str_eq(cfg->networks[0], "assoc ex 1230 enable epname chk1 chk2");
    ck_assert(cfg->in_ssi);
    ck_assert_str_eq(cfg->ssi_name, "CLU");
    ck_assert_str_eq(cfg->pdr_volid, "COM001");
    ck_assert_str_eq(cfg->pdr_path, "nbd://Host/Pdr");
    ck_assert_uint_eq(cfg->slot, 1);
    ck_assert_uint_eq(cfg->slot_count, 3);
    ck_assert_str_eq(cfg->slots[1].member, "MEMBERB");
    ck_assert_str_eq(cfg->slots[2].member, "");
    ck_assert_uint_eq(cfg->domain_count, 1);
    ck_assert_uint_eq(cfg->domains[0].member_count, 2);
    ck_assert_uint_eq(cfg->volume_count, 2);
    ck_assert(cfg->volumes[1].shared && !cfg->volumes[0].shared);
    ck_assert_uint_eq(cfg->islink_count, 2);
    ck_assert_uint_eq(cfg->islinks[1].rdev, 0xe01);
    ck_assert_str_eq(cfg->islinks[0].node, "MEMBERB");
    ck_assert(cfg->ssi_links.tls);
    ck_assert_uint_eq(cfg->ssi_links.heartbeat_s, 2);
    ck_assert_uint_eq(cfg->ssi_links.silence_s, 20);
    ck_assert_uint_eq(cfg->ssi_links.keepalive_s, 7);
    ck_assert_uint_eq(cfg->ssi_links.join_s, 0);
    ck_assert(cfg->ssi_links.streams_set && cfg->ssi_links.streams == 0);
    ck_assert_uint_eq(cfg->eqid_count, 1);
    ck_assert_uint_eq(cfg->eqids[0].last, 0xa0f);
    ck_assert(cfg->features.set_privclass);
    ck_assert_str_eq(cfg->features.operator_userid, "OPER");
    ck_assert_str_eq(cfg->mac_prefix, "02AAAA");
    struct config_domain scratch;
    ck_assert_uint_eq(config_domain_find(cfg, "ssi", &scratch)->member_count, 2);
    ck_assert_uint_eq(config_domain_find(cfg, "MEMBERB", &scratch)->member_count, 1);
    ck_assert_ptr_null(config_domain_find(cfg, "BETA", &scratch));
}
END_TEST

/* text, then the end of the cause */
/* SYSTEM_DATEFORMAT and CHARACTER_DEFAULTS: what users have who have chosen nothing. */
START_TEST(defaults_of_users)
{
    config_features_default(&cfg->features);
    ck_assert_int_eq(cfg->features.edit[CONFIG_LINE_END], '#');
    ck_assert_msg(parse("SYSTEM_DATEFORMAT ISO\n"
                        "CHARACTER_DEFAULTS LINE_END ; CHAR_DELETE OFF TAB ^\n" HEAD TAIL) ==
                      ST_OK,
                  "%s", cause.text);
    ck_assert_int_eq(cfg->features.dateformat, VM_DATE_ISO);
    ck_assert_int_eq(cfg->features.edit[CONFIG_LINE_END], ';');
    ck_assert_int_eq(cfg->features.edit[CONFIG_CHAR_DELETE], 0);
    ck_assert_int_eq(cfg->features.edit[CONFIG_TAB], '^');
    ck_assert_int_eq(cfg->features.edit[CONFIG_ESCAPE], '"');
}
END_TEST

static const struct {
    const char *text, *cause;
} bad[] = {
    {"FOO BAR\n", "system.config:1:1: expected a SYSTEM CONFIG statement, found FOO"},
    {"\n  /* x */ FOO\n", "system.config:2:11: expected a SYSTEM CONFIG statement, found FOO"},
    {"/* open\n", "system.config:1:1: expected */, found end of file"},
    {"SSI\n", "system.config:1:4: expected a cluster name of 1-8 characters, found end of "
              "statement"},
    {"SSI TOOLONGNAME SLOT 1 A\n",
     "system.config:1:5: expected a cluster name of 1-8 characters, found TOOLONGNAME"},
    {"SSI C SLOT 1 MEMBERA\n",
     "system.config:1:21: expected PDR_VOLUME, found end of statement"},
    {"SSI C PDR_VOLUME &SYSPARM\n",
     "system.config:1:18: expected a volume identifier of 1-6 characters, found &SYSPARM"},
    {"SSI C PDR_VOLUME V PDR_EXPORT http://h/x SLOT 1 MEMBERA\n",
     "system.config:1:31: expected nbd[s]://HOST/EXPORT or nbd[s]+unix:///EXPORT?socket=PATH, "
     "found "
     "HTTP://H/X"},
    {"SSI C PDR_VOLUME V SLOT 9 A\n",
     "system.config:1:25: expected a slot number from 1 to 8, found 9"},
    {"SSI C PDR_VOLUME V SLOT 1 A SLOT 1 B\n",
     "system.config:1:34: expected each slot once, found 1"},
    {"SSI C PDR_VOLUME V SLOT 1 A SLOT 2 A\n",
     "system.config:1:36: expected each member once, found A"},
    {"SSI C PDR_VOLUME V SLOT 1 B\n", "expected a SLOT for MEMBERA, found end of statement"},
    {"SSI C PDR_VOLUME V,\n  SLOT X B\n",
     "system.config:2:8: expected a slot number from 1 to 8, found X"},
    {HEAD HEAD, "system.config:2:1: expected one SSI statement, found SSI"},
    {HEAD, "expected PDR volume COM001 in CP_OWNED or USER_VOLUME_LIST, found end of file"},
    {"SYSTEM_DATEFORMAT LONG\n",
     "system.config:1:19: expected SHORTDATE or FULLDATE or ISODATE, found LONG"},
    {"CHARACTER_DEFAULTS\n",
     "system.config:1:19: expected an operand of CHARACTER_DEFAULTS, found end of statement"},
    {"CHARACTER_DEFAULTS LINE_END TWO\n",
     "system.config:1:29: expected a character or OFF, found TWO"},
    {HEAD "SYSTEM_IDENTIFIER LPAR A MEMBERA\n",
     "system.config:2:1: expected SYSTEM_IDENTIFIER before SSI, found SYSTEM_IDENTIFIER"},
    {"SYSTEM_IDENTIFIER LPAR A OTHER\n",
     "expected a SYSTEM_IDENTIFIER for MEMBERA, found end of "
     "file"},
    {"SYSTEM_IDENTIFIER 9999 1 A\n",
     "system.config:1:19: expected LPAR, or a machine model, found 9999"},
    {"CP_OWNED M01RES\n", "system.config:1:10: expected SLOT, found M01RES"},
    {"CP_OWNED SLOT 1 A\nCP_OWNED SLOT 1 B\n",
     "system.config:2:15: expected each slot once, found 1"},
    {"CP_OWNED SLOT 1 A MINE\n", "system.config:1:19: expected OWN or SHARED, found MINE"},
    {"USER_VOLUME_LIST LONGVOLUME\n",
     "system.config:1:18: expected a volume identifier of 1-6 characters, found LONGVOLUME"},
    {"RELOCATION_DOMAIN D MEMBERS A\n",
     "system.config:1:1: expected SSI before RELOCATION_DOMAIN, found RELOCATION_DOMAIN"},
    {HEAD TAIL "RELOCATION_DOMAIN D MEMBERS ZZ\n",
     "system.config:3:29: expected a member of the SSI statement, found ZZ"},
    {HEAD TAIL "RELOCATION_DOMAIN D MEMBERS\n",
     "system.config:3:28: expected a member name, found end of statement"},
    {HEAD TAIL "RELOCATION_DOMAIN SSI MEMBERS MEMBERA\n",
     "system.config:3:19: expected a domain name that is not in use, found SSI"},
    {"ACTIVATE ISLINK XYZ\n",
     "system.config:1:17: expected a real device number or NODE, found XYZ"},
    {"SSI_LINKS HEARTBEAT 9\n",
     "system.config:1:11: expected a SILENCE of at least two heartbeats, found HEARTBEAT"},
    {"SSI_LINKS STREAMS 5\n",
     "system.config:1:19: expected a number of streams from 0 to 4, found 5"},
    {"SSI_LINKS JOIN 0\n",
     "system.config:1:16: expected a number of seconds from 1 to 3600, found 0"},
    {"SSI_LINKS\n",
     "system.config:1:10: expected an operand of SSI_LINKS, found end of statement"},
    {"VMLAN MACPREFIX 12\n",
     "system.config:1:17: expected a prefix of 6 hexadecimal digits, found 12"},
    {"FEATURES IDLE_SLACK 1001\n",
     "system.config:1:21: expected OFF or 10 to 1000 milliseconds, found 1001"},
    {"FEATURES CP_LEVEL 0\n",
     "system.config:1:19: expected a level of CP from 1 to 2, found 0"},
    {"ASSOCIATE EXIT 4711 EPNAME X\n",
     "system.config:1:16: expected the number of a CP exit that there is, found 4711"},
    {"ASSOCIATE EXIT 1230 ENABLE\n",
     "system.config:1:27: expected REPLACE or FOLLOWING or PRECEDING or DISABLE or ENABLE or "
     "EPNAME, found end of statement"},
    {"ASSOCIATE MESSAGES\n", "system.config:1:11: expected EXIT, found MESSAGES"},
    {"ENABLE EXITS 1230 1\n",
     "system.config:1:19: expected the number of a CP exit that there is, found 1"},
    {"ENABLE COMMAND QUERY\n", "system.config:1:8: statement ENABLE COMMAND not available yet"},
    {"FEATURES ENABLE FOO\n", "system.config:1:17: expected a known feature, found FOO"},
    {"DEFINE COMMAND X\n", "system.config:1:8: statement DEFINE COMMAND not available yet"},
    {"IMBED A B\n", "system.config:1:1: statement IMBED not available yet"},
    {"TIMEZONE_DEFINITION EST NORTH 5\n", "expected EAST or WEST, found NORTH"},
    {"SYSTEM_USERIDS OPERATOR\n",
     "system.config:1:24: expected a user id of 1-8 characters, found end of statement"},
    {"MEMBERB: FOO\n", "system.config:1:10: expected a SYSTEM CONFIG statement, found FOO"},
    {"MEMBERA: BEGIN\nEQID X RDEV 1\n", "expected MEMBERA: END, found end of file"},
    {"MEMBERA: BEGIN\nMEMBERB: END\n",
     "system.config:2:1: expected MEMBERA: END, found MEMBERB:"},
    {"MEMBERA:\n", "system.config:1:9: expected BEGIN or a statement, found end of statement"},
};

START_TEST(bad_line)
{
    ck_assert_int_eq(parse(bad[_i].text), ST_CONFIG);
    size_t want = strlen(bad[_i].cause), have = strlen(cause.text);
    ck_assert_msg(have >= want && !strcmp(cause.text + have - want, bad[_i].cause),
                  "expected ...%s\n got %s", bad[_i].cause, cause.text);
}
END_TEST

static const char *check_text(const char *text)
{
    static char told[2048];
    struct faults faults = {0};
    memset(cfg, 0, sizeof *cfg);
    strcpy(cfg->member, "MEMBERA");
    ck_assert_int_eq(config_read_system(cfg, "c", text, &faults, &cause), ST_OK);
    return faults_text(&faults, told, sizeof told);
}

/* All bad statements, and once what has no effect yet; another member's statements too. */
START_TEST(every_bad_statement)
{
    ck_assert_str_eq(check_text("FOO\n" HEAD "EQID\nDEFINE VSWITCH V1\nMEMBERB: BAR\n"
                                "DEFINE LAN L\nSYSTEM_USERIDS OPERATOR OPX ACCOUNT A AUTOLOG\n"
                                "FEATURES ENABLE PROMPT CPCHECKING\n"),
                     "e 1:1: expected a SYSTEM CONFIG statement, found FOO|"
                     "e 3:5: expected RDEV, found end of statement|"
                     "e 5:10: expected a SYSTEM CONFIG statement, found BAR|"
                     "n 7:29: SYSTEM_USERIDS ACCOUNT is accepted and has no effect yet|"
                     "n 8:17: FEATURES PROMPT is accepted and has no effect yet|"
                     "n 8:24: FEATURES CPCHECKING is accepted and has no effect yet|"
                     "e 9:1: expected PDR volume COM001 in CP_OWNED or USER_VOLUME_LIST, found "
                     "end of file|");
    ck_assert_str_eq(cfg->features.operator_userid, "OPX");
}
END_TEST

START_TEST(good_hardware)
{
    struct config_hardware hw = {0};
    int status =
        config_parse_hardware(&hw, "A.cnf",
                              "# comment\n* comment\nCPUSERIAL 0A0001\n"
                              "cpumodel z196   # inline\nNUMCPU 4\nMAINSIZE 2G\n"
                              "CNSLPORT 3270\nSSIPORT [::1]:7001 Host.example\nARCHLVL z/Arch\n"
                              "ENGINES 2*CP,IFL\n"
                              "0A00 3390 volumes/Com001.cckd ro sync sf=S/one.cckd\n"
                              "0300 9336 b.raw volid=fba001\n0580-0581 3490 *\n"
                              "0582 3480 Vol.aws RO\n0020-0022 3270\n"
                              "0590 3590 Library ro size=400M\n",
                              &cause);
    ck_assert_msg(status == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(hw.cpu_type[1], 0);
    ck_assert_uint_eq(hw.cpu_type[2], 3);
    ck_assert_uint_eq(hw.cpu_type[3], 0);
    ck_assert_uint_eq(hw.cpu_serial, 0x0a0001);
    ck_assert_uint_eq(hw.model->machine_type, 0x2817);
    ck_assert_uint_eq(hw.cpus, 4);
    ck_assert_uint_eq(hw.main_bytes, 2ull << 30);
    ck_assert(hw.console_on);
    ck_assert_uint_eq(hw.console_port, 3270);
    ck_assert_str_eq(hw.ssi_host, "::1");
    ck_assert_uint_eq(hw.ssi_port, 7001);
    ck_assert_str_eq(hw.ssi_published, "Host.example");
    ck_assert_uint_eq(hw.device_count, 9);
    ck_assert_str_eq(hw.devices[0].file, "volumes/Com001.cckd,shadow=S/one.cckd");
    ck_assert(hw.devices[0].read_only && hw.devices[0].sync && hw.devices[0].type == 0x3390);
    ck_assert_str_eq(hw.devices[1].volid, "FBA001");
    ck_assert(!hw.devices[1].read_only && !hw.devices[1].sync);
    ck_assert(hw.devices[3].devno == 0x581 && !hw.devices[3].file[0]);
    ck_assert(hw.devices[4].type == 0x3480 && hw.devices[4].read_only);
    ck_assert_str_eq(hw.devices[4].file, "Vol.aws");
    ck_assert(hw.devices[7].devno == 0x22 && hw.devices[7].type == 0x3270);
    ck_assert(hw.devices[8].type == 0x3590 && hw.devices[8].read_only);
    ck_assert_uint_eq(hw.devices[8].volume_bytes, 400u << 20);
    free(hw.devices);
}
END_TEST

START_TEST(console_port)
{
    static const struct {
        const char *text;
        bool on;
        u16 port;
    } cases[] = {{"", false, 0},
                 {"CNSLPORT 0\n", false, 0},
                 {"CNSLPORT 127.0.0.1:0\n", true, 0},
                 {"CNSLPORT [::1]:3271\n", true, 3271},
                 {"CNSLCERT console.pem\nCNSLPORT 0.0.0.0:3272\n", true, 3272},
                 {"CNSLCERT console.pem\nCNSLPORT [::]:3273\n", true, 3273},
                 {"cnslport 127.0.0.1:3270\n", true, 3270}};
    char text[128];
    struct config_hardware hw = {0};
    snprintf(text, sizeof text, "CPUMODEL z196\nMAINSIZE 64\n%s", cases[_i].text);
    ck_assert_msg(!config_parse_hardware(&hw, "A.cnf", text, &cause), "%s", cause.text);
    ck_assert_int_eq(hw.console_on, cases[_i].on);
    ck_assert_uint_eq(hw.console_port, cases[_i].port);
}
END_TEST

static const struct {
    const char *text, *cause;
} bad_hw[] = {
    {"CNSLPORT 0.0.0.0:3270\n",
     "A.cnf:1:10: expected a TCP port up to 65535 (0: none), 127.0.0.1:port or [::1]:port (0: any "
     "free one); other addresses behind CNSLCERT only, found 0.0.0.0:3270"},
    {"CNSLPORT 70000\n", "found 70000"},
    {"CNSLCERT a.pem\nCNSLPORT here:3270\n", "found HERE:3270"},
    {"CNSLCERT\n", "A.cnf:1:9: expected a PEM file, found end of statement"},
    {"CPUMODEL 3090\n",
     "A.cnf:1:10: expected a machine type or one of z900 z800 z990 z890 z9 z9bc z10 z10bc "
     "z196 z114 zEC12 zBC12 z13 z13s z14 z14ZR1 z15 z15T02 z16 z16A02 max (endicott models), "
     "found 3090"},
    {"ENGINES 2*CP,GP\n",
     "A.cnf:1:9: expected types of processors: [n*]type,... (CP, ZAAP, IFL, ICF or ZIIP), "
     "found 2*CP,GP"},
    {"NUMCPU 0\n", "A.cnf:1:8: expected a number of CPUs from 1 to 64, found 0"},
    {"MAINSIZE big\n", "found BIG"},
    {"CPUSERIAL 1234567\n",
     "A.cnf:1:11: expected a serial number of 1-6 hexadecimal digits, found 1234567"},
    {"SSIPORT localhost\n",
     "A.cnf:1:9: expected host:port (port 0: any free one), found LOCALHOST"},
    {"SSIPORT h:99999\n",
     "A.cnf:1:9: expected host:port (port 0: any free one), found H:99999"},
    {"FROB 1\n", "A.cnf:1:1: expected a hardware statement or a device number, found FROB"},
    {"0A00 3380 x\n",
     "A.cnf:1:6: expected device type 3390, 9336, 3480, 3490, 3590, 3270, 1403, 3211, 3525 or OSA, "
     "found 3380"},
    {"0A00 3390\n", "A.cnf:1:10: expected the file of the disk, found end of statement"},
    {"0A00 3390 x fast\n",
     "A.cnf:1:13: expected RO, SYNC, SF=file, MIRROR=file or VOLID=label, found FAST"},
    {"0A00 3390 x volid=toolong\n", "found VOLID=TOOLONG"},
    {"0580 3490 x sync\n", "A.cnf:1:13: expected RO or SIZE=bytes, found SYNC"},
    {"0580 3490 x size=lots\n", "A.cnf:1:13: expected RO or SIZE=bytes, found SIZE=LOTS"},
    {"0A00-0A01 3390 x\n", "A.cnf:1:16: expected one device number for a file, found X"},
    {"0020 3270 lu\n", "A.cnf:1:11: expected end of statement, found LU"},
    {"0A00 OSA\n", "A.cnf:1:9: expected an uplink, found end of statement"},
    {"0A00 OSA warp\n",
     "A.cnf:1:10: expected an uplink (warp: not slirp, tap, vde, socket or none), found WARP"},
    {"0A00 OSA none x\n", "A.cnf:1:15: expected end of statement, found X"},
    {"0A00-0A01 OSA none\n",
     "A.cnf:1:1: expected the first of an OSA's three device numbers, found 0A00-0A01"},
    {"FFFE OSA none\n",
     "A.cnf:1:1: expected the first of an OSA's three device numbers, found FFFE"},
    {"0A00 OSA none\n0A02 3270\n",
     "A.cnf:2:1: expected a device number that is not defined yet (0A02), found 0A02"},
    {"0A00 3390 x\n0A00 3390 x\n",
     "A.cnf:2:1: expected a device number that is not defined yet (0A00), found 0A00"},
    {"0A00\n", "A.cnf:1:5: expected a device type, found end of statement"},
    {"MAINSIZE 64\n", "A.cnf:2:1: expected a CPUMODEL statement, found end of file"},
    {"CPUMODEL z10\n", "A.cnf:2:1: expected a MAINSIZE statement, found end of file"},
};

START_TEST(bad_hardware)
{
    struct config_hardware hw = {0};
    ck_assert_int_eq(config_parse_hardware(&hw, "A.cnf", bad_hw[_i].text, &cause), ST_CONFIG);
    size_t want = strlen(bad_hw[_i].cause), have = strlen(cause.text);
    ck_assert_msg(have >= want && !strcmp(cause.text + have - want, bad_hw[_i].cause),
                  "expected ...%s\n got %s", bad_hw[_i].cause, cause.text);
    free(hw.devices);
}
END_TEST

START_TEST(samples_load)
{
    static const struct {
        const char *dir, *member;
        u16 type;
    } all[] = {
        {"docs/samples/two", "MEMBERA", 0x2817},  {"docs/samples/two", "memberb", 0x2817},
        {"docs/samples/four", "MEMBERA", 0x2097}, {"docs/samples/four", "MEMBERB", 0x2817},
        {"docs/samples/four", "MEMBERC", 0x2818}, {"docs/samples/four", "MEMBERD", 0x2817}};
    struct system_config *c;
    int status = config_load(all[_i].dir, all[_i].member, &c, &cause);
    ck_assert_msg(status == ST_OK, "%s", cause.text);
    ck_assert_uint_eq(c->hardware.model->machine_type, all[_i].type);
    ck_assert(c->slots[1].hardware_known);
    ck_assert_str_eq(c->slots[1].ssi_host, "127.0.0.1");
    ck_assert_ptr_nonnull(strstr(c->pdr_path, "/volumes/COM001.pdr"));
    config_free(c);
    ck_assert_int_eq(config_load(all[_i].dir, "MEMBERX", &c, &cause), ST_CONFIG);
    ck_assert_ptr_null(c);
    ck_assert_int_eq(config_load("/nonexistent", "MEMBERA", &c, &cause), ST_IO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("hyp_config");
    TCase *t = tcase_create("all");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, good_file);
    tcase_add_test(t, defaults_of_users);
    tcase_add_test(t, every_bad_statement);
    tcase_add_loop_test(t, bad_line, 0, (int)ARRAY_LEN(bad));
    tcase_add_test(t, good_hardware);
    tcase_add_loop_test(t, console_port, 0, 7);
    tcase_add_loop_test(t, bad_hardware, 0, (int)ARRAY_LEN(bad_hw));
    tcase_add_loop_test(t, samples_load, 0, 6);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
