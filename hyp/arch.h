/* Architecture descriptions: all that a guest can find out about the machine it runs on that
 * depends on the member: processor model, facilities, what CP offers. A member has one of its own,
 * a relocation domain the maximal common subset of its members', a guest the one it was given.
 * Plain values, any thread. Concepts: z/VM "CP Planning and Administration", relocation domains;
 * z/VM keeps the same in its architecture description blocks. */
#ifndef ENDICOTT_HYP_ARCH_H
#define ENDICOTT_HYP_ARCH_H

#include "cpu/model.h"
#include "mem/base/codec.h"

#define ARCH_FEATURE_BYTES 16
#define ARCH_TEXT_BYTES 512 /* room for everything that one can have and another lack */
#define CP_LEVEL 2u         /* of this program; see cp_feature.def */

/** Numbers of CP's features. */
enum cp_feature {
#define F(id, number, level, kind, what, title) CP_FEATURE_##id = number,
#include "hyp/cp_feature.def"
#undef F
};

struct arch {
    const struct cpu_model *model;   /* that STIDP, STSI and SCLP tell of; never NULL */
    u8 facilities[FACILITY_BYTES];   /* as cpu_model_facilities */
    u8 features[ARCH_FEATURE_BYTES]; /* CP's, bit n of the string is number n */
};

/** What a member offers: its machine's model, and CP of this level (1 to CP_LEVEL). */
void arch_of(const struct cpu_model *model, unsigned cp_level, struct arch *out);
/** Take out of `a` what `b` has not. Its model is the older one of the two. */
void arch_common(struct arch *a, const struct arch *b);
/** Does `b` have everything that `a` has? Models are not compared. */
bool arch_within(const struct arch *a, const struct arch *b);
/** The same facilities, features and model. */
bool arch_same(const struct arch *a, const struct arch *b);
/** "13-14, 45; CP: DIAGNOSE X'250'": what `a` has and `b` has not, "" when there is nothing. As
 *  much as goes into `room` bytes, from item *next on (begin with 0); *next is where the next text
 *  goes on, 0 when that was all. Returns out. */
const char *arch_beyond_text(const struct arch *a, const struct arch *b, unsigned *next,
                             char *out, size_t room);
/** May a guest of this description issue the DIAGNOSE code, as far as it is CP's level? */
bool arch_diag(const struct arch *a, u16 code);

/** A block of rows, and back; false when it is not acceptable. What a newer release has and this
 *  one does not know stays in it; a model that is not known here is `model`. */
void arch_put(struct codec_out *out, u16 tag, const struct arch *a);
bool arch_get(const struct codec_row *row, const struct cpu_model *model, struct arch *out);

#endif
