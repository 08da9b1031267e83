/* A user of the fake world goes to the other member. */
#include "hyp/cp_move.h"
#include "tests/lib/cp_world.h"

struct cp_user *moves(const char *userid)
{
    struct codec_out out;
    struct codec_in in;
    struct cp_user *arrived;
    struct cause cause;
    codec_out_init(&out);
    cp_user_save(cp_user_find(cps[0], userid), &out);
    codec_in_init(&in, out.data, out.len);
    ck_assert_msg(cp_user_arrive(cps[1], userid, &in, &arrived, &cause) == ST_OK, "%s",
                  cause.text);
    cp_user_set_claim(arrived, 77);
    codec_out_fini(&out);
    return arrived;
}
