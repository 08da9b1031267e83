/* The program-status word, the bits of the control registers (Principles of Operation, chapter 4:
 * bit 0 leftmost) and the program-interruption codes (chapter 6). */
#ifndef ENDICOTT_CPU_PSW_H
#define ENDICOTT_CPU_PSW_H

#include "mem/base/bytes.h"

/** Program status word; cc kept apart, see psw_mask(). */
struct psw {
    u64 mask; /* without the condition code */
    u64 addr;
};

/* PSW mask bits (z/Architecture format, bit 0 leftmost). */
#define PSW_BIT(n) (1ull << (63 - (n)))
#define PSW_PER PSW_BIT(1)
#define PSW_DAT PSW_BIT(5)
#define PSW_IO PSW_BIT(6)
#define PSW_EXT PSW_BIT(7)
#define PSW_KEY_SHIFT 52 /* bits 8-11 */
#define PSW_KEY (0xfull << PSW_KEY_SHIFT)
#define PSW_MCHK PSW_BIT(13)
#define PSW_WAIT PSW_BIT(14)
#define PSW_PROB PSW_BIT(15)
#define PSW_AS_SHIFT 46 /* bits 16-17: 0 primary, 1 access register, 2 secondary, 3 home */
#define PSW_AS (3ull << PSW_AS_SHIFT)
#define PSW_CC_SHIFT 44 /* bits 18-19 */
#define PSW_PM_SHIFT 40 /* bits 20-23: fixed, decimal overflow, HFP underflow, significance */
#define PSW_PM (0xfull << PSW_PM_SHIFT)
#define PSW_EA PSW_BIT(31)
#define PSW_BA PSW_BIT(32)
enum { AS_PRIMARY, AS_AR, AS_SECONDARY, AS_HOME };

/* Control-register bits. */
#define CR_BIT(n) (1ull << (63 - (n)))
#define CR0_LAP CR_BIT(35)
#define CR0_EXTRACT_AUTH CR_BIT(36)
#define CR0_SECONDARY_CTL CR_BIT(37)
#define CR0_FETCH_OVERRIDE CR_BIT(38)
#define CR0_STORAGE_OVERRIDE CR_BIT(39)
#define CR0_EDAT CR_BIT(40)
#define CR0_IEP CR_BIT(43)
#define CR0_AFP CR_BIT(45)
#define CR0_VX CR_BIT(46)
#define CR0_CKC CR_BIT(52)
#define CR0_CPUTM CR_BIT(53)

enum pgm_code {
#define PGM(id, code, ending, title) PGM_##id = code,
#include "cpu/pgm.def"
#undef PGM
};

#endif
