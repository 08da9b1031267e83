/* Operands of LOADDEV, for the directory and for SET LOADDEV. */
#include "hyp/config/loaddev.h"

#include <stdlib.h>
#include <string.h>

#include "hyp/config/config_scan.h"
#include "io/ebcdic.h"

#define WORD_DIGITS 8
#define NUMBER_DIGITS 16

unsigned loaddev_number(const char *first, const char *second, u64 *out)
{
    u64 high, low = 0;
    size_t n = strlen(first);
    if (!n || n > NUMBER_DIGITS || !scan_hex(first, ~0ull, &high))
        return 0;
    if (n > WORD_DIGITS) {
        *out = high;
        return 1;
    }
    bool two = second && *second && strlen(second) <= WORD_DIGITS &&
               scan_hex(second, 0xffffffff, &low);
    *out = high << 32 | low;
    return two ? 2 : 1;
}

enum loaddev_operand loaddev_operand(const char *word)
{
    static const struct {
        const char *name;
        enum loaddev_operand operand;
    } names[] = {{"PORTname", LOADDEV_PORTNAME}, {"LUN", LOADDEV_LUN},
                 {"BR_lba", LOADDEV_BR_LBA},     {"BRLBA", LOADDEV_BR_LBA},
                 {"BOOTprog", LOADDEV_BOOTPROG}, {"SCPdata", LOADDEV_SCPDATA}};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (scan_abbrev(word, names[i].name))
            return names[i].operand;
    return LOADDEV_NONE;
}

u64 *loaddev_field(struct loaddev *l, enum loaddev_operand operand)
{
    return operand == LOADDEV_PORTNAME ? &l->portname
           : operand == LOADDEV_LUN    ? &l->lun
                                       : &l->br_lba;
}

/* Digits, with blanks between them or not, to characters. */
static bool from_hex(const char *text, char out[LOADDEV_SCPDATA_BYTES_MAX + 1])
{
    u8 bytes[LOADDEV_SCPDATA_BYTES_MAX / 2];
    size_t n = 0;
    while (*(text += strspn(text, " ")) && n < sizeof bytes) {
        const char pair[3] = {text[0], text[1], 0};
        u64 byte;
        if (!text[1] || !scan_hex(pair, 0xff, &byte))
            return false;
        bytes[n++] = (u8)byte;
        text += 2;
    }
    if (*text)
        return false;
    out[ebcdic_to_utf8(EBCDIC_037, bytes, n, out)] = 0;
    return true;
}

bool loaddev_scpdata(struct loaddev *l, const char *text, bool hex)
{
    char data[LOADDEV_SCPDATA_BYTES_MAX + 1];
    size_t have = strlen(l->scpdata), n = strlen(text);
    while (n && text[n - 1] == ' ')
        n--;
    if (n && (*text == '\'' || *text == '"')) {
        if (n < 2 || text[n - 1] != *text)
            return false;
        text++;
        n -= 2;
    }
    if (n >= sizeof data)
        return false;
    memcpy(data, text, n);
    data[n] = 0;
    if (hex) {
        char digits[sizeof data];
        memcpy(digits, data, n + 1);
        if (!from_hex(digits, data))
            return false;
    }
    n = strlen(data);
    if (!n || have + n > LOADDEV_SCPDATA_BYTES_MAX)
        return false;
    memcpy(l->scpdata + have, data, n + 1);
    return true;
}
