/* Noise as what the outside does to an uplink: nothing may end in an assertion or touch what is not
 * its own (make asan). `make fuzz` looks for inputs that go deeper.
 * Run alone: tests/run unit/io_uplink_fuzz_test */
#include "tests/unit/io/io_fixture.h"

#include "tests/lib/model.h"
#include "tests/lib/uplink_exec.h"

#define INPUTS 120
#define INPUT_BYTES 1500

/* One thing after the other of each kind, as it is meant: what noise hardly ever does. */
START_TEST(as_it_is_meant)
{
    static const u8 some[] = {0x03, 0x81, 0x02, 0x00, 0x0c, 0x02, 0x1c, 0x3c, 0x0c, 0x03, 0x40,
                              0x60, 0x0c, 0x0c, 0x05, 0x01, 0x07, 0x04, 0x00, 0x07, 0x04, 0x00,
                              0x05, 0x00, 0x05, 0x00, 0x03, 0x01, 0x40, 0x0c, 0x0c};
    for (u8 kind = 0; kind < 6; kind++) {
        u8 input[1 + sizeof some] = {kind};
        memcpy(input + 1, some, sizeof some);
        uplink_exec_run(input, sizeof input);
    }
}
END_TEST

static size_t put(u8 *input, size_t at, const u8 *bytes, size_t len)
{
    memcpy(input + at, bytes, len);
    return at + len;
}

/* A peer that reads slowly what is more than its socket holds, and goes within a frame. */
START_TEST(a_slow_peer)
{
    static const u8 again[] = {0x05, 0x01, 0x07, 0x7f, 0xff, 0x05, 0x00, 0x07, 0x00, 0x01},
                    burst[] = {0x03, 0xc0, 0x17, 0x70}, reads[] = {0x0c, 0x0c, 0x0c, 0x0c};
    for (u8 kind = 0; kind < 3; kind++) {
        u8 input[500] = {kind};
        size_t n = 1;
        for (unsigned round = 0; round < 3; round++) {
            n = put(input, n, again, sizeof again);
            for (unsigned i = 0; i < 16; i++) {
                n = put(input, n, i % 8 ? reads : burst, sizeof burst);
                n = put(input, n, reads, sizeof reads - i % 3);
            }
        }
        uplink_exec_run(input, n);
    }
}
END_TEST

START_TEST(noise)
{
    noise_run(INPUTS, INPUT_BYTES, uplink_exec_run);
}
END_TEST

int main(void)
{
    SUITE_BEGIN("io_uplink_fuzz");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, as_it_is_meant);
    tcase_add_test(tc, a_slow_peer);
    tcase_add_test(tc, noise);
    return run_suite(suite);
}
