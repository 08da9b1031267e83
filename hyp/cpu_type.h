/* Types of virtual CPUs (cpu_type.def). A type is what the guest is told; CPUs of all types execute
 * the same instructions and are dispatched alike. Pure functions. */
#ifndef ENDICOTT_HYP_CPU_TYPE_H
#define ENDICOTT_HYP_CPU_TYPE_H

#include "mem/base/bytes.h"

#define CPU_TYPE_NAMES "CP, ZAAP, IFL, ICF or ZIIP"

/** The code of a type by its name in capitals; false: there is none. */
bool cpu_type_find(const char *name, u8 *code);
/** Its name; NULL: no type has this code. */
const char *cpu_type_name(u8 code);

#endif
