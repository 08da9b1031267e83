/* Prints the rows of the instruction tables for the fuzzer: opcode, format, mnemonic, facility bit, flags. */
#include <stdio.h>

#include "cpu/isa.h"

int main(void)
{
#define I(op, sub, fmt, mn, title, fac, flags)                                                 \
    printf("%02x %02x %d %s %s %d %u\n", op, sub, isa_sub_kind(op), #fmt, #mn, FAC_##fac,      \
           flags);
#include "cpu/isa/isa.def"
    return 0;
}
