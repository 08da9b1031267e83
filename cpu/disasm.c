/* Disassembly, as GNU objdump prints it with -m s390:64-bit.
 * Each format has a template of its operands, a letter each; rows that differ are listed. */
#include "cpu/cpu_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_BYTES 16

/* Letters: 1 2 3 general registers r1 r2 r3; A B C floating-point, a b c access, K L control
 * registers r1 r3; p q r s fields r1 r2 r3 b2 as numbers, P Q S as signed bytes; x D(X,B); d D(B);
 * g h first and second operand of SS, G H with a length of 8 bits, M N with 4 bits, R with a
 * register; e first operand of SIL, w W its immediate; T D(L,B); i u U immediate signed, unsigned
 * of 16, of 32 bits; j k l relative by imm, ri2 of MII, ri2 of SMI; * the mask, unless the
 * mnemonic says it. '?': left out when zero. */
static const char *const format_operands[FMT_COUNT] = {
    [FMT_E] = "",          [FMT_I] = "i",        [FMT_RR] = "12",      [FMT_RR_M] = "2",
    [FMT_RRE] = "12",      [FMT_RRE_0] = "",     [FMT_RRE_1] = "1",    [FMT_RRF] = "123",
    [FMT_RRD] = "ACB",     [FMT_RX] = "1x",      [FMT_RX_M] = "x",     [FMT_RXE] = "Ax",
    [FMT_RXF] = "ACx",     [FMT_RXY] = "1x",     [FMT_RXY_M] = "px",   [FMT_RS] = "13d",
    [FMT_RS_M] = "1rd",    [FMT_RSI] = "13j",    [FMT_RSY] = "13d",    [FMT_RSY_M] = "1rd",
    [FMT_RSL] = "T",       [FMT_RI] = "1i",      [FMT_RI_M] = "j",     [FMT_RI_REL] = "1j",
    [FMT_RIL] = "1i",      [FMT_RIL_M] = "pj",   [FMT_RIL_REL] = "1j", [FMT_RIE_A] = "1i*",
    [FMT_RIE_B] = "12*j",  [FMT_RIE_C] = "1S*j", [FMT_RIE_D] = "13i",  [FMT_RIE_E] = "13j",
    [FMT_RIE_F] = "12rsi", [FMT_RIE_G] = "1i*",  [FMT_RIS] = "1Q*d",   [FMT_RRS] = "12*d",
    [FMT_S] = "d",         [FMT_SI] = "dp",      [FMT_SIY] = "dp",     [FMT_SIY_D] = "d",
    [FMT_SIL] = "ew",      [FMT_SS_L] = "Gh",    [FMT_SS_LL] = "MN",   [FMT_SS_LI] = "Mhr",
    [FMT_SS_RR] = "13gh",  [FMT_SSE] = "gh",     [FMT_SSF] = "gh1",    [FMT_IE] = "pq",
    [FMT_MII] = "pkj",     [FMT_SMI] = "plh",
};

/* Rows whose operands are not those of their format. */
static const struct {
    const char *operands;
    const char *mnemonics; /* blank-separated, with a blank at both ends */
} other_operands[] = {
    {"1u",
     " llihh llihl llilh llill iihh iihl iilh iill nihh nihl nilh nill oihh oihl oilh oill "
     "tmhh tmhl tmlh tmll "},
    {"1U", " llihf llilf iihf iilf nihf nilf oihf oilf xihf xilf alfi algfi slfi slgfi clfi "
           "clgfi clih "},
    {"1u*", " clgit clfit "},
    {"1s*j", " clij clgij "},
    {"1q*d", " clib clgib "},
    {"dP", " asi agsi alsi algsi "},
    {"eW", " clhhsi clfhsi clghsi "},
    {"1d", " srl sll sra sla srdl sldl srda slda "},
    {"1*d", " clt clgt "},
    {"1d*", " loc locg locfh stoc stocg stocfh "},
    {"acd", " lam lamy stam stamy "},
    {"1b", " ear "},
    {"a2", " sar tar "},
    {"ab", " cpya "},
    {"1gh", " lpd lpdg "},
    {"1", " spm "},
    {"12*", " crt cgrt clrt clgrt locr locgr locfhr "},
    {"12?r", " popcnt sske cu12 cu14 cu21 cu24 cu41 cu42 troo trot trto trtt trte trtre "},
    {"132?s", " idte crdte rdp "},
    {"132s", " lptea "},
    {"12r", " essa "},
    {"x", " bic "},
    {"j", " brcl "},
    {"gH", " pka pku "},
    {"Rh3", " mvck mvcp mvcs "},
    {"1g3h", " plo "},
    {"KLd", " lctl stctl lctlg stctg "},
    {"Ax", " ld ldy le ley std stdy ste stey "},
    {"1B", " lgdr "},
    {"A2", " ldgr "},
    {"1rB", " cfebr cfdbr cfxbr cgebr cgdbr cgxbr "},
    {"1rBs", " clfebr clfdbr clfxbr clgebr clgdbr clgxbr "},
    {"Ar2s", " celfbr cdlfbr cxlfbr celgbr cdlgbr cxlgbr "},
    {"A2", " cefbr cdfbr cxfbr cegbr cdgbr cxgbr "},
    {"AB", " ledbr ldxbr lexbr "},
    {"ArB", " fiebr fidbr fixbr "},
    {"ACBs", " diebr didbr "},
    {"ACB", " cpsdr "},
    {"1", " sfpc efpc sfasr "},
    {"12r", " ppa "},
    {"123*", " selr selgr selfhr "},
};

/* Suffixes of extended mnemonics by mask; NULL: the mask is an operand. */
static const char *const suffix_all[16] = {NULL, "o",   "h",  "nle", "l",  "nhe", "lh", "ne",
                                           "e",  "nlh", "he", "nl",  "le", "nh",  "no", NULL};
static const char *const suffix_compare[16] = {
    [2] = "h", [4] = "l", [6] = "ne", [8] = "e", [10] = "nl", [12] = "nh"};

struct text {
    char *out;
    size_t room, len;
};

static __attribute__((format(printf, 2, 3))) void put(struct text *t, const char *fmt, ...)
{
    va_list ap;
    if (t->len >= t->room)
        return;
    va_start(ap, fmt);
    int n = vsnprintf(t->out + t->len, t->room - t->len, fmt, ap);
    va_end(ap);
    t->len += n > 0 ? (size_t)n : 0;
}

/* D(inner,B): `inner` is an index register, or a length in decimal. */
static void put_address(struct text *t, s32 disp, const char *inner, unsigned base)
{
    put(t, "%d", disp);
    if (*inner)
        put(t, "(%s,%%r%u)", inner, base & 15);
    else if (base != 16)
        put(t, "(%%r%u)", base);
}

static void put_length(struct text *t, s32 disp, unsigned length, unsigned base)
{
    put(t, "%d(%u,%%r%u)", disp, length, base & 15);
}

/* D(X,B) or the two-operand storage fields of SS. */
static void put_storage(struct text *t, char what, const struct dinsn *d)
{
    char index[TEXT_BYTES] = "";
    switch (what) {
    case 'x':
        if (d->r2 != 16 && d->b2 == 16) {
            put(t, "%d(%%r%u,%%r0)", d->d2, d->r2);
            break;
        }
        if (d->r2 != 16)
            snprintf(index, sizeof index, "%%r%u", d->r2);
        put_address(t, d->d2, index, d->b2);
        break;
    case 'd': put_address(t, d->d2, "", d->b2); break;
    case 'e': put_address(t, d->ss.d1, "", d->b2); break;
    case 'g': put_address(t, d->ss.d1, "", d->r2); break;
    case 'h': put_address(t, d->ss.d2, "", d->b2); break;
    case 'R':
        snprintf(index, sizeof index, "%%r%u", d->r1);
        put_address(t, d->ss.d1, index, d->r2);
        break;
    case 'G':
    case 'M': put_length(t, d->ss.d1, d->r1 + 1u, d->r2); break;
    case 'H': put_length(t, d->ss.d2, d->r1 + 1u, d->b2); break;
    case 'N': put_length(t, d->ss.d2, d->r3 + 1u, d->b2); break;
    default: put_length(t, d->d2, d->r1 + 1u, d->b2);
    }
}

/* Immediate, numeric and relative operands. */
static void put_number(struct text *t, char what, const struct dinsn *d, u64 ia)
{
    u64 rel = 0;
    switch (what) {
    case 'P': put(t, "%d", (s8)d->r1); return;
    case 'Q': put(t, "%d", (s8)d->r2); return;
    case 'S': put(t, "%d", (s8)d->b2); return;
    case 'w': put(t, "%d", (s16)d->ss.d2); return;
    case 'W': put(t, "%u", d->ss.d2); return;
    case 'i': put(t, "%d", d->imm); return;
    case 'u': put(t, "%u", (u16)d->imm); return;
    case 'U': put(t, "%u", (u32)d->imm); return;
    case 'j': rel = (u64)(s64)d->imm; break;
    case 'k': rel = (u64)(s64)((s32)((u32)d->r2 << 28 | (u32)d->r3 << 20) >> 20); break;
    default: rel = (u64)(s64)(s16)d->ss.d1;
    }
    u64 target = ia + 2 * rel;
    put(t, "0x%llx", (unsigned long long)target);
}

/* The field of struct dinsn that a register or number letter stands for. */
static unsigned field(const struct dinsn *d, char what)
{
    switch (what) {
    case '1':
    case 'A':
    case 'a':
    case 'K':
    case 'p': return d->r1;
    case '2':
    case 'B':
    case 'b':
    case 'q': return d->r2;
    case 's': return d->b2;
    default: return d->r3;
    }
}

static void put_operand(struct text *t, char what, const struct dinsn *d, u64 ia)
{
    if (strchr("123", what))
        put(t, "%%r%u", field(d, what));
    else if (strchr("ABC", what))
        put(t, "%%f%u", field(d, what));
    else if (strchr("abc", what))
        put(t, "%%a%u", field(d, what));
    else if (strchr("KL", what))
        put(t, "%%c%u", field(d, what));
    else if (strchr("pqrs", what))
        put(t, "%u", field(d, what));
    else if (strchr("xdeghRGHMNT", what))
        put_storage(t, what, d);
    else
        put_number(t, what, d, ia);
}

static bool listed(const char *list, const char *mnemonic)
{
    char word[TEXT_BYTES];
    snprintf(word, sizeof word, " %s ", mnemonic);
    return strstr(list, word) != NULL;
}

/* Rows with two masks, which the plain mnemonic does not have. */
static bool has_masks(const struct isa_entry *e, const struct dinsn *d)
{
    if (listed(" cdfbr cdgbr cefbr cegbr cxfbr cxgbr ldxbr ledbr lexbr ", e->mnemonic))
        return d->r3 || d->b2;
    return d->b2 &&
           listed(" cfebr cfdbr cfxbr cgebr cgdbr cgxbr fiebr fidbr fixbr ", e->mnemonic);
}

/* Operands with both masks: registers are general where the name says fixed. */
static const char *masked_operands(const struct isa_entry *e)
{
    const char *mn = e->mnemonic;
    if (mn[0] != 'c')
        return "ArBs";
    return mn[1] == 'f' || mn[1] == 'g' ? "1rBs" : "Ar2s";
}

static const char *operands_of(const struct isa_entry *e, const struct dinsn *d)
{
    if (has_masks(e, d))
        return masked_operands(e);
    if (!strcmp(e->mnemonic, "ipte"))
        return d->b2 ? "123s" : "12?3";
    if (e->format == FMT_RR_M && !d->r1)
        return "?2";
    for (unsigned i = 0; i < ARRAY_LEN(other_operands); i++)
        if (listed(other_operands[i].mnemonics, e->mnemonic))
            return other_operands[i].operands;
    if (e->op == 0xb3 || ((e->op & 0xe0) == 0x20 && e->format == FMT_RR))
        return e->format == FMT_RRE_1 ? "A" : e->format == FMT_RRD ? "ACB" : "AB";
    return format_operands[e->format];
}

/* The part of the mnemonic that the mask makes; NULL when the mask stays an operand. */
static const char *suffix_of(const struct isa_entry *e, const struct dinsn *d, unsigned *mask)
{
    *mask = d->r3;
    if (listed(" crt cgrt clrt clgrt clt clgt ", e->mnemonic))
        return suffix_compare[*mask];
    if (listed(" selr selgr selfhr ", e->mnemonic))
        *mask = d->b2;
    return suffix_all[*mask & 15];
}

/* Branches have names of their own: all masks are in the mnemonic. */
static bool put_branch(struct text *t, const struct isa_entry *e, unsigned mask)
{
    static const char *const names[][3] = {{"brc", "j", "jnop"},
                                           {"brcl", "jg", "jgnop"},
                                           {"bc", "b", "nop"},
                                           {"bcr", "b", "nopr"},
                                           {"bic", "bi", "bic\t0,"}};
    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i][0], e->mnemonic) != 0)
            continue;
        const char *suffix = mask == 15 ? "" : suffix_all[mask];
        if (mask == 0)
            put(t, "%s", names[i][2]);
        else
            put(t, "%s%s%s", names[i][1], suffix, i == 3 ? "r" : "");
        return true;
    }
    return false;
}

/* Mnemonic; *mask is the mask still to be printed, or -1. */
static void put_mnemonic(struct text *t, const struct isa_entry *e, struct dinsn *d, int *mask)
{
    const char *suffix = NULL;
    unsigned m = d->r3;
    *mask = -1;
    if (put_branch(t, e, d->r1))
        return;
    if (strchr(operands_of(e, d), '*')) {
        suffix = e->format >= FMT_RIE_A && e->format <= FMT_RRS && e->format != FMT_RIE_G
                     ? suffix_compare[m & 15]
                     : suffix_of(e, d, &m);
        *mask = suffix ? -1 : (int)m;
    }
    bool zero = listed(" risbg risbgn ", e->mnemonic) && (d->b2 & 0xc0) == 0x80;
    if (zero)
        d->b2 &= 0x7f;
    bool old_name = d->r3 == 0 && listed(" cu12 cu21 ", e->mnemonic);
    if (old_name)
        put(t, "%s", e->mnemonic[2] == '1' ? "cutfu" : "cuutf");
    else if (has_masks(e, d))
        put(t, "%sa", e->mnemonic);
    else
        put(t, "%s%s", e->mnemonic, suffix ? suffix : zero ? "z" : "");
}

/* Bytes that are no instruction. */
static unsigned put_unknown(struct text *t, const u8 *insn)
{
    unsigned len = isa_length(insn[0]);
    put(t, ".byte\t0x%02x", insn[0]);
    for (unsigned i = 1; i < len; i++)
        put(t, ",0x%02x", insn[i]);
    return len;
}

unsigned isa_disassemble(const u8 *insn, u64 ia, char *out, size_t room)
{
    struct text t = {out, room, 0};
    const struct isa_entry *e = isa_find(insn);
    struct dinsn d = {0};
    int mask;
    if (room)
        *out = 0;
    if (!e)
        return put_unknown(&t, insn);
    isa_decode(&d, (enum isa_format)e->format, insn);
    put_mnemonic(&t, e, &d, &mask);
    char before = strchr(out, '\t') ? 0 : '\t';
    for (const char *p = operands_of(e, &d); *p; p++) {
        if (*p == '*' && mask < 0)
            continue;
        if (*p == '?' && field(&d, *++p) == 0)
            continue;
        if (before)
            put(&t, "%c", before);
        before = ',';
        if (*p == '*')
            put(&t, "%d", mask);
        else
            put_operand(&t, *p, &d, ia);
    }
    return isa_length(insn[0]);
}
