/* Operator messages HCPxxxnnnns: one catalogue (msg.def, split by subject), one formatter.
 * The numeric part is also the return code of the CP command that failed. */
#ifndef ENDICOTT_MEM_BASE_MSG_H
#define ENDICOTT_MEM_BASE_MSG_H

#include <stddef.h>

#define MSG_LINE_BYTES 256

enum msg_id {
#define M(id, module, number, severity, text) MSG_##id,
#include "mem/base/msg.def"
#undef M
    MSG_COUNT
};

/**
 * Format message `id` as `HCPxxxnnnns text` into `out` (MSG_LINE_BYTES is always enough for our
 * texts; longer ones are cut). Arguments as the row's printf text asks. Returns its number nnnn.
 */
int msg_format(char *out, size_t room, enum msg_id id, ...);

/** The identifier "HCPCQU045E" of a message. */
const char *msg_name(enum msg_id id);
int msg_number(enum msg_id id);

#endif
