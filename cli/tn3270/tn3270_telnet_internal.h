/* What the two ways of negotiation share: tn3270_telnet.c and tn3270_e.c. */
#ifndef ENDICOTT_CLI_TN3270_TELNET_INTERNAL_H
#define ENDICOTT_CLI_TN3270_TELNET_INTERNAL_H

#include "cli/tn3270/tn3270_telnet.h"

enum { TELNET_IAC = 255, TELNET_SB = 250, TELNET_SE = 240, TELNET_EOR = 239 };
enum { OPT_TN3270E = 40 };
#define TN3270E_HEADER_BYTES 5

/** A device type, with @LU behind it or not: size, extended, dynamic, lu. False: no 3270. */
bool telnet_take_type(struct telnet *t, const char *type);
/** Everything is agreed on: ready, or the size of a dynamic terminal is asked for first. */
void telnet_agreed(struct telnet *t);

/* ---- tn3270_e.c ---- */
void telnet_e_begin(struct telnet *t);
/** The suboption in t->sub. */
void telnet_e_sub(struct telnet *t);
/** A record with its header: what of it is 3270 data; NULL: nothing. */
const u8 *telnet_e_data(const u8 *record, size_t *len);

#endif
