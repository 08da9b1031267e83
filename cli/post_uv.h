/* A way from any thread to the loop thread: closures run in order of posting. */
#ifndef ENDICOTT_CLI_POST_UV_H
#define ENDICOTT_CLI_POST_UV_H

#include <uv.h>

struct post_uv;

/** Made and destroyed on the loop's thread; NULL without host memory. */
struct post_uv *post_uv_create(uv_loop_t *loop);
/** Run what is left, then close; freed as the loop goes round. Nobody may post any more. */
void post_uv_destroy(struct post_uv *post);
/** Run fn(arg) on the loop thread soon. Any thread; aborts when the host is out of memory. */
void post_uv(void *post, void (*fn)(void *arg), void *arg);

#endif
