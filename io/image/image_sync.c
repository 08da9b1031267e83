/* When what was written is on the host's disk: at once, when an image is closed, or when an image
 * of a running machine has been quiet. That is done by a thread of the image's own, which also does
 * what the format has put off. It exists from the first write on and sleeps without a time limit
 * while there is nothing to do.
 * Guarantee: IMAGE_UNSYNCED_MS after a write the host's disk has been asked to have it. A host
 * tells of writes that it lost once, to one flush: so flushes of a file come one after the other,
 * what one is told all hear, and no later one goes well ([Y1], image_lost). */
#include "io/image/image_internal.h"
#include "mem/base/log.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S 1000000000ull
#define TIDY_QUIET_MS 100u
#define BACKLOG_QUIET_MAX 3072u /* pieces that wait for a quiet time */

static u64 now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * NS_PER_S + (u64)now.tv_nsec;
}

int image_lost(const struct image *img, struct cause *cause)
{
    if (!atomic_load(&img->lost))
        return ST_OK;
    return cause_set(cause, ST_IO,
                     "%s: writes were lost, no more are taken until it is opened anew",
                     img->lost_why.text);
}

void image_lose(struct image *img, const struct cause *why)
{
    if (atomic_load(&img->lost))
        return;
    img->lost_why = *why;
    atomic_store(&img->lost, true);
}

/** The host's flush of all files. A server that is not there has lost nothing yet. */
static int flush_files(struct image *img, struct cause *cause)
{
    struct cause why = {0};
    int rc = ST_OK;
    for (u32 i = 0; rc == ST_OK && i < img->files; i++)
        rc = image_file_sync(img, i, &why);
    if (rc == ST_IO)
        image_lose(img, &why);
    return rc ? cause_set(cause, rc, "%s", why.text) : ST_OK;
}

/** [Y1]. A flush that begins after several have asked for one serves them all. */
static int files_sync(struct image *img, struct cause *cause)
{
    u64 mine = atomic_fetch_add(&img->flushes_asked, 1) + 1;
    int rc = ST_OK;
    lock_take(&img->flush);
    if (img->flushes_done < mine && !atomic_load(&img->lost)) {
        u64 all = atomic_load(&img->flushes_asked);
        rc = flush_files(img, cause);
        img->flushes_done = rc ? img->flushes_done : all;
    } else {
        rc = image_lost(img, cause);
    }
    lock_drop(&img->flush);
    return rc;
}

void image_lock(struct image *img)
{
    if (!img->ops->sync)
        lock_take(&img->lock);
}

void image_unlock(struct image *img)
{
    if (!img->ops->sync)
        lock_drop(&img->lock);
}

static bool moves_apart(const struct image *img)
{
    return img->ops->fixed && image_shares_files(img);
}

void image_move_begin(struct image *img)
{
    if (!moves_apart(img))
        image_lock(img);
}

void image_move_end(struct image *img, bool wrote)
{
    if (wrote && moves_apart(img))
        image_lock(img);
    if (wrote)
        image_wrote_locked(img);
    if (wrote || !moves_apart(img))
        image_unlock(img);
}

/** The lock is given back while the host works, if `apart` and if the files allow that. */
static int sync_all(struct image *img, bool apart, struct cause *cause)
{
    apart = apart && image_shares_files(img);
    img->syncing = true;
    img->unsynced = false;
    img->first_ns = 0;
    img->hurry = false;
    if (img->ops->sync_begin)
        img->ops->sync_begin(img);
    if (apart)
        lock_drop(&img->lock);
    int rc = files_sync(img, cause);
    if (apart)
        lock_take(&img->lock);
    if (img->ops->sync_end)
        img->ops->sync_end(img, rc == ST_OK);
    img->unsynced |= rc != ST_OK;
    img->syncing = false;
    return rc;
}

/** The lock is given back while the host works, if `apart`. */
static int sync_now(struct image *img, bool apart, struct cause *cause)
{
    if (!img->syncing)
        return img->unsynced ? sync_all(img, apart, cause) : image_lost(img, cause);
    apart = apart && image_shares_files(img);
    if (apart)
        lock_drop(&img->lock);
    int rc = files_sync(img, cause); /* what the other thread frees is for it to free */
    if (apart)
        lock_take(&img->lock);
    return rc;
}

int image_sync_locked(struct image *img, struct cause *cause)
{
    return sync_now(img, false, cause);
}

int image_sync(struct image *img, struct cause *cause)
{
    if (img->ops->sync)
        return img->ops->sync(img, cause);
    lock_take(&img->lock);
    int rc = sync_now(img, true, cause);
    lock_drop(&img->lock);
    return rc;
}

int image_commit(struct image *img, struct cause *cause)
{
    return img->flags & IMAGE_SYNC ? image_sync(img, cause) : ST_OK;
}

/* ---- the thread ---- */

static u64 tidy_due(const struct image *img)
{
    u32 backlog = img->ops->backlog ? img->ops->backlog(img) : 0;
    if (!backlog || atomic_load(&img->lost))
        return UINT64_MAX;
    return backlog > BACKLOG_QUIET_MAX ? 0 : img->last_ns + TIDY_QUIET_MS * NS_PER_MS;
}

static u64 sync_due(const struct image *img)
{
    if (!img->first_ns || (img->told && atomic_load(&img->lost)))
        return UINT64_MAX;
    if (img->hurry)
        return 0;
    u64 last = img->last_ns > img->tidied_ns ? img->last_ns : img->tidied_ns;
    u64 quiet = last + IMAGE_QUIET_MS * NS_PER_MS;
    u64 latest = img->first_ns + IMAGE_UNSYNCED_MS * NS_PER_MS;
    return quiet < latest ? quiet : latest;
}

void image_on_failure(struct image *img, void (*fn)(void *arg, const struct cause *why),
                      void *arg)
{
    img->failed = fn;
    img->failed_arg = arg;
}

static void tell_failed(struct image *img, const struct cause *why)
{
    if (!img->failed || img->failed_told)
        return;
    img->failed_told = true;
    lock_drop(&img->lock);
    img->failed(img->failed_arg, why);
    lock_take(&img->lock);
}

/** A host that does not take it is told of once; a server that was away is asked again later. */
static void flush(struct image *img)
{
    struct cause cause = {0};
    if (img->syncing) { /* by somebody who waits for it */
        img->first_ns = img->last_ns = now_ns();
        return;
    }
    int rc = sync_all(img, true, &cause);
    bool lost = image_lost(img, &cause);
    if (rc && !img->told)
        log_operator('E', "disk image %s%s", cause.text, lost ? "" : "; it is tried again");
    if (rc == ST_OK && img->told)
        log_operator('I', "disk image %s: goes on", img->path);
    if (rc)
        img->first_ns = img->last_ns = now_ns();
    img->told = rc != ST_OK;
    if (rc)
        tell_failed(img, &cause);
    else
        img->failed_told = false;
}

/** One piece of what was put off. It writes, and the flush may have come before it. */
static void tidy_one(struct image *img)
{
    struct cause cause;
    img->ops->tidy(img);
    if (image_lost(img, &cause))
        tell_failed(img, &cause);
    if (!img->unsynced)
        return;
    img->tidied_ns = now_ns();
    if (img->first_ns)
        return;
    img->first_ns = img->tidied_ns;
    pthread_cond_signal(&img->wake);
}

static void wait_until(struct image *img, u64 due)
{
    struct timespec until = {(time_t)(due / NS_PER_S), (long)(due % NS_PER_S)};
    if (due == UINT64_MAX)
        lock_wait(&img->wake, &img->lock);
    else
        lock_wait_until(&img->wake, &img->lock, &until);
}

static void *keep(void *arg)
{
    struct image *img = arg;
    lock_take(&img->lock);
    while (!img->stop) {
        u64 tidy = tidy_due(img), sync = sync_due(img), now = now_ns();
        if (sync <= now)
            flush(img);
        else if (tidy <= now)
            tidy_one(img);
        else
            wait_until(img, tidy < sync ? tidy : sync);
    }
    lock_drop(&img->lock);
    return NULL;
}

void image_wrote_locked(struct image *img)
{
    if (!(img->flags & IMAGE_LIVE) || img->ops->sync)
        return;
    img->last_ns = now_ns();
    if (img->first_ns)
        return;
    img->first_ns = img->last_ns;
    if (!img->kept)
        img->kept = pthread_create(&img->keeper, NULL, keep, img) == 0;
    else
        pthread_cond_signal(&img->wake);
}

bool image_flush_soon_locked(struct image *img)
{
    if (!img->kept || img->flags & IMAGE_SYNC)
        return false;
    if (!img->syncing && !img->hurry) {
        img->hurry = true;
        pthread_cond_signal(&img->wake);
    }
    return true;
}

void image_tidy(struct image *img)
{
    u64 until = now_ns() + IMAGE_TIDY_MS_MAX * NS_PER_MS;
    if (!img->ops->tidy || !img->kept) /* nothing was written */
        return;
    lock_take(&img->lock);
    while (!atomic_load(&img->lost) && img->ops->backlog(img) && now_ns() < until)
        tidy_one(img);
    lock_drop(&img->lock);
}

void image_flush_soon(struct image *img)
{
    lock_take(&img->lock);
    if (img->first_ns)
        (void)image_flush_soon_locked(img);
    lock_drop(&img->lock);
}

int image_rest(struct image *img, struct cause *cause)
{
    if (img->ops->sync)
        return img->ops->sync(img, cause);
    image_keeper_stop(img); /* it might be packing */
    lock_take(&img->lock);
    img->stop = false;
    int rc = img->ops->rest ? img->ops->rest(img, cause) : ST_OK;
    if (rc == ST_OK)
        rc = sync_now(img, false, cause);
    img->first_ns = 0;
    if (rc)
        image_wrote_locked(img); /* the keeper is to try again */
    lock_drop(&img->lock);
    return rc;
}

void image_keeper_stop(struct image *img)
{
    if (!img->kept)
        return;
    lock_take(&img->lock);
    img->stop = true;
    pthread_cond_signal(&img->wake);
    lock_drop(&img->lock);
    pthread_join(img->keeper, NULL);
    img->kept = false;
}
