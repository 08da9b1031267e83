/* Arbitrary bytes as what the other member of a relocation sends: what tests/fuzz/lgr_exec
 * does with one input, and unit/lgr_fuzz with altered ones. Two simulated members
 * (lgr_world.h), joined once; the second one's service LGR gets the messages. */
#ifndef ENDICOTT_TESTS_LIB_LGR_EXEC_H
#define ENDICOTT_TESTS_LIB_LGR_EXEC_H

#include "mem/base/bytes.h"

#define LGR_EXEC_BYTES_MAX 65536

/** What one input came to. */
struct lgr_exec_result {
    unsigned messages, ready, resumed; /* delivered; how often a guest got so far */
};

/** An input is pieces. A byte below 128 is a message of that type: a byte of flags (1 = under
 * the number that is expected next), its length (2), its bytes. From 128 on something happens:
 * time passes (0), the PDR gives the guest to the destination (1), the user logs on there (2),
 * the link is cut (3), or the destination ends what it can (4). Aborts, or fails the test,
 * when a guest runs that is not the destination's, or when something is left. */
struct lgr_exec_result lgr_exec_run(const u8 *data, size_t size);
/** A relocation that comes about, as an input; its length. */
size_t lgr_exec_record(u8 out[LGR_EXEC_BYTES_MAX]);

#endif
