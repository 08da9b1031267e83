/* A way from any thread to the loop thread, by uv_async and a locked list.
 * The list is taken as a whole, so that a closure may post again without running at once. */
#include "cli/post_uv.h"

#include <stdlib.h>

#include "mem/base/ergo.h"
#include "mem/base/lock.h"

struct post_item {
    struct post_item *next;
    void (*fn)(void *arg);
    void *arg;
};

struct post_uv {
    uv_async_t async;
    struct lock lock;
    struct post_item *first, **last;
};

static void post_drain(uv_async_t *async)
{
    struct post_uv *post = async->data;
    lock_take(&post->lock);
    struct post_item *item = post->first;
    post->first = NULL;
    post->last = &post->first;
    lock_drop(&post->lock);
    while (item) {
        struct post_item *next = item->next;
        item->fn(item->arg);
        free(item);
        item = next;
    }
}

struct post_uv *post_uv_create(uv_loop_t *loop)
{
    struct post_uv *post = calloc(1, sizeof *post);
    if (!post)
        return NULL;
    post->last = &post->first;
    post->async.data = post;
    lock_init(&post->lock, LOCK_POST);
    if (uv_async_init(loop, &post->async, post_drain)) {
        lock_fini(&post->lock);
        free(post);
        return NULL;
    }
    return post;
}

static void post_closed(uv_handle_t *handle)
{
    struct post_uv *post = handle->data;
    lock_fini(&post->lock);
    free(post);
}

void post_uv_destroy(struct post_uv *post)
{
    if (!post)
        return;
    while (post->first)
        post_drain(&post->async);
    uv_close((uv_handle_t *)&post->async, post_closed);
}

void post_uv(void *ctx, void (*fn)(void *arg), void *arg)
{
    struct post_uv *post = ctx;
    struct post_item *item = malloc(sizeof *item);
    if (!item)
        ergo_fail("POST", "memory for a note to the loop thread", __FILE__, __LINE__);
    *item = (struct post_item){NULL, fn, arg};
    lock_take(&post->lock);
    *post->last = item;
    post->last = &item->next;
    lock_drop(&post->lock);
    uv_async_send(&post->async);
}
